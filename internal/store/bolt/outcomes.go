package bolt

// What became of results, and the list of those without a final outcome.
//
// The bucket outcomes has a record for each result that is settled or on that list: a
// header in JSON, and the outcome byte for byte. The list is an index of the records that
// are not final. Both are removed with their result.

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"thalas/internal/store"
)

// changedAtOnce is the most records that one transaction of changeAll changes, so that other writes do
// not wait long for it.
const changedAtOnce = 500

// known is what is known of a result's outcome, without the outcome the header of its
// record. Without a record it is zero. If the outcome is final, no more than that is known.
type known struct {
	Final bool `json:"final,omitempty"`
	store.Unsettled
	Checksum uint32 `json:"crc32c"` // of the outcome
}

// AddOutcomes implements store.Outcomes.
func (s *Store) AddOutcomes(ctx context.Context, settlements []store.Settlement) (added int, err error) {
	if added, err = changeAll(ctx, s, settlements, (*transaction).settle); err != nil {
		err = fmt.Errorf("add outcomes: %w", err)
	}
	return added, err
}

// settle stores a final outcome, unless there is one or the result does not exist.
func (t *transaction) settle(s store.Settlement) (isNew bool, err error) {
	if isOpen, err := t.isOpen(s.ID); err != nil || !isOpen {
		return false, err
	}
	return true, errors.Join(t.removeOutcome(s.ID), t.putFinal(s))
}

// putFinal writes a final outcome, and adds to the sums.
func (t *transaction) putFinal(s store.Settlement) error {
	return errors.Join(t.putOutcome(s.ID, known{Final: true, Unsettled: store.Unsettled{Outcome: s.Outcome}}), t.addScores(s))
}

// NoteUnsettled implements store.Outcomes.
func (s *Store) NoteUnsettled(ctx context.Context, notes []store.Unsettled) error {
	if _, err := changeAll(ctx, s, notes, (*transaction).note); err != nil {
		return fmt.Errorf("note unsettled results: %w", err)
	}
	return nil
}

// note replaces what is known of a result's outcome, unless that is final or the result
// does not exist.
func (t *transaction) note(u store.Unsettled) (changed bool, err error) {
	if isOpen, err := t.isOpen(u.ID); err != nil || !isOpen {
		return false, err
	}
	return true, errors.Join(t.removeOutcome(u.ID), t.putUnsettled(u))
}

// changeAll validates records and makes a change for each, changedAtOnce in a transaction.
// It says how many made a change.
func changeAll[T interface{ Validate() error }](ctx context.Context, s *Store, all []T, change func(*transaction, T) (bool, error)) (changed int, err error) {
	if err := store.ValidateAll(all); err != nil {
		return 0, err
	}
	for some := range slices.Chunk(all, changedAtOnce) {
		inGroup := 0
		err := s.write(ctx, func(t *transaction) error {
			inGroup = 0 // an earlier attempt may have been rolled back
			for _, one := range some {
				isChanged, err := change(t, one)
				if err != nil {
					return err
				}
				if isChanged {
					inGroup++
				}
			}
			return nil
		})
		if err != nil {
			return changed, err
		}
		changed += inGroup
	}
	return changed, nil
}

// ListUnsettled implements store.Outcomes.
func (s *Store) ListUnsettled(ctx context.Context, group string, from, to time.Time) ([]store.Unsettled, error) {
	if store.ValidateText("group", group) != nil {
		return nil, ctx.Err() // no result can be in such a group
	}
	bounds := store.Range{From: from, To: to}.OfSeries()
	return view(ctx, s, func(t *transaction) (list []store.Unsettled, err error) {
		b := t.tx.Bucket(unsettledBucket)
		if b == nil {
			return nil, nil
		}
		prefix := measured(group)
		cursor, end := b.Cursor(), string(prefix)+bounds.Above
		key, _ := cursor.Seek(append(slices.Clone(prefix), bounds.Least...))
		for seen := 1; key != nil && len(key) <= maxKey && string(key) < end; seen++ {
			if seen%1024 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			position := string(key[len(prefix):])
			id := store.IDOf(position)
			exists, err := t.exists(id)
			if err != nil {
				return nil, err
			}
			k, err := t.outcome(id)
			if err != nil {
				return nil, err
			}
			if k.Group != group || k.Position != position {
				return nil, damagef("the entry %s of %s leads to no result without an outcome", position, unsettledBucket)
			}
			if exists {
				k.ID, k.Outcome = id, nil
				list = append(list, k.Unsettled)
			}
			key, _ = cursor.Next()
		}
		return list, nil
	})
}

// storeOutcome replaces what is known of a result's outcome by what a result that is being
// stored in its place says. An outcome that is final already stays.
func (t *transaction) storeOutcome(r *store.Result) error {
	exists, err := t.exists(r.ID)
	if err != nil {
		return err
	}
	k, err := t.outcome(r.ID)
	if err != nil || exists && k.Final {
		return err
	}
	if err := t.removeOutcome(r.ID); err != nil {
		return err
	}
	switch {
	case r.Settlement != nil:
		return t.putFinal(*r.Settlement)
	case r.Unsettled != nil:
		return t.putUnsettled(*r.Unsettled)
	}
	return nil
}

// putUnsettled writes what is known of a result, and its entry in the list.
func (t *transaction) putUnsettled(u store.Unsettled) error {
	return errors.Join(
		t.putOutcome(u.ID, known{Unsettled: u}),
		t.put(unsettledBucket, listKey(u.Group, u.Position), nil),
	)
}

// putOutcome writes the record of an outcome.
func (t *transaction) putOutcome(id string, k known) error {
	k.Checksum = crc32.Checksum(k.Outcome, castagnoli)
	value, err := encodeWithBody(k, k.Outcome)
	if err != nil {
		return err
	}
	return t.put(outcomesBucket, []byte(id), value)
}

// removeOutcome removes what is known of a result's outcome, and its entry in the list.
func (t *transaction) removeOutcome(id string) error {
	k, err := t.outcome(id)
	if err != nil || k.Group == "" && !k.Final {
		return err
	}
	removed := t.delete(outcomesBucket, []byte(id))
	if k.Final {
		return removed
	}
	return errors.Join(removed, t.delete(unsettledBucket, listKey(k.Group, k.Position)))
}

// isOpen reports whether a result exists and has no final outcome.
func (t *transaction) isOpen(id string) (bool, error) {
	exists, err := t.exists(id)
	if err != nil || !exists {
		return false, err
	}
	k, err := t.outcome(id)
	return !k.Final, err
}

// exists reports whether there is a result of an id that has not expired.
func (t *transaction) exists(id string) (bool, error) {
	value := t.get(resultsBucket, []byte(id))
	if value == nil {
		return false, nil
	}
	head, _, err := decodeHeader(id, value)
	return err == nil && !t.expired(expiryOf(head.ExpiresAt)), err
}

// outcome reads what is known of a result's outcome. The outcome is a part of the file.
func (t *transaction) outcome(id string) (known, error) {
	value := t.get(outcomesBucket, []byte(id))
	if value == nil {
		return known{}, nil
	}
	return decodeOutcome(id, value)
}

func decodeOutcome(id string, value []byte) (k known, err error) {
	k.Outcome, err = decodeWithBody(value, &k)
	if err == nil && k.Checksum != crc32.Checksum(k.Outcome, castagnoli) {
		err = errors.New("it is not what was written")
	}
	if err == nil && !k.Final && k.Group == "" {
		err = errors.New("it is neither final nor on a list")
	}
	if err != nil {
		return known{}, damagef("the outcome of the result %s: %s", id, err)
	}
	return k, nil
}
