package bolt

// The form of a result in the file: a header in JSON, to which later versions can add
// fields, and the body byte for byte. The header has the body's checksum, because a number that damage
// has changed must not be given as one that was voted.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"time"

	"thalas/internal/store"
)

type header struct {
	Schema    int       `json:"schema"`
	Series    string    `json:"series"`
	Position  string    `json:"position"`
	Day       string    `json:"day"`
	Decision  string    `json:"decision"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Checksum  uint32    `json:"crc32c,omitempty"` // of the body; 0: an older program wrote it
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // processors compute this one by themselves

// encodeResult writes the header's length, the header and the body.
func encodeResult(r *store.Result) ([]byte, error) {
	head, err := json.Marshal(header{
		Schema: r.Schema, Series: r.Series, Position: r.Position, Day: r.Day,
		Decision: r.Decision, Status: r.Status, CreatedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(),
		Checksum: crc32.Checksum(r.Body, castagnoli),
	})
	if err != nil {
		return nil, err
	}
	value := make([]byte, 0, 4+len(head)+len(r.Body))
	value = binary.BigEndian.AppendUint32(value, uint32(len(head)))
	value = append(value, head...)
	return append(value, r.Body...), nil
}

// decodeResult reads what encodeResult wrote. The result shares no memory with value.
func decodeResult(id string, value []byte) (store.Result, error) {
	head, body, err := decodeHeader(id, value)
	if err != nil {
		return store.Result{}, err
	}
	if head.Checksum != 0 && head.Checksum != crc32.Checksum(body, castagnoli) {
		return store.Result{}, damagedRecord("the result %s: its body is not what was written", id)
	}
	return store.Result{
		ID: id, Schema: head.Schema, Series: head.Series, Position: head.Position, Day: head.Day,
		Decision: head.Decision, Status: head.Status, CreatedAt: head.CreatedAt, ExpiresAt: head.ExpiresAt,
		Body: bytes.Clone(body),
	}, nil
}

func decodeHeader(id string, value []byte) (head header, body []byte, err error) {
	err = errSize
	if len(value) >= 4 {
		if end := 4 + int64(binary.BigEndian.Uint32(value)); end <= int64(len(value)) && int64(len(value)) <= end+store.MaxBody {
			err = json.Unmarshal(value[4:end], &head)
			body = value[end:]
		}
	}
	if err != nil {
		return header{}, nil, damagedRecord("the result %s: %s", id, err)
	}
	return head, body, nil
}
