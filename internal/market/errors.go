package market

// What can go wrong when a venue is asked, as one error type with a kind.

import (
	"errors"
	"time"
)

// Kind is what went wrong: a stable word for summaries and metrics, and an error
// for errors.Is.
type Kind string

// The kinds of error.
const (
	ErrStaleData   Kind = "stale_data"    // the newest closed candle is older than two timeframes
	ErrUnsupported Kind = "unsupported"   // the venue has no such pair or timeframe
	ErrRateLimited Kind = "rate_limited"  // 429, or the venue's own word for it
	ErrRefused     Kind = "venue_refused" // 451 or 403: the venue serves nobody at this address
	ErrUnavailable Kind = "unavailable"   // 5xx, no connection, no answer in time
	ErrMalformed   Kind = "malformed"     // an answer that can't be believed: HTML, wrong types, contradictory rows
)

func (k Kind) Error() string { return string(k) }

// Error is a series that a venue did not give. errors.Is compares its kind with
// the Err values of this package; errors.Is(err, context.DeadlineExceeded) holds
// for a time limit of the caller and errors.Is(err, context.Canceled) for a
// cancellation.
type Error struct {
	Kind       Kind
	Venue      string        // lower case; several, with commas between, where all of them failed
	Status     int           // HTTP status; 0: there was no answer
	RetryAfter time.Duration // how long the venue asks to be left alone; 0: it did not say
	Message    string        // what happened at which venue, and what to do next
	Cause      error         // what caused it, if that was another error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives what caused the error.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// AsError gives err as an *Error: as it is where it wraps one, and otherwise, for
// a source that breaks its word, as ErrUnavailable of that venue. It is nil for nil.
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
