package provider

// The errors of asking a model: one type, with a kind.

import (
	"context"
	"errors"
	"slices"
	"time"

	"thalas/internal/signal"
)

// The kinds of error, for errors.Is. Each is the wire name of its [signal.FailureKind].
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

var kinds = []error{ErrAuthentication, ErrRateLimit, ErrTimeout, ErrProvider, ErrInvalidResponse, ErrRefusal, ErrTruncated, ErrNotNeeded}

type kindError signal.FailureKind

func (k kindError) Error() string { return string(k) }

// Error is a failed attempt. errors.Is compares its kind with the Err values of this
// package. It wraps context.DeadlineExceeded if the caller's time was over, and
// context.Canceled if the caller cancelled.
type Error struct {
	Kind        signal.FailureKind
	Message     string        // what happened and what to do; holds no key
	Retryable   bool          // whether asking again may help
	RetryAfter  time.Duration // the wait that the provider asked for; 0: none
	Denied      bool          // the provider refuses the whole account for now, whatever is asked
	BillUnknown bool          // the request was sent and may be billed, but its usage is not known
	NoRoute     bool          // of a Check: the server may have no list of models, so this says nothing
	Status      int           // HTTP status; 0: there was no answer
	RequestID   string        // the provider's id of the call; empty: none
	Usage       Usage         // what the attempt used: an answer that is not a vote costs money too
	Model       string        // the model that answered; empty: unknown
	cause       error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the error that caused e, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the Err value of e's kind.
func (e *Error) Is(target error) bool { return target == kindError(e.Kind) }

// AsError gives err as an [Error]: the one that it wraps, and otherwise a new one whose
// kind depends on whether a context ended. It is nil for nil. An Error of an unknown kind
// becomes ErrProvider. The text of a foreign error is cleaned like a provider's, since it
// may hold a URL with a key.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if e == nil { // a nil *Error in an error, which is not nil
			return &Error{Kind: signal.FailureProvider, Message: "failed without saying why"}
		}
		if slices.Contains(kinds, error(kindError(e.Kind))) {
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
