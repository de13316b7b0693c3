package watch

// Rounds in a process of their own: one after the close of each candle, until the context
// ends.

import (
	"context"
	"time"

	"thalas/internal/market"
	"thalas/internal/service"
)

const (
	// DefaultDelay is the time from a candle's close to its round, since venues need a
	// moment to publish it.
	DefaultDelay = 5 * time.Second
	// mostTries is how often the loop asks about a candle without getting a decision.
	mostTries = 3
	// longestSleep is how long the loop sleeps without reading the clock. The timers of a
	// machine stop while it is suspended, and do not notice when its clock is set.
	longestSleep = 30 * time.Second
)

// retryAfter is the wait before each further try. A failure may ask for a longer one.
var retryAfter = [mostTries - 1]time.Duration{10 * time.Second, 20 * time.Second}

// Clock is the clock of a loop.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with ctx's error when ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// RealClock is the clock of this machine.
type RealClock struct{}

// Now is time.Now.
func (RealClock) Now() time.Time { return time.Now() }

// Sleep waits.
func (RealClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Loop says when rounds are repeated.
type Loop struct {
	Clock Clock
	Delay time.Duration // after the close of a candle; 0: none

	// Tell is called after every round, with the time of the next one. It may be nil.
	Tell func(s Summary, next time.Time)
}

// task is what the loop remembers of a series.
type task struct {
	series   market.Series
	finished time.Time // the newest candle that needs no further try
	trying   time.Time // the candle that was tried without success
	tries    int       // of that candle
	since    time.Time // when it was first tried
	retryAt  time.Time // when it is tried again; zero: never
}

// Loop asks about the candles that have closed, and then about each candle when it closes.
// It returns ctx's error when ctx ends. A candle without a decision is tried mostTries
// times, if a further try may help. If the list has mistakes, Loop returns a
// [signal.FieldErrors] at once.
func (w *Watcher) Loop(ctx context.Context, list List, l Loop) error {
	source, err := w.open(list)
	if err != nil {
		return err
	}
	tasks := make([]*task, len(list.Series))
	for i, series := range list.Series {
		tasks[i] = &task{series: series}
	}
	for {
		now := l.Clock.Now()
		at := now.Add(-l.Delay) // it is too early for candles that closed later
		var due []*task
		round := list
		round.Series = nil
		for _, t := range tasks {
			if t.due(at, now) {
				due = append(due, t)
				round.Series = append(round.Series, t.series)
			}
		}
		var s Summary
		if len(due) > 0 {
			s = w.round(ctx, at, round, source)
			for i, t := range due {
				t.update(&s.Series[i], l.Clock.Now())
			}
		}
		next := tasks[0].next(l.Delay)
		for _, t := range tasks[1:] {
			if n := t.next(l.Delay); n.Before(next) {
				next = n
			}
		}
		if l.Tell != nil && len(due) > 0 {
			l.Tell(s, next)
		}
		if err := l.Clock.Sleep(ctx, min(max(next.Sub(l.Clock.Now()), 0), longestSleep)); err != nil {
			return err
		}
	}
}

// due reports whether to ask about the series now. If the clock was set back, only candles
// that have closed by the new time count as finished. Otherwise a clock that was ahead for
// a while would stop the series until that time comes again.
func (t *task) due(at, now time.Time) bool {
	last := t.series.Timeframe.LastClosed(at)
	if last.Before(t.finished) {
		t.finished, t.trying, t.retryAt = last, time.Time{}, time.Time{}
	}
	return last.After(t.finished) && (last.After(t.trying) || !now.Before(t.retryAt))
}

// update records what became of the series in a round.
func (t *task) update(o *Outcome, now time.Time) {
	if !o.CandleTime.Equal(t.trying) {
		t.trying, t.tries, t.since = o.CandleTime, 0, now
	}
	if o.Status == InProgress && now.Sub(t.since) <= service.OccasionHeld {
		// The other process may have been killed. Then its claim on the candle ends by itself.
		t.retryAt = now.Add(retryAfter[0])
		return
	}
	t.tries++
	unstored := (o.Status == Decided || o.Status == Already) && !o.Stored // another try stores it again
	if open := o.Open() || o.Status == NoCandle || o.Status == InProgress || unstored; open && t.tries < mostTries {
		t.retryAt = now.Add(max(retryAfter[t.tries-1], o.retryAfter))
		return
	}
	t.finished, t.retryAt = o.CandleTime, time.Time{}
}

// next is when to ask about the series again: at the close of the next candle, or earlier
// for another try.
func (t *task) next(delay time.Duration) time.Time {
	newest := t.finished
	if t.trying.After(newest) {
		newest = t.trying
	}
	closes := newest.Add(2 * t.series.Timeframe.Duration()).Add(delay)
	if !t.retryAt.IsZero() && t.retryAt.Before(closes) {
		return t.retryAt
	}
	return closes
}
