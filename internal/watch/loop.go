package watch

// Rounds in a process of one's own: after the close of each candle, until told to
// end.

import (
	"context"
	"time"

	"thalas/internal/market"
	"thalas/internal/service"
)

const (
	// DefaultDelay is how long after a candle's close its round begins: venues take
	// a moment to have it.
	DefaultDelay = 5 * time.Second
	// tries is how often a candle is asked about whose series stays open.
	tries = 3
	// look is how long the loop goes without a look at the clock. The timers of a
	// machine stand still while it sleeps, and do not notice that its clock is set.
	look = 30 * time.Second
)

// retryAfter is the wait before each further try where the failure names no other.
var retryAfter = [tries - 1]time.Duration{10 * time.Second, 20 * time.Second}

// Clock is the time that a loop goes by.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with ctx's error when that ends.
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

// Loop is how rounds are repeated.
type Loop struct {
	Clock Clock
	Delay time.Duration // after the close of a candle; 0: none

	// Tell is told of every round when it has ended, and when the next one begins.
	Tell func(s Summary, next time.Time)
}

// task is a series on its way through the candles.
type task struct {
	series market.Series
	candle time.Time // the newest that is done with
	trying time.Time // the one that stayed open
	tried  int       // how often
	since  time.Time // when it was tried first
	again  time.Time // when it is tried again; zero: it is not
}

// Loop asks about the candles that have closed, and then about each as it
// closes, until ctx ends, whose error it returns. A series that stays open is
// tried again soon, as often as tries says; its candle is then given up. Mistakes
// of the list end it at once: signal.FieldErrors.
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
		at := now.Add(-l.Delay) // candles that closed later are not asked about yet
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
				t.ended(&s.Series[i], l.Clock.Now())
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
		if err := l.Clock.Sleep(ctx, min(max(next.Sub(l.Clock.Now()), 0), look)); err != nil {
			return err
		}
	}
}

// due reports whether there is something to ask about the series. Where the clock
// was set back, what is done with is only what had closed by then: a clock that was
// ahead for a while must not silence a series until it is there again.
func (t *task) due(at, now time.Time) bool {
	last := t.series.Timeframe.LastClosed(at)
	if last.Before(t.candle) {
		t.candle, t.trying, t.again = last, time.Time{}, time.Time{}
	}
	return last.After(t.candle) && (last.After(t.trying) || !now.Before(t.again))
}

// ended takes in what became of the series.
func (t *task) ended(o *Outcome, now time.Time) {
	if !o.CandleTime.Equal(t.trying) {
		t.trying, t.tried, t.since = o.CandleTime, 0, now
	}
	if o.Status == InProgress && now.Sub(t.since) <= service.OccasionHeld {
		// Who is at it may have been killed: then the candle is free when its claim has ended.
		t.again = now.Add(retryAfter[0])
		return
	}
	t.tried++
	unstored := (o.Status == Decided || o.Status == Already) && !o.Stored // who asks again has it written again
	if open := o.Open() || o.Status == NoCandle || o.Status == InProgress || unstored; open && t.tried < tries {
		t.again = now.Add(max(retryAfter[t.tried-1], o.retryAfter))
		return
	}
	t.candle, t.again = o.CandleTime, time.Time{}
}

// next is when there is something to do for the series again: the close of the
// candle that follows, or another try before it.
func (t *task) next(delay time.Duration) time.Time {
	newest := t.candle
	if t.trying.After(newest) {
		newest = t.trying
	}
	closes := newest.Add(2 * t.series.Timeframe.Duration()).Add(delay)
	if !t.again.IsZero() && t.again.Before(closes) {
		return t.again
	}
	return closes
}
