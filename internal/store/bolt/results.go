package bolt

// Storing results, and finding them by their ids.
//
// In the file a result is a header in JSON, to which later versions can add fields, and
// the body byte for byte. The header has a checksum of the body, so that a number that
// damage has changed is never given as one that was voted.

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"thalas/internal/store"
)

// Record implements store.Results.
func (s *Store) Record(ctx context.Context, result *store.Result, count store.Count) error {
	if err := count.Validate(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if result == nil {
		return s.write(ctx, func(t *transaction) error { return t.count(count) })
	}
	// The caller's goroutine encodes the result, because there is only one writer.
	value, err := encodeResult(result)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	stored := *result
	return s.write(ctx, func(t *transaction) error {
		return errors.Join(t.store(&stored, value), t.count(count))
	})
}

// Add implements store.Results.
func (s *Store) Add(ctx context.Context, results []*store.Result) (added int, err error) {
	if added, err = changeAll(ctx, s, results, (*transaction).add); err != nil {
		err = fmt.Errorf("add: %w", err)
	}
	return added, err
}

// add stores a result, unless there is one of its id.
func (t *transaction) add(r *store.Result) (isNew bool, err error) {
	if _, err := t.result(r.ID); !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	value, err := encodeResult(r)
	if err != nil {
		return false, err
	}
	return true, t.store(r, value)
}

// store writes a result, its entries in the lists and what is known of its outcome.
func (t *transaction) store(r *store.Result, value []byte) error {
	if err := t.storeOutcome(r); err != nil {
		return err
	}
	if err := t.removeResult(r.ID); err != nil {
		return err
	}
	expiry := expiryOf(r.ExpiresAt)
	times := pairOfTimes(r.CreatedAt.UnixMilli(), expiry)
	if r.Market != nil {
		if err := t.put(marketsBucket, []byte(r.ID), r.Market); err != nil {
			return err
		}
	}
	return errors.Join(
		t.put(resultsBucket, []byte(r.ID), value),
		t.put(bySeriesBucket, listKey(r.Series, r.Position), times),
		t.put(byDayBucket, listKey(r.Day, r.ID), times),
		t.expire(resultsBucket, r.ID, never, expiry),
	)
}

// removeResult removes the result of an id, if there is one, and its entries in the lists.
func (t *transaction) removeResult(id string) error {
	value := t.get(resultsBucket, []byte(id))
	if value == nil {
		return nil
	}
	head, _, err := decodeHeader(id, value)
	if err != nil {
		return err
	}
	return errors.Join(
		t.delete(resultsBucket, []byte(id)),
		t.delete(marketsBucket, []byte(id)),
		t.delete(bySeriesBucket, listKey(head.Series, head.Position)),
		t.delete(byDayBucket, listKey(head.Day, id)),
		t.expire(resultsBucket, id, expiryOf(head.ExpiresAt), never),
	)
}

// Result implements store.Results.
func (s *Store) Result(ctx context.Context, id string) (store.Result, error) {
	return view(ctx, s, func(t *transaction) (store.Result, error) { return t.result(id) })
}

func (t *transaction) result(id string) (store.Result, error) {
	value := t.get(resultsBucket, []byte(id))
	if value == nil {
		return store.Result{}, store.ErrNotFound
	}
	result, err := decodeResult(id, value)
	if err != nil {
		return store.Result{}, err
	}
	if t.expired(expiryOf(result.ExpiresAt)) {
		return store.Result{}, store.ErrNotFound
	}
	known, err := t.outcome(id)
	result.Outcome = bytes.Clone(known.Outcome)
	return result, err
}

// Market implements store.Results.
func (s *Store) Market(ctx context.Context, id string) ([]byte, error) {
	return view(ctx, s, func(t *transaction) ([]byte, error) {
		exists, err := t.exists(id)
		switch {
		case err != nil:
			return nil, err
		case !exists:
			return nil, store.ErrNotFound
		}
		return bytes.Clone(t.get(marketsBucket, []byte(id))), nil
	})
}

// header is the header of a result.
type header struct {
	store.Result
	Checksum uint32 `json:"crc32c,omitempty"` // of the body; 0: an older program wrote it
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // most processors have instructions for this polynomial

// encodeResult validates a result, and writes the header's length, the header and the body.
func encodeResult(r *store.Result) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	head := header{*r, crc32.Checksum(r.Body, castagnoli)}
	head.CreatedAt, head.ExpiresAt = r.CreatedAt.UTC(), r.ExpiresAt.UTC()
	return encodeWithBody(head, r.Body)
}

// decodeResult reads what encodeResult wrote. The result shares no memory with value.
func decodeResult(id string, value []byte) (store.Result, error) {
	head, body, err := decodeHeader(id, value)
	if err != nil {
		return store.Result{}, err
	}
	if head.Checksum != 0 && head.Checksum != crc32.Checksum(body, castagnoli) {
		return store.Result{}, damagef("the result %s: its body is not what was written", id)
	}
	head.ID, head.Body = id, bytes.Clone(body)
	return head.Result, nil
}

func decodeHeader(id string, value []byte) (head header, body []byte, err error) {
	if body, err = decodeWithBody(value, &head); err != nil {
		return header{}, nil, damagef("the result %s: %s", id, err)
	}
	return head, body, nil
}

// encodeWithBody writes the length of a header, the header in JSON and a body.
func encodeWithBody(head any, body []byte) ([]byte, error) {
	encoded, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	value := make([]byte, 0, 4+len(encoded)+len(body))
	value = binary.BigEndian.AppendUint32(value, uint32(len(encoded)))
	value = append(value, encoded...)
	return append(value, body...), nil
}

// decodeWithBody reads what encodeWithBody wrote. The body is a part of value.
func decodeWithBody(value []byte, head any) (body []byte, err error) {
	if len(value) < 4 {
		return nil, errSize
	}
	end := 4 + int64(binary.BigEndian.Uint32(value))
	if end > int64(len(value)) || int64(len(value)) > end+store.MaxBody {
		return nil, errSize
	}
	return value[end:], json.Unmarshal(value[4:end], head)
}
