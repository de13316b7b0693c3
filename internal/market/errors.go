package market

// The error of a venue that gave no candles.

import (
	"errors"
	"time"
)

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

// Unwrap gives what caused the error.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// AsError gives the [*Error] that err wraps. If err wraps none, which a source should not
// do, AsError makes an ErrUnavailable of it. It gives nil for nil.
func AsError(err error, venue string) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e
	}
	return &Error{Kind: ErrUnavailable, Venue: venue, Message: venue + " gave no candles: " + err.Error(), Cause: err}
}
