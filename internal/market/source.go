package market

// The interface of public venues, from which candles are fetched.

import (
	"context"
	"time"

	"thalas/internal/signal"
)

// Series is a pair and the length of its candles.
type Series struct {
	Pair      signal.Pair
	Timeframe signal.Timeframe
}

// String writes a series as in BTC/USDT 5m.
func (s Series) String() string { return s.Pair.String() + " " + string(s.Timeframe) }

// CandleSource gives the candles of a public venue. It is safe for concurrent use.
type CandleSource interface {
	// Name gives the venue's name in lower case, such as kraken.
	Name() string

	// Candles gives closed candles of a series, with times, oldest first. last is the open
	// time of the newest candle that the caller wants: timeframe.LastClosed of a scheduled
	// time. No candle opened after last. If nothing was traded in the newest intervals, the
	// newest candle is older than last, but not stale ([IsStale]). Intervals without a
	// trade may be missing, and no candle is made up.
	//
	// There are at most signal.MaxCandles. The indicators want at least 250; a venue that
	// gives fewer in one request gives as many as it can.
	//
	// The error is an [*Error].
	Candles(ctx context.Context, series Series, last time.Time) ([]signal.Candle, error)
}

// Fetched are candles and the name of the venue that gave them. It differs from the
// source's name if the source is a choice of several venues.
type Fetched struct {
	Venue   string
	Candles []signal.Candle
	Failed  []*Error // of the venues that were asked before, in their order
}

// Fetcher is a [CandleSource] that tells which venue answered.
type Fetcher interface {
	CandleSource
	Fetch(ctx context.Context, series Series, last time.Time) (Fetched, error)
}

// Fetch gives the candles of a source as [CandleSource.Candles] does, and the name of
// their venue. The error is an [*Error].
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
