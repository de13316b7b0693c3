package orchestrator

// A run without a decision. The texts are the original system's: clients match on them.

import (
	"fmt"
	"time"

	"thalas/internal/signal"
)

// The kinds of [Error], for errors.Is and for clients.
const (
	ErrNoProviders           signal.ErrorCode = "no_providers"
	ErrInsufficientProviders signal.ErrorCode = "insufficient_providers"
	ErrInsufficientResponses signal.ErrorCode = "insufficient_responses"
	ErrAggregation           signal.ErrorCode = "aggregation_failed"
	ErrCanceled              signal.ErrorCode = "canceled"
)

// Error is a run that came to no decision: a missing quorum, never a HOLD.
type Error struct {
	RunID      string           // the run, as in the log
	Have, Need int              // the quorum: votes or available providers
	Votes      []signal.Vote    // that came all the same, by name
	Failures   []signal.Failure // every available provider that gave no vote, by name
	RetryAfter time.Duration    // when enough providers may be asked again; 0: now, as far as is known
	Total      Total            // what the run used all the same
	kind       signal.ErrorCode
	cause      error
}

// Total is what a run used, over all attempts that are known.
type Total struct {
	LatencyMS float64
	CostUSD   float64
	Tokens    int
}

func (e *Error) Error() string {
	if e.Need > 0 {
		return fmt.Sprintf("%s %d < %d", e.sentence(), e.Have, e.Need)
	}
	return e.sentence()
}

// sentence is the text up to its first value, as it is logged.
func (e *Error) sentence() string {
	switch e.kind {
	case ErrNoProviders:
		return "No available providers in registry"
	case ErrInsufficientProviders:
		return "Insufficient available providers:"
	case ErrInsufficientResponses:
		return "Insufficient successful provider responses:"
	case ErrCanceled:
		return "The run was cancelled before it was decided"
	default:
		return "Failed to aggregate consensus"
	}
}

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool { return target == e.kind }

// As gives e's kind to [signal.CodeOf].
func (e *Error) As(target any) bool {
	code, wanted := target.(*signal.ErrorCode)
	if wanted {
		*code = e.kind
	}
	return wanted
}

// Unwrap gives what caused the error, if that was another error.
func (e *Error) Unwrap() error { return e.cause }

// TimedOut reports whether at least one provider failed for want of time.
func (e *Error) TimedOut() bool {
	for _, f := range e.Failures {
		if f.Error == signal.FailureTimeout {
			return true
		}
	}
	return false
}

// Retryable reports whether the same request may succeed later as things stand:
// the votes and the failures that may pass together reach the quorum.
func (e *Error) Retryable() bool {
	may := e.Have
	for _, f := range e.Failures {
		if f.Retryable {
			may++
		}
	}
	return e.kind == ErrInsufficientResponses && may >= e.Need
}
