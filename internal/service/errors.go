package service

// What the use cases refuse. Runs without a decision are orchestrator.Error,
// wrong input is signal.FieldErrors, a missing record is store.ErrNotFound.

import (
	"errors"
	"fmt"
	"time"

	"thalas/internal/store"
)

// The kinds of Error, for errors.Is.
var (
	ErrInFlight      = errors.New("idempotency key in flight")
	ErrOtherBody     = errors.New("idempotency key used with another body")
	ErrBusy          = errors.New("too many runs")
	ErrDailyBudget   = errors.New("daily budget used up")
	ErrRequestBudget = errors.New("request over its budget")
	ErrNoBudget      = errors.New("budget cannot be checked")
	ErrStore         = errors.New("store unreachable")
	ErrNoSignal      = errors.New("no signal yet")
	ErrStale         = errors.New("stale signal")
	ErrNotFound      = errors.New("unknown id")
	ErrKeys          = errors.New("provider keys unavailable")
	ErrProbe         = errors.New("probe not allowed")
)

// Error is a refusal of the service.
type Error struct {
	Message    string        // for the caller: what happened and what to do next
	RetryAfter time.Duration // when to come back; 0: coming back does not help
	kind       error
	cause      error // for the log only
}

func (e *Error) Error() string { return e.Message }

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool { return target == e.kind }

// Unwrap gives what caused the error, if that was another error.
func (e *Error) Unwrap() error { return e.cause }

// unreachable is a store that does not answer. The cause stays out of the
// message: it may name tables and addresses.
func unreachable(what string, cause error) *Error {
	if errors.Is(cause, store.ErrDamaged) {
		return &Error{Message: fmt.Sprintf("The store is damaged, deleted or replaced, and could not be used %s. The server's log says what is wrong and what to do.", what), RetryAfter: time.Minute, kind: ErrStore, cause: cause}
	}
	return &Error{Message: fmt.Sprintf("The store could not be reached %s. Try again.", what), RetryAfter: time.Second, kind: ErrStore, cause: cause}
}
