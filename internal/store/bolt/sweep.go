package bolt

// The sweeper removes expired records, so that the file does not grow. Reads do not
// depend on it, because they leave expired records out.

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sweepSize is the most records that one transaction removes, so that other writes do
// not wait long for it.
const sweepSize = 100

// Sweep removes every record that has expired by the time that is known to have passed
// (passed.go). It uses small transactions, and gives the number of removed records.
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

// sweepAlways sweeps every Options.SweepEvery until ctx ends. It logs a sweep that fails;
// the next one removes what is left.
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

// sweep removes at most that many of the records that expired before until, those that
// expired first.
func (t *transaction) sweep(most int, until time.Time) (removed int, err error) {
	// They are collected first, because a deletion makes a cursor invalid.
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

// expire changes the expiry of a record. Either may be never.
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
