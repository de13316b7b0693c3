package bolt

// The sums of what was settled. There is a row for each scores, pair, day and voter, and
// one that adds up all pairs, so that a board of all pairs reads as few rows as that of one.
//
// In the file a row is a checksum, its expiry, and for each counter the length of its name,
// the name and the sum. In JSON the board of a year would take more than 50 ms.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"thalas/internal/store"
)

// row is a row of sums.
type row struct {
	sums   map[string]float64 // by counter
	expiry int64
	before int64 // the expiry of the row in the file
}

// scoresKey gives the key of a row. An empty pair is all pairs. A key without a voter is
// the beginning of the keys of that day.
func scoresKey(scores, pair, day, voter string) []byte {
	key := append(measured(scores), measured(pair)...)
	return append(append(key, day...), voter...)
}

// addScores adds what a settlement adds to the sums.
func (t *transaction) addScores(s store.Settlement) error {
	for voter, added := range s.Sums {
		for _, pair := range []string{s.Pair, ""} {
			r, err := t.row(scoresKey(s.Scores, pair, s.Day, voter))
			if err != nil {
				return err
			}
			addTo(r.sums, added)
			r.expiry, t.changed = expiryOf(s.ExpiresAt), true
		}
	}
	return nil
}

func addTo(sums, added map[string]float64) {
	for name, x := range added {
		sums[name] += x
	}
}

// row gives a row as this transaction sees it.
func (t *transaction) row(key []byte) (*row, error) {
	if r := t.scores[string(key)]; r != nil {
		return r, nil
	}
	r := &row{sums: map[string]float64{}, expiry: never, before: never}
	if value := t.get(scoresBucket, key); value != nil {
		var err error
		if r, err = decodeRow(key, value); err != nil {
			return nil, err
		}
	}
	t.scores[string(key)] = r
	return r, nil
}

// writeScores writes the rows that were added to.
func (t *transaction) writeScores() error {
	for key, r := range t.scores {
		if err := errors.Join(t.put(scoresBucket, []byte(key), r.encode()), t.expire(scoresBucket, key, r.before, r.expiry)); err != nil {
			return err
		}
	}
	clear(t.scores)
	return nil
}

func (r *row) encode() []byte {
	value := appendTime(make([]byte, 4, 12+16*len(r.sums)), r.expiry)
	for name, x := range r.sums {
		value = append(binary.AppendUvarint(value, uint64(len(name))), name...)
		value = binary.BigEndian.AppendUint64(value, math.Float64bits(x))
	}
	binary.BigEndian.PutUint32(value, crc32.Checksum(value[4:], castagnoli))
	return value
}

func decodeRow(key, value []byte) (*row, error) {
	if len(value) < 12 || binary.BigEndian.Uint32(value) != crc32.Checksum(value[4:], castagnoli) {
		return nil, damagef("the sums %q: they are not what was written", key)
	}
	expiry := readTime(value[4:])
	r := &row{sums: make(map[string]float64, len(value)/12), expiry: expiry, before: expiry}
	for rest := value[12:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		if n <= 0 || len(rest)-n < 8 || size > uint64(len(rest)-n-8) {
			return nil, damagef("the sums %q: %s", key, errSize)
		}
		end := n + int(size)
		r.sums[string(rest[n:end])] = math.Float64frombits(binary.BigEndian.Uint64(rest[end:]))
		rest = rest[end+8:]
	}
	return r, nil
}

// Sums implements store.Outcomes.
func (s *Store) Sums(ctx context.Context, scores, pair, firstDay, lastDay string) (map[string]map[string]float64, error) {
	for _, day := range []string{firstDay, lastDay} {
		if _, err := store.ParseDay(day); err != nil {
			return nil, err
		}
	}
	if store.ValidateText("key of the scores", scores) != nil || len(pair) > store.MaxText {
		return nil, ctx.Err() // nothing can have been settled there
	}
	return view(ctx, s, func(t *transaction) (map[string]map[string]float64, error) {
		b := t.tx.Bucket(scoresBucket)
		if b == nil {
			return nil, nil
		}
		sums := map[string]map[string]float64{}
		prefix := scoresKey(scores, pair, "", "")
		cursor := b.Cursor()
		key, value := cursor.Seek(scoresKey(scores, pair, firstDay, ""))
		for ; bytes.HasPrefix(key, prefix) && len(key) > len(prefix)+len(time.DateOnly); key, value = cursor.Next() {
			rest := key[len(prefix):]
			if string(rest[:len(time.DateOnly)]) > lastDay {
				break
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r, err := decodeRow(key, value)
			if err != nil {
				return nil, err
			}
			if t.expired(r.expiry) {
				continue
			}
			voter := string(rest[len(time.DateOnly):])
			if sums[voter] == nil {
				sums[voter] = map[string]float64{}
			}
			addTo(sums[voter], r.sums)
		}
		return sums, nil
	})
}
