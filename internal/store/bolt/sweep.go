package bolt

// The sweeper removes expired records, so that the file does not grow. Reads do not
// depend on it, because they leave expired records out.
//
// A removed record is lost, and the machine's clock may be wrong: if it were a hundred
// days ahead for ten minutes, a sweep would empty the store. So the sweeper counts time
// itself with the monotonic clock, and stores the count in the file: that time is known to
// have passed. The count falls behind while the file is not open. If the machine's clock
// is ahead of the count during a whole day of running, the count catches up by the least
// difference of that day.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"thalas/internal/store"
)

const (
	// trustAfter is how long the machine's clock must be ahead before the count catches up.
	trustAfter = 24 * time.Hour
	// logFrom is how far ahead the clock must be for a warning.
	logFrom = time.Hour
	// countEvery is the least time after which the count is written again.
	countEvery = time.Minute
)

// sweepSize is the most records that one transaction removes, so that other writes do
// not wait long for it.
const sweepSize = 100

// Sweep removes every record that has expired by the time that is known to have passed. It
// uses small transactions, and gives the number of removed records.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	for {
		some, at := 0, time.Since(s.opened)
		elapsed := at - s.counted
		var known passedTime
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
		s.logAhead(known)
		removed += some
		if some < sweepSize {
			return removed, nil
		}
	}
}

// sweepAlways sweeps every Options.SweepEvery until ctx ends. It logs a sweep that fails;
// the next one removes what is left.
func (s *Store) sweepAlways(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.options.SweepEvery):
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.options.Log.Warn("expired records could not be removed", "store", s.path, "error", err)
			}
		}
	}
}

// sweep removes records that expired before until, the oldest first, and at most that
// many.
func (t *transaction) sweep(most int, until time.Time) (removed int, err error) {
	// What was counted and added to sums before in this transaction may have given them a later expiry.
	if err := errors.Join(t.writeHours(), t.writeScores()); err != nil {
		return 0, err
	}
	var due [][]byte // collected first, because a deletion makes a cursor invalid
	cursor := t.tx.Bucket(expiryBucket).Cursor()
	for key, _ := cursor.First(); len(key) > 8 && readTime(key) < until.UnixMilli() && len(due) < most; key, _ = cursor.Next() {
		due = append(due, key)
	}
	for _, entry := range due {
		bucket, key, err := cutMeasured(entry[8:])
		if err != nil || len(key) > maxKey {
			return 0, damagef("an entry of %s: %s", expiryBucket, errSize)
		}
		if err := t.remove(string(bucket), string(key), entry); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// remove removes an expired record and its entry in the expiry bucket.
func (t *transaction) remove(bucket, key string, entry []byte) error {
	removed := t.delete(expiryBucket, entry)
	switch bucket {
	case string(resultsBucket):
		return errors.Join(removed, t.removeOutcome(key), t.removeResult(key))
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

// passedTime is the count in the file.
type passedTime struct {
	Until time.Time     `json:"until"`       // known to have passed; never ahead of the machine's clock
	Ahead time.Duration `json:"ahead_ns"`    // the least that the machine's clock was ahead of Until in that time
	Since time.Duration `json:"standing_ns"` // the running time for which it has been ahead
}

// later adds elapsed to the count. clock is the machine's clock after that time.
func (p passedTime) later(elapsed time.Duration, clock time.Time) passedTime {
	p.Until = p.Until.Add(elapsed)
	ahead := clock.Sub(p.Until)
	if ahead <= 0 {
		return passedTime{Until: clock}
	}
	if p.Since == 0 {
		p.Ahead = ahead
	}
	p.Ahead = min(p.Ahead, ahead)
	p.Since += elapsed
	if p.Since >= trustAfter {
		return passedTime{Until: p.Until.Add(p.Ahead)}
	}
	return p
}

// countTime adds elapsed to the count, and writes it if elapsed is at least countEvery. In
// a file without a count, the time at which the newest result was made has passed.
func (t *transaction) countTime(elapsed time.Duration) (p passedTime, err error) {
	found, err := t.readJSON(metaBucket, passedKey, &p)
	if err != nil {
		return p, err
	}
	if !found {
		p.Until = t.now
		if newest, _ := t.tx.Bucket(resultsBucket).Cursor().Last(); newest != nil {
			if made := store.MadeAt(string(newest)); made.Before(p.Until) {
				p.Until = made
			}
		}
	}
	p = p.later(elapsed, t.now)
	if elapsed < countEvery {
		return p, nil
	}
	return p, t.writeJSON(metaBucket, passedKey, p)
}

// logAhead logs once when the machine's clock gets ahead of the count, and once when it
// is not ahead any more.
func (s *Store) logAhead(p passedTime) {
	clock := s.now()
	ahead := clock.Sub(p.Until)
	switch was := s.isAhead; {
	case !was && ahead >= logFrom:
		s.options.Log.Warn("The clock is ahead of the time that has passed: it has jumped, or the file was not open for so long. "+
			"What has expired since stays in the file until the clock has stood there for a day of running. If the time is wrong, correct it; a restart changes nothing.",
			"store", s.path, "clock", clock.UTC(), "passed", p.Until.UTC(), "ahead", ahead.Round(time.Second).String())
	case was && ahead < logFrom:
		s.options.Log.Info("The clock agrees with the time that has passed: all that has expired is removed again.", "store", s.path, "clock", clock.UTC())
	}
	s.isAhead = ahead >= logFrom
}
