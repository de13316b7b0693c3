package service

// What the use cases refuse. A run without a decision is an [orchestrator.Error] and
// wrong input is [signal.FieldErrors]; everything else is an [Error].

import (
	"errors"
	"fmt"
	"time"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// The kinds of [Error], for errors.Is and for clients.
const (
	ErrInFlight      signal.ErrorCode = "idempotency_key_in_flight"
	ErrOtherBody     signal.ErrorCode = "idempotency_key_reused"
	ErrBusy          signal.ErrorCode = "too_many_runs"
	ErrDailyBudget   signal.ErrorCode = "daily_budget"
	ErrRequestBudget signal.ErrorCode = "request_budget"
	ErrNoBudget      signal.ErrorCode = "budget_unknown"
	ErrStore         signal.ErrorCode = "store_unreachable"
	ErrNoSignal      signal.ErrorCode = "no_signal_yet"
	ErrStale         signal.ErrorCode = "stale_signal"
	ErrNotFound      signal.ErrorCode = "unknown_id"
	ErrKeys          signal.ErrorCode = "keys_unavailable"
	ErrProbe         signal.ErrorCode = "probe_not_allowed"
)

// Error is a refusal of the service.
type Error struct {
	Message    string        // for the caller: what happened and what to do next
	RetryAfter time.Duration // when the same request may succeed; 0: repeating it does not help
	kind       signal.ErrorCode
	cause      error // for the log only
}

func (e *Error) Error() string { return e.Message }

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

// unreachable makes the error of a store that does not answer. The message leaves out
// the cause, which may name tables and addresses.
func unreachable(what string, cause error) *Error {
	if errors.Is(cause, store.ErrDamaged) {
		return &Error{Message: fmt.Sprintf("The store is damaged, deleted or replaced, and could not be used %s. The server's log says what is wrong and what to do.", what), RetryAfter: time.Minute, kind: ErrStore, cause: cause}
	}
	return &Error{Message: fmt.Sprintf("The store could not be reached %s. Try again.", what), RetryAfter: time.Second, kind: ErrStore, cause: cause}
}
