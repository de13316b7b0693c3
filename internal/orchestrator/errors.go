package orchestrator

// The error of a run without a decision. Clients of the original system compare its texts.

import (
	"fmt"
	"slices"
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

// Error says why a run has no decision. Such a run is never a HOLD.
type Error struct {
	RunID      string           // as in the log
	Have, Need int              // the quorum: votes, or available providers
	Votes      []signal.Vote    // by provider name
	Failures   []signal.Failure // every available provider that gave no vote, by name
	RetryAfter time.Duration    // the wait after which enough providers may be asked again; 0 if none is known
	Total      Total            // what the run used
	Cause      error            // for the log; may be nil
	kind       signal.ErrorCode
}

// Total is what all attempts of a run used, as far as it is known.
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

// sentence is the text without the numbers, as it is logged.
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

// Unwrap gives the kind of e, for errors.Is and [signal.CodeOf], and its cause.
func (e *Error) Unwrap() []error { return []error{e.kind, e.Cause} }

// TimedOut reports whether at least one provider did not answer in time.
func (e *Error) TimedOut() bool {
	return slices.ContainsFunc(e.Failures, func(f signal.Failure) bool { return f.Error == signal.FailureTimeout })
}

// Retryable reports whether the same request may succeed later: whether the votes and the
// temporary failures together would reach the quorum.
func (e *Error) Retryable() bool {
	possible := e.Have
	for _, f := range e.Failures {
		if f.Retryable {
			possible++
		}
	}
	return e.kind == ErrInsufficientResponses && possible >= e.Need
}
