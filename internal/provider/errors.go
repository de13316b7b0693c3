package provider

// What can go wrong when a model is asked, as one error type with a kind.

import (
	"context"
	"errors"
	"slices"
	"time"

	"thalas/internal/signal"
)

// The kinds of error, for errors.Is. Each has the wire name of its
// signal.FailureKind.
var (
	ErrAuthentication  error = kindError(signal.FailureAuthentication)
	ErrRateLimit       error = kindError(signal.FailureRateLimit)
	ErrTimeout         error = kindError(signal.FailureTimeout)
	ErrProvider        error = kindError(signal.FailureProvider)
	ErrInvalidResponse error = kindError(signal.FailureInvalidResponse)
	ErrRefusal         error = kindError(signal.FailureRefusal)
	ErrTruncated       error = kindError(signal.FailureTruncated)
	ErrNotNeeded       error = kindError(signal.FailureNotNeeded)
)

type kindError signal.FailureKind

func (k kindError) Error() string { return string(k) }

// Error is a failed attempt. errors.Is compares its kind with the Err values of
// this package; errors.Is(err, context.DeadlineExceeded) holds for a timeout of
// ours and errors.Is(err, context.Canceled) for a cancellation.
type Error struct {
	Kind        signal.FailureKind
	Message     string        // what happened and what to do; holds no key
	Retryable   bool          // whether asking again may help
	RetryAfter  time.Duration // the wait that the provider asked for; 0: none
	Denied      bool          // the provider serves nobody with this account for now, whatever is asked: it is kept out like a refused key
	BillUnknown bool          // the request was sent and may be billed, but nobody told its usage
	Status      int           // HTTP status; 0: there was no answer
	RequestID   string        // the provider's; empty: none
	Usage       Usage         // what the attempt used: an answer that is no vote costs money too
	Model       string        // the model that answered; empty: unknown
	cause       error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives what caused the error, if that was another error.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the Err value of e's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(kindError)
	return ok && signal.FailureKind(k) == e.Kind
}

// AsError gives err as an *Error: as it is where it wraps one, and otherwise by
// what it says of the context. It is nil for nil. An *Error of no known kind
// counts as ErrProvider. The text of a foreign error is cleaned like a
// provider's, since it may hold a URL with a key.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if e == nil { // a nil *Error in an error, which is not nil
			return &Error{Kind: signal.FailureProvider, Message: "failed without saying why"}
		}
		if slices.Contains(kinds[:], e.Kind) {
			return e
		}
		known := *e
		known.Kind = signal.FailureProvider
		return &known
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: signal.FailureTimeout, Message: "no answer within the time", Retryable: true, cause: err}
	case errors.Is(err, context.Canceled):
		return &Error{Kind: signal.FailureNotNeeded, Message: "cancelled before it answered", Retryable: true, cause: err}
	default:
		return &Error{Kind: signal.FailureProvider, Message: cleaner{}.text(err.Error(), maxMessage), cause: err}
	}
}

var kinds = [...]signal.FailureKind{
	signal.FailureAuthentication, signal.FailureRateLimit, signal.FailureTimeout, signal.FailureProvider,
	signal.FailureInvalidResponse, signal.FailureRefusal, signal.FailureTruncated, signal.FailureNotNeeded,
}
