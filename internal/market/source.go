package market

// The interface of public venues, from which candles are fetched, and its error.

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

// CandleSource gives the candles of a public venue, or of one of several. It is safe for
// concurrent use.
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
	Candles(ctx context.Context, series Series, last time.Time) (Fetched, error)
}

// Fetched are candles and the name of the venue that gave them. It differs from the
// source's name if the source is a choice of several venues.
type Fetched struct {
	Venue   string
	Candles []signal.Candle
	Failed  []*Error // of the venues that were asked before, in their order
}

// Kind says what went wrong. It is a stable word for summaries and metrics, and an error
// for errors.Is.
type Kind string

// The kinds of error.
const (
	ErrStaleData   Kind = "stale_data"    // the newest closed candle is older than two timeframes
	ErrUnsupported Kind = "unsupported"   // the venue has no such pair or timeframe
	ErrRateLimited Kind = "rate_limited"  // status 429, or the venue's own error for too many requests
	ErrRefused     Kind = "venue_refused" // status 451 or 403: the venue does not serve this address
	ErrUnavailable Kind = "unavailable"   // status 5xx, no connection, or no answer in time
	ErrMalformed   Kind = "malformed"     // an answer that can't be right: HTML, wrong types, contradictory rows
)

func (k Kind) Error() string { return string(k) }

// Error says why a venue gave no candles. errors.Is compares its kind with the Err
// constants of this package. It wraps context.DeadlineExceeded after the caller's
// deadline, and context.Canceled after a cancellation.
type Error struct {
	Kind       Kind
	Venue      string        // in lower case; if several venues failed, all of them with commas between
	Status     int           // HTTP status; 0: there was no answer
	RetryAfter time.Duration // how long the venue asks not to be called; 0: it did not say
	Message    string        // what happened at which venue, and what to do next
	Cause      error         // the error that caused it, or nil
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the kind, and what caused the error.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Cause} }
