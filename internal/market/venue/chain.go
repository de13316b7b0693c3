package venue

// Several venues as one source: if one fails, the next is asked.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"thalas/internal/market"
)

// Chain asks its sources in their order until one gives candles. It goes on after every
// kind of error, since the error of one venue says nothing about the others, and stops
// only when the caller's context ends. It remembers nothing.
type Chain struct{ sources []market.CandleSource }

// NewChain makes a source of several, the first choice first.
func NewChain(sources ...market.CandleSource) *Chain { return &Chain{sources} }

// Name lists the venues.
func (c *Chain) Name() string {
	names := make([]string, len(c.sources))
	for i, s := range c.sources {
		names[i] = s.Name()
	}
	return strings.Join(names, ", ")
}

// Candles gives the candles of the first venue that has them, its name, and the errors of
// the venues before it.
func (c *Chain) Candles(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	var failed []*market.Error
	for _, source := range c.sources {
		f, err := source.Candles(ctx, series, last)
		if err == nil {
			f.Failed = append(failed, f.Failed...)
			return f, nil
		}
		var e *market.Error
		if !errors.As(err, &e) { // which a source should not do
			e = &market.Error{Kind: market.ErrUnavailable, Venue: source.Name(), Message: source.Name() + " gave no candles: " + err.Error(), Cause: err}
		}
		failed = append(failed, e)
		if ctx.Err() != nil {
			break
		}
	}
	return market.Fetched{}, allFailed(ctx, series, failed)
}

// allFailed makes the error of a call in which all venues failed. Its kind is that of the
// first failure that may pass, or otherwise of the first venue that has the series. Its
// RetryAfter is the shortest wait of the failures that may pass.
func allFailed(ctx context.Context, series market.Series, failed []*market.Error) *market.Error {
	switch len(failed) {
	case 0:
		return &market.Error{Kind: market.ErrUnsupported, Message: fmt.Sprintf("no candles of %s: no venue is named; name one of %s", series, strings.Join(Names(), ", "))}
	case 1:
		return failed[0]
	}
	all := &market.Error{Kind: market.ErrUnsupported}
	names, messages := make([]string, len(failed)), make([]string, len(failed))
	passes := false // one of the failures so far may pass
	for i, e := range failed {
		names[i], messages[i] = e.Venue, e.Message
		switch mayPass := e.Kind == market.ErrUnavailable || e.Kind == market.ErrRateLimited; {
		case mayPass && !passes:
			passes = true
			all.Kind, all.Status, all.RetryAfter = e.Kind, e.Status, e.RetryAfter
		case mayPass:
			all.RetryAfter = min(all.RetryAfter, e.RetryAfter)
		case !passes && all.Kind == market.ErrUnsupported:
			all.Kind, all.Status, all.RetryAfter = e.Kind, e.Status, e.RetryAfter
		}
	}
	if ctx.Err() != nil {
		all.Cause = ctx.Err()
	}
	all.Venue = strings.Join(names, ", ")
	all.Message = fmt.Sprintf("no venue gave candles of %s: %s", series, strings.Join(messages, "; "))
	return all
}
