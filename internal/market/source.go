package market

// Where candles come from: the interface of a public venue, and what a caller
// is told of the answer beside the candles.

import (
	"context"
	"time"

	"thalas/internal/signal"
)

// Series is what candles are of.
type Series struct {
	Pair      signal.Pair
	Timeframe signal.Timeframe
}

// String is as in BTC/USDT 5m.
func (s Series) String() string { return s.Pair.String() + " " + string(s.Timeframe) }

// CandleSource gives the candles of a public venue. Safe for concurrent use.
type CandleSource interface {
	// Name is the venue's, in lower case, such as kraken.
	Name() string

	// Candles gives closed candles of a series, with times, oldest first, none
	// that opened after last, which is the open time of the last candle that the
	// caller means: timeframe.LastClosed of a scheduled time. The newest is the one
	// that opened at last or, where nothing has been traded since, an older one that
	// is not yet stale. There are at most signal.MaxCandles, and as many of the at
	// least 250 that the indicators want as the venue has in one request.
	// Intervals without a trade may be missing; none is made up.
	// Errors: *Error.
	Candles(ctx context.Context, series Series, last time.Time) ([]signal.Candle, error)
}

// Fetched are candles and the venue that gave them, which is not the name of
// the source where the source is a choice of several.
type Fetched struct {
	Venue   string
	Candles []signal.Candle
	Failed  []*Error // of the venues that were to be asked before, in their order
}

// Fetcher is a CandleSource that tells which venue answered.
type Fetcher interface {
	CandleSource
	Fetch(ctx context.Context, series Series, last time.Time) (Fetched, error)
}

// Fetch gives the candles of a source as CandleSource.Candles does, and the
// venue that they are of. Errors: *Error.
func Fetch(ctx context.Context, source CandleSource, series Series, last time.Time) (Fetched, error) {
	if f, ok := source.(Fetcher); ok {
		return f.Fetch(ctx, series, last)
	}
	candles, err := source.Candles(ctx, series, last)
	if err != nil {
		return Fetched{}, err
	}
	return Fetched{Venue: source.Name(), Candles: candles}, nil
}
