package venue

// Several venues as one source: where one fails the next is asked.

import (
	"context"
	"fmt"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// Chain asks its sources in their order until one gives candles. Every kind of
// error leads to the next one: what one venue lacks, limits, or sends broken or
// too old says nothing about another. Only the end of the caller's context ends
// it. It remembers nothing.
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
		f, err := market.Fetch(ctx, source, series, last)
		if err == nil {
			f.Failed = append(failed, f.Failed...)
			return f, nil
		}
		failed = append(failed, market.AsError(err, source.Name()))
		if ctx.Err() != nil {
			break
		}
	}
	return market.Fetched{}, allFailed(ctx, series, failed)
}

// allFailed is the error of all venues. Its kind is that of the first whose failure
// may pass, else of the first that has the series at all; its RetryAfter is the
// shortest wait until one whose failure may pass can be asked again.
func allFailed(ctx context.Context, series market.Series, failed []*market.Error) *market.Error {
	switch len(failed) {
	case 0:
		return &market.Error{Kind: market.ErrUnsupported, Message: fmt.Sprintf("no candles of %s: no venue is named; name one of %s", series, strings.Join(Names(), ", "))}
	case 1:
		return failed[0]
	}
	all := &market.Error{Kind: market.ErrUnsupported}
	names, messages := make([]string, len(failed)), make([]string, len(failed))
	passes := false // the failure of one that came so far
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
