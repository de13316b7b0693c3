package bolt

// Tests of what the sweeper removes while the clock is wrong.

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

const day = 24 * time.Hour

func TestTimeThatHasPassed(t *testing.T) {
	type step struct {
		elapsed, offset time.Duration // the running time of the step, and how far the clock is ahead of the true time
	}
	every := func(n int, offset time.Duration) (steps []step) {
		for range n {
			steps = append(steps, step{10 * time.Minute, offset})
		}
		return steps
	}
	join := func(all ...[]step) (steps []step) {
		for _, some := range all {
			steps = append(steps, some...)
		}
		return steps
	}
	for _, test := range []struct {
		name  string
		steps []step
		ahead time.Duration // how far the count is ahead of the running time at the end
	}{
		{"right", every(300, 0), 0},
		{"a hundred days ahead for ten minutes", join(every(10, 0), every(1, 100*day), every(200, 0)), 0},
		{"a hundred days ahead for 23 hours", join(every(10, 0), every(23*6, 100*day)), 0},
		{"a hundred days ahead for a day", join(every(10, 0), every(24*6, 100*day)), 100 * day},
		{"off for ten days, then running for a day", every(24*6, 10*day), 10 * day},
		{"a jump after 23 hours of standing believes only what stood", join(every(23*6, time.Hour), every(6, 100*day)), time.Hour},
		{"off again and again: the least of a day", join(every(8*6, time.Hour), every(8*6, 17*time.Hour), every(8*6, 33*time.Hour)), time.Hour},
		{"behind for a while: not ahead of the clock", join(every(10, 0), every(1, -5*day)), -5 * day},
		{"behind, then right for a day", join(every(1, -5*day), every(24*6, 0)), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := anyTime
			p, running := passedTime{Until: start}, time.Duration(0)
			for _, s := range test.steps {
				running += s.elapsed
				p = p.later(s.elapsed, start.Add(running+s.offset))
			}
			if got := p.Until.Sub(start.Add(running)); got != test.ahead {
				t.Errorf("known to have passed: %s more than it ran, want %s", got, test.ahead)
			}
		})
	}
}

// If the clock jumps ahead, the results that have expired by it are hidden, but not
// removed, even over a restart. With the right time all of them can be read again.
func TestSweeperWithAWrongClock(t *testing.T) {
	path := tempFile(t)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		offset := time.Duration(0)
		reopen := func() *Store {
			s, err := Open(path, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			s.now = func() time.Time { return time.Now().Add(offset) }
			return s
		}
		sweep := func(s *Store, passing time.Duration) (removed int) {
			for ; passing > 0; passing -= 10 * time.Minute {
				time.Sleep(10 * time.Minute)
				n, err := s.Sweep(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				removed += n
			}
			return removed
		}
		listed := func(s *Store) int {
			page, err := s.Series(t.Context(), "BTC/USDT#5m", store.Range{Limit: 500})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Results)
		}
		s := reopen()
		for range 300 {
			r := sampleResult(t)
			r.ExpiresAt = time.Now().Add(90 * day)
			if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
				t.Fatal(err)
			}
		}
		sweep(s, 30*time.Minute)

		offset = 100 * day
		if got := listed(s); got != 0 {
			t.Errorf("%d results are shown although they have expired by the clock", got)
		}
		if got := sweep(s, 12*time.Hour); got != 0 {
			t.Errorf("%d results were removed by a clock that jumped", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = reopen()
		if got := sweep(s, 11*time.Hour); got != 0 {
			t.Errorf("%d results were removed after a restart", got)
		}
		if got := strings.Count(log.String(), "level=WARN"); got != 2 || !strings.Contains(log.String(), "ahead=2400h") {
			t.Errorf("%d warnings, want one for each time it was open, with how far it is ahead:\n%s", got, log.String())
		}
		offset = 0
		if got := sweep(s, 2*day); got != 0 || listed(s) != 300 {
			t.Errorf("with the right time again: %d removed, %d of 300 shown", got, listed(s))
		}
		if !strings.Contains(log.String(), "removed again") {
			t.Errorf("the log does not say that the clock is right again:\n%s", log.String())
		}

		// If the clock stays ahead for a day, it is right: the machine was off.
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * day)
		s = reopen()
		defer func() { _ = s.Close() }()
		if got := sweep(s, day-10*time.Minute); got != 0 {
			t.Errorf("%d removed before the clock was ahead for a day", got)
		}
		if got := sweep(s, 10*time.Minute); got != 300 {
			t.Errorf("%d removed after a day, want 300", got)
		}
	})
}

// In a file of a version that did not count time, the count begins when the newest result
// was made.
func TestSweeperOfAFileThatDidNotCount(t *testing.T) {
	path := tempFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, Options{})
		for i, expires := range []time.Duration{-time.Hour, day} {
			r := resultOf(idAt(time.Now(), uint64(i)))
			r.ExpiresAt = time.Now().Add(expires)
			if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(passedKey) })
		time.Sleep(100 * day)
		s = open(t, path, Options{})
		defer func() { _ = s.Close() }()
		time.Sleep(10 * time.Minute)
		if got, err := s.Sweep(t.Context()); got != 1 || err != nil {
			t.Errorf("%d removed, %v; want the one that had expired when the newest was made", got, err)
		}
		time.Sleep(day)
		for range 2 {
			if _, err := s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
		}
		if got := expiring(t, s); got != 0 {
			t.Errorf("%d records are left a day later", got)
		}
	})
}
