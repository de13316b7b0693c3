package bolt

// The sums of what was settled. There is a row for each scores, pair, day and voter, and
// one that adds up all pairs, so that a board of all pairs reads as few rows as that of one.
//
// A row is a checksum, its expiry, and its counters in the order of their names: the
// length of the name and whether the sum is a whole number, the name, and the sum. Most
// sums are small whole numbers, which take a byte.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"time"

	"thalas/internal/store"
)

// row is a row of sums.
type row struct {
	counters map[string]float64 // nil if it was only decoded
	encoded  []byte             // the counters as they are in the file
	expiry   int64
	before   int64 // the expiry of the row in the file
	changed  bool  // since it was written
}

// scoresKey gives the key of a row. An empty pair is all pairs. A key without a voter is
// the beginning of the keys of that day.
func scoresKey(scores, pair, day, voter string) []byte {
	key := append(measured(scores), measured(pair)...)
	return append(append(key, day...), voter...)
}

// addScores adds what a settlement adds to the sums.
func (t *transaction) addScores(s *store.Settlement) error {
	for voter, added := range s.Sums {
		for _, pair := range []string{s.Pair, ""} {
			r, err := t.row(scoresKey(s.Scores, pair, s.Day, voter))
			if err != nil {
				return err
			}
			for name, x := range added {
				r.counters[name] += x
			}
			r.expiry = expiryOf(s.ExpiresAt)
			r.changed, t.changed = true, true
		}
	}
	return nil
}

// row gives a row as this transaction sees it.
func (t *transaction) row(key []byte) (*row, error) {
	if r := t.scores[string(key)]; r != nil {
		return r, nil
	}
	r := &row{expiry: never}
	if value := t.get(scoresBucket, key); value != nil {
		var err error
		if r, err = decodeRow(key, value); err != nil {
			return nil, err
		}
	}
	all := counters{}
	if err := all.add(r.encoded); err != nil {
		return nil, damagef("the sums %q: %s", key, err)
	}
	r.counters, r.before = all.sums(), r.expiry
	t.scores[string(key)] = r
	return r, nil
}

// writeScores writes the rows that were added to.
func (t *transaction) writeScores() error {
	for key, r := range t.scores {
		if !r.changed {
			continue
		}
		if err := errors.Join(t.put(scoresBucket, []byte(key), r.encode()), t.expire(scoresBucket, key, r.before, r.expiry)); err != nil {
			return err
		}
		r.before, r.changed = r.expiry, false
	}
	return nil
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
		all := map[string]counters{}
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
			voter := rest[len(time.DateOnly):]
			if all[string(voter)] == nil {
				all[string(voter)] = counters{}
			}
			if err := all[string(voter)].add(r.encoded); err != nil {
				return nil, damagef("the sums %q: %s", key, err)
			}
		}
		sums := make(map[string]map[string]float64, len(all))
		for voter, c := range all {
			sums[voter] = c.sums()
		}
		return sums, nil
	})
}

// encode writes a row.
func (r *row) encode() []byte {
	value := make([]byte, 4, 4+8+16*len(r.counters))
	value = appendTime(value, r.expiry)
	for _, name := range slices.Sorted(maps.Keys(r.counters)) {
		x := r.counters[name]
		whole := uint64(0)
		if x >= 0 && x < 1<<53 && x == math.Trunc(x) {
			whole = 1
		}
		value = binary.AppendUvarint(value, uint64(len(name))<<1|whole)
		value = append(value, name...)
		if whole == 1 {
			value = binary.AppendUvarint(value, uint64(x))
		} else {
			value = binary.BigEndian.AppendUint64(value, math.Float64bits(x))
		}
	}
	binary.BigEndian.PutUint32(value, crc32.Checksum(value[4:], castagnoli))
	return value
}

// decodeRow reads a row, but not its counters.
func decodeRow(key, value []byte) (*row, error) {
	if len(value) < 12 || binary.BigEndian.Uint32(value) != crc32.Checksum(value[4:], castagnoli) {
		return nil, damagef("the sums %q: they are not what was written", key)
	}
	return &row{expiry: readTime(value[4:]), encoded: value[12:]}, nil
}

// counters are sums by name. The pointers save a copy of the name at each addition.
type counters map[string]*float64

// add adds the counters of a row.
func (c counters) add(encoded []byte) error {
	for len(encoded) > 0 {
		head, n := binary.Uvarint(encoded)
		if n <= 0 || head>>1 > uint64(len(encoded)-n) {
			return errSize
		}
		name := encoded[n : n+int(head>>1)]
		encoded = encoded[n+len(name):]
		var x float64
		switch {
		case head&1 == 1:
			whole, n := binary.Uvarint(encoded)
			if n <= 0 {
				return errSize
			}
			x, encoded = float64(whole), encoded[n:]
		case len(encoded) < 8:
			return errSize
		default:
			x, encoded = math.Float64frombits(binary.BigEndian.Uint64(encoded)), encoded[8:]
		}
		if sum := c[string(name)]; sum != nil {
			*sum += x
		} else {
			c[string(name)] = &x
		}
	}
	return nil
}

func (c counters) sums() map[string]float64 {
	sums := make(map[string]float64, len(c))
	for name, sum := range c {
		sums[name] = *sum
	}
	return sums
}
