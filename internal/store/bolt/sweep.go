package bolt

// The sweeper: removes what has expired. Nothing waits for it, since reads leave
// expired records out; it keeps the file from growing.

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sweepSize is how many records one transaction removes at most, so that no run
// waits long behind it.
const sweepSize = 100

// Sweep removes every record that has expired by the time that is known to have
// passed, in small transactions, and says how many there were.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	for {
		some, at := 0, time.Since(s.opened)
		elapsed := at - s.counted
		var known passed
		err := s.write(ctx, func(t *transaction) (err error) {
			if known, err = t.countTime(elapsed); err != nil {
				return err
			}
			some, err = t.sweep(sweepSize, known.Until)
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("sweep: %w", err)
		}
		if elapsed >= countEvery {
			s.counted = at
		}
		s.tellAhead(known)
		removed += some
		if some < sweepSize {
			return removed, nil
		}
	}
}

// sweepAlways is the sweeper. A sweep that fails is logged and tried again at
// the next one.
func (s *Store) sweepAlways(ctx context.Context) {
	ticker := time.NewTicker(s.options.SweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("expired records could not be removed", "store", s.path, "error", err)
			}
		}
	}
}

// sweep removes the records that had expired first at that time, at most so many.
func (t *transaction) sweep(most int, until time.Time) (removed int, err error) {
	// Collected first: a cursor does not survive a deletion.
	var due [][]byte
	cursor := t.tx.Bucket(expiryBucket).Cursor()
	for key, _ := cursor.First(); len(key) > 8 && readTime(key) < until.UnixMilli() && len(due) < most; key, _ = cursor.Next() {
		due = append(due, key)
	}
	for _, entry := range due {
		bucket, key, err := cutMeasured(entry[8:])
		if err != nil || len(key) > maxKey {
			return 0, damagedRecord("an entry of %s: %s", expiryBucket, errSize)
		}
		if err := t.remove(string(bucket), string(key), entry); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (t *transaction) remove(bucket, key string, entry []byte) error {
	removed := t.delete(expiryBucket, entry)
	switch bucket {
	case string(resultsBucket):
		return errors.Join(removed, t.forget(key))
	case string(hoursBucket):
		delete(t.hours, key)
	}
	return errors.Join(removed, t.delete([]byte(bucket), []byte(key)))
}

// expire moves the expiry of a record. never is none, before and after.
func (t *transaction) expire(bucket []byte, key string, before, after int64) error {
	if before == after {
		return nil
	}
	if before != never {
		if err := t.delete(expiryBucket, expiryKey(bucket, key, before)); err != nil {
			return err
		}
	}
	if after == never {
		return nil
	}
	return t.put(expiryBucket, expiryKey(bucket, key, after), nil)
}

func expiryKey(bucket []byte, key string, at int64) []byte {
	entry := appendTime(nil, at)
	entry = append(entry, measured(bucket)...)
	return append(entry, key...)
}
