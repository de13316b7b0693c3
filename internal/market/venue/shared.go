package venue

// One fetch for all callers who want the same candles: every five minutes the rules of a
// schedule and the bots ask for the same ones at the same time.

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"thalas/internal/market"
)

// keptSeries is the most answers that are remembered. One of 500 candles has about 50 KB.
const keptSeries = 64

// Shared asks its source once if several callers want the same series and time, and
// remembers the newest answers. It does not remember errors, nor candles that end before
// the wanted time, since newer ones may follow soon.
//
// The fetch goes on when a caller leaves, as long as others wait. The last caller who
// leaves cancels the fetch and waits for its end, so that no fetch goes on without a
// caller.
type Shared struct {
	source market.CandleSource

	mu      sync.Mutex
	flights map[question]*flight // guarded by mu: those under way, and those whose answer is remembered
}

// question is what callers may have in common. The time is a number, because equal
// times are not always equal as map keys.
type question struct {
	series market.Series
	last   int64
}

// flight is a fetch.
type flight struct {
	callers int // guarded by Shared.mu
	cancel  context.CancelFunc
	done    chan struct{} // closed when what follows is set
	fetched market.Fetched
	err     error

	panicked string // the panic and its stack; each caller panics with it
}

// NewShared makes a source that asks the given one once for many callers.
func NewShared(source market.CandleSource) *Shared {
	return &Shared{source: source, flights: map[question]*flight{}}
}

// Name gives the source's name.
func (s *Shared) Name() string { return s.source.Name() }

// Candles gives the source's candles and their venue. Every caller gets a list of its own.
func (s *Shared) Candles(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	if ctx.Err() != nil {
		return market.Fetched{}, s.gone(ctx, series)
	}
	q := question{series, last.Unix()}
	s.mu.Lock()
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
		return market.Fetched{Venue: f.fetched.Venue, Candles: slices.Clone(f.fetched.Candles), Failed: slices.Clone(f.fetched.Failed)}, nil
	case <-ctx.Done():
		s.leave(q, f)
		return market.Fetched{}, s.gone(ctx, series)
	}
}

// gone makes the error of a caller whose context has ended.
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
		n := len(f.fetched.Candles)
		isFinal := f.err == nil && n > 0 && f.fetched.Candles[n-1].Time.Unix() == q.last
		s.mu.Lock()
		if !isFinal && s.flights[q] == f {
			delete(s.flights, q)
		}
		s.mu.Unlock()
		close(f.done)
	}()
	if len(s.flights) > keptSeries {
		delete(s.flights, slices.MinFunc(slices.Collect(maps.Keys(s.flights)), func(a, b question) int { return cmp.Compare(a.last, b.last) }))
	}
	return f
}

// fetch asks the source. It passes a panic on to the callers, who may be able to go on
// without candles; in this goroutine it would end the process.
func (f *flight) fetch(ctx context.Context, source market.CandleSource, series market.Series, last time.Time) {
	defer func() {
		if cause := recover(); cause != nil {
			f.panicked = fmt.Sprintf("%v\n\n%s", cause, debug.Stack())
		}
	}()
	f.fetched, f.err = source.Candles(ctx, series, last)
}

// leave removes a caller from a fetch, and cancels the fetch if it was the last one.
func (s *Shared) leave(q question, f *flight) {
	s.mu.Lock()
	f.callers--
	isLast := f.callers == 0
	if isLast && s.flights[q] == f {
		delete(s.flights, q) // a new caller needs a fetch that is not cancelled
	}
	s.mu.Unlock()
	if isLast {
		f.cancel()
		<-f.done
	}
}
