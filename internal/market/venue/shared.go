package venue

// One fetch for all who ask for the same: at :00 and :05 every rule of a schedule
// and every bot wakes up and wants the same candles.

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// keptSeries bounds what is remembered: of 500 candles it has about 50 KB each.
const keptSeries = 64

// Shared asks its source once where several ask for the same series and time,
// and remembers the newest answers. Errors are not remembered, nor are candles
// that do not reach up to the time asked for, since there may be newer ones soon.
//
// A caller who leaves does not end the fetch for the others; the last one to
// leave does, and waits for it, so that nothing goes on without a caller.
type Shared struct {
	source market.CandleSource

	mu      sync.Mutex
	flights map[question]*flight        // guarded by mu
	kept    map[question]market.Fetched // guarded by mu
	order   []question                  // guarded by mu; of kept, the oldest first
}

// question is what callers have in common. The time is a number, so that equal
// times are equal keys.
type question struct {
	series market.Series
	last   int64
}

// flight is a fetch under way.
type flight struct {
	callers int // guarded by Shared.mu
	cancel  context.CancelFunc
	done    chan struct{} // closed when what follows is set
	fetched market.Fetched
	err     error

	panicked string // what, and where; each caller panics with it
}

// NewShared makes a source that is asked once for many callers.
func NewShared(source market.CandleSource) *Shared {
	return &Shared{source: source, flights: map[question]*flight{}, kept: map[question]market.Fetched{}}
}

// Name is the source's.
func (s *Shared) Name() string { return s.source.Name() }

// Candles gives the source's candles.
func (s *Shared) Candles(ctx context.Context, series market.Series, last time.Time) ([]signal.Candle, error) {
	f, err := s.Fetch(ctx, series, last)
	return f.Candles, err
}

// Fetch gives the source's candles and the venue that they are of. Every caller
// has a list of its own.
func (s *Shared) Fetch(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	if ctx.Err() != nil {
		return market.Fetched{}, s.gone(ctx, series)
	}
	q := question{series, last.Unix()}
	s.mu.Lock()
	if f, is := s.kept[q]; is {
		s.mu.Unlock()
		return copied(f), nil
	}
	f := s.flights[q]
	if f == nil {
		f = s.start(ctx, q, last)
	}
	f.callers++
	s.mu.Unlock()

	select {
	case <-f.done:
		if f.panicked != "" {
			panic(f.panicked)
		}
		if f.err != nil {
			return market.Fetched{}, f.err
		}
		return copied(f.fetched), nil
	case <-ctx.Done():
		s.leave(q, f)
		return market.Fetched{}, s.gone(ctx, series)
	}
}

// gone is the error of a caller who did not wait.
func (s *Shared) gone(ctx context.Context, series market.Series) *market.Error {
	return &market.Error{Kind: market.ErrUnavailable, Venue: s.Name(), Cause: ctx.Err(),
		Message: "there were no candles of " + series.String() + " within the time that was left: give it more, or try again"}
}

// start begins a fetch. mu is held.
func (s *Shared) start(caller context.Context, q question, last time.Time) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(caller))
	f := &flight{cancel: cancel, done: make(chan struct{})}
	s.flights[q] = f
	go func() {
		defer cancel()
		f.fetch(ctx, s.source, q.series, last)
		s.mu.Lock()
		if s.flights[q] == f {
			delete(s.flights, q)
		}
		if f.err == nil {
			s.keep(q, f.fetched)
		}
		s.mu.Unlock()
		close(f.done)
	}()
	return f
}

// fetch asks the source. A panic is for its callers, who may know how to go on
// without these candles: here it would end the process.
func (f *flight) fetch(ctx context.Context, source market.CandleSource, series market.Series, last time.Time) {
	defer func() {
		if cause := recover(); cause != nil {
			f.panicked = fmt.Sprintf("%v\n\n%s", cause, debug.Stack())
		}
	}()
	f.fetched, f.err = market.Fetch(ctx, source, series, last)
}

// leave takes a caller off a fetch, and ends it where it was the last.
func (s *Shared) leave(q question, f *flight) {
	s.mu.Lock()
	f.callers--
	isLast := f.callers == 0
	if isLast && s.flights[q] == f {
		delete(s.flights, q) // who comes now needs one that goes on
	}
	s.mu.Unlock()
	if isLast {
		f.cancel()
		<-f.done
	}
}

// keep remembers an answer that is final. mu is held.
func (s *Shared) keep(q question, f market.Fetched) {
	if n := len(f.Candles); n == 0 || f.Candles[n-1].Time.Unix() != q.last {
		return
	}
	if _, is := s.kept[q]; !is {
		s.order = append(s.order, q)
	}
	s.kept[q] = f
	if len(s.order) > keptSeries {
		delete(s.kept, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

func copied(f market.Fetched) market.Fetched {
	f.Candles, f.Failed = slices.Clone(f.Candles), slices.Clone(f.Failed)
	return f
}
