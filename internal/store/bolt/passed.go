package bolt

// The time that the sweeper goes by: the time that is known to have passed.
//
// What was removed is gone for good, and the machine's clock may be wrong: ten minutes
// of a clock that is a hundred days ahead would empty the store. So the sweeper counts
// time itself, by a clock that can't jump, and the file keeps how far it has come. That
// count falls behind while nobody has the file open. It catches up by as much as the
// machine's clock was ahead of it throughout a whole day of running.

import (
	"time"

	"thalas/internal/store"
)

const (
	// standFor is how long the machine's clock has to be ahead before that is believed.
	standFor = 24 * time.Hour
	// noteworthy is how far ahead it has to be for the log.
	noteworthy = time.Hour
	// countEvery is how much has to have passed before that is written down.
	countEvery = time.Minute
)

var passedKey = []byte("passed") // in the meta bucket

// passed is the time that is known to have passed, as it stands in the file.
type passed struct {
	Until time.Time     `json:"until"`       // known to be over, never ahead of the machine's clock
	Ahead time.Duration `json:"ahead_ns"`    // the least that the machine's clock was ahead of it, while
	Stood time.Duration `json:"standing_ns"` // so much running time passed
}

// later counts time that has passed, at whose end the machine's clock shows that time.
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

// passed reads the time that is known to have passed. A file that does not say it yet
// was written to when the newest result in it was made.
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

// countTime adds the time that has passed since it was counted last, and writes it down
// where that is worth a commit.
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

// tellAhead logs once when the machine's clock is ahead of the time that has passed,
// and once when that is over.
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
