package venue

// Several venues as one source: where one fails the next is asked.

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// How long a venue is left alone that does not say how long. A country does not
// change its law in a minute.
const (
	rateLimitPause = 10 * time.Second
	refusalPause   = 10 * time.Minute
)

// Chain asks its sources in their order until one gives candles. Every kind of
// error leads to the next one: what one venue lacks, limits, or sends broken or
// too old says nothing about another. Only the end of the caller's context ends
// it. A venue that asks to be left alone is left alone for that long, in this
// process, and counts as failed meanwhile.
type Chain struct {
	sources []market.CandleSource

	mu     sync.Mutex
	paused map[string]pause // guarded by mu; by name
}

// pause is how long, and since which answer, a venue is left alone.
type pause struct {
	until time.Time
	after *market.Error
}

// NewChain makes a source of several, the first choice first.
func NewChain(sources ...market.CandleSource) *Chain {
	return &Chain{sources: sources, paused: map[string]pause{}}
}

// Name lists the venues.
func (c *Chain) Name() string {
	names := make([]string, len(c.sources))
	for i, s := range c.sources {
		names[i] = s.Name()
	}
	return strings.Join(names, ", ")
}

// Candles gives the candles of the first venue that has them.
func (c *Chain) Candles(ctx context.Context, series market.Series, last time.Time) ([]signal.Candle, error) {
	f, err := c.Fetch(ctx, series, last)
	return f.Candles, err
}

// Fetch gives the candles of the first venue that has them, its name, and why
// those before it gave none.
func (c *Chain) Fetch(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	var failed []*market.Error
	for _, source := range c.sources {
		if e := c.pausedError(source.Name(), series); e != nil {
			failed = append(failed, e)
			continue
		}
		f, err := market.Fetch(ctx, source, series, last)
		if err == nil {
			f.Failed = append(failed, f.Failed...)
			return f, nil
		}
		e := market.AsError(err, source.Name())
		failed = append(failed, e)
		if ctx.Err() != nil {
			break
		}
		c.leaveAlone(source.Name(), e)
	}
	return market.Fetched{}, c.allFailed(ctx, series, failed)
}

// leaveAlone remembers that a venue asked for a pause.
func (c *Chain) leaveAlone(name string, e *market.Error) {
	wait := e.RetryAfter
	if wait == 0 {
		switch e.Kind {
		case market.ErrRateLimited:
			wait = rateLimitPause
		case market.ErrRefused:
			wait = refusalPause
		default:
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused[name] = pause{time.Now().Add(wait), e}
}

// pausedError is the error of a venue that is left alone, nil for others.
func (c *Chain) pausedError(name string, series market.Series) *market.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, is := c.paused[name]
	rest := time.Until(p.until)
	if !is || rest <= 0 {
		delete(c.paused, name)
		return nil
	}
	e := *p.after
	e.RetryAfter = rest
	e.Message = fmt.Sprintf("%s was not asked for %s: it is left alone for another %s after it answered with status %d (%s); name a further venue, or ask less often",
		name, series, rest.Round(time.Second), e.Status, e.Kind)
	return &e
}

// allFailed is the error of all venues: its kind is that of the first which has
// the series at all, its RetryAfter the shortest wait that any of them asked for.
func (c *Chain) allFailed(ctx context.Context, series market.Series, failed []*market.Error) *market.Error {
	switch len(failed) {
	case 0:
		return &market.Error{Kind: market.ErrUnsupported, Message: fmt.Sprintf("no candles of %s: no venue is named; name one of %s", series, strings.Join(Names(), ", "))}
	case 1:
		return failed[0]
	}
	all := &market.Error{Kind: market.ErrUnsupported}
	names, messages := make([]string, len(failed)), make([]string, len(failed))
	for i, e := range failed {
		names[i], messages[i] = e.Venue, e.Message
		if all.Kind == market.ErrUnsupported {
			all.Kind, all.Status = e.Kind, e.Status
		}
		if e.RetryAfter > 0 && (all.RetryAfter == 0 || e.RetryAfter < all.RetryAfter) {
			all.RetryAfter = e.RetryAfter
		}
	}
	if ctx.Err() != nil {
		all.Cause = ctx.Err()
	}
	all.Venue = strings.Join(names, ", ")
	all.Message = fmt.Sprintf("no venue gave candles of %s: %s", series, strings.Join(messages, "; "))
	return all
}
