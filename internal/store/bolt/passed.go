package bolt

// The time that is known to have passed, by which the sweeper removes records.
//
// A removed record is lost, and the machine's clock may be wrong: if it were a hundred
// days ahead for ten minutes, a sweep would empty the store. So the sweeper counts time
// itself with the monotonic clock, and stores the count in the file. The count falls
// behind while the file is not open. If the machine's clock is ahead of the count during
// a whole day of running, the count catches up by the least difference of that day.

import (
	"time"

	"thalas/internal/store"
)

const (
	// standFor is how long the machine's clock must be ahead before the count catches up.
	standFor = 24 * time.Hour
	// noteworthy is how far ahead the clock must be to be logged.
	noteworthy = time.Hour
	// countEvery is the least time after which the count is written again.
	countEvery = time.Minute
)

var passedKey = []byte("passed") // in the meta bucket

// passed is the count in the file.
type passed struct {
	Until time.Time     `json:"until"`       // known to have passed; never ahead of the machine's clock
	Ahead time.Duration `json:"ahead_ns"`    // the least that the machine's clock was ahead of Until during Stood
	Stood time.Duration `json:"standing_ns"` // the running time during which it has been ahead
}

// later adds elapsed to the count. clock is the machine's clock after that time.
func (p passed) later(elapsed time.Duration, clock time.Time) passed {
	p.Until = p.Until.Add(elapsed)
	ahead := clock.Sub(p.Until)
	if ahead <= 0 {
		return passed{Until: clock}
	}
	if p.Stood == 0 {
		p.Ahead = ahead
	}
	p.Ahead = min(p.Ahead, ahead)
	p.Stood += elapsed
	if p.Stood >= standFor {
		return passed{Until: p.Until.Add(p.Ahead)}
	}
	return p
}

// passed reads the count. In a file without one, the time at which the newest result was
// made has passed.
func (t *transaction) passed() (p passed, err error) {
	found, err := t.readJSON(metaBucket, passedKey, &p)
	if err != nil || found {
		return p, err
	}
	p.Until = t.now
	if newest, _ := t.tx.Bucket(resultsBucket).Cursor().Last(); newest != nil {
		if made := store.MadeAt(string(newest)); made.Before(p.Until) {
			p.Until = made
		}
	}
	return p, nil
}

// countTime adds elapsed to the count, and writes it if elapsed is at least countEvery.
func (t *transaction) countTime(elapsed time.Duration) (passed, error) {
	p, err := t.passed()
	if err != nil {
		return p, err
	}
	p = p.later(elapsed, t.now)
	if elapsed < countEvery {
		return p, nil
	}
	return p, t.writeJSON(metaBucket, passedKey, p)
}

// tellAhead logs once when the machine's clock gets ahead of the count, and once when it
// is not ahead any more.
func (s *Store) tellAhead(p passed) {
	clock := s.now()
	ahead := clock.Sub(p.Until)
	switch was := s.isAhead; {
	case !was && ahead >= noteworthy:
		s.log.Warn("The clock is ahead of the time that has passed: it has jumped, or the file was not open for so long. "+
			"What has expired since stays in the file until the clock has stood there for a day of running. If the time is wrong, correct it; a restart changes nothing.",
			"store", s.path, "clock", clock.UTC(), "passed", p.Until.UTC(), "ahead", ahead.Round(time.Second).String())
	case was && ahead < noteworthy:
		s.log.Info("The clock agrees with the time that has passed: all that has expired is removed again.", "store", s.path, "clock", clock.UTC())
	}
	s.isAhead = ahead >= noteworthy
}
