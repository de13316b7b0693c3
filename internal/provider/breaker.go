package provider

// The Breaker keeps runs from waiting for a provider that does not work.

import (
	"net/http"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"thalas/internal/signal"
)

const (
	breakerFailures = 5  // of the last
	breakerCalls    = 10 // calls open it
	breakerDelay    = 30 * time.Second

	// shortBudget is below what a fair provider can be held to: a timeout inside
	// it says more about the caller.
	shortBudget = 5 * time.Second
)

// BreakerState is what a Breaker lets through.
type BreakerState string

// The states.
const (
	BreakerClosed   BreakerState = "closed"    // every call
	BreakerOpen     BreakerState = "open"      // none
	BreakerHalfOpen BreakerState = "half-open" // one, to see whether the provider works again
)

// Breaker judges one provider by its calls: 5 failures of the last 10 keep it
// out for 30 seconds, then one call probes it. A wrong key keeps it out until a
// call proves a key, and a wait that it asked for is kept. The zero Breaker is
// not ready; NewBreaker makes one. It is safe for concurrent use.
type Breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]

	mu       sync.Mutex
	probing  bool      // guarded by mu: the one call of the half-open state is under way
	wrongKey bool      // guarded by mu
	until    time.Time // guarded by mu: the end of the wait that the provider asked for
}

// NewBreaker makes a closed one.
func NewBreaker() *Breaker {
	return &Breaker{circuit: circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(breakerFailures, breakerCalls).
		WithDelay(breakerDelay).
		WithSuccessThreshold(1).
		Build()}
}

// TryAcquire reports whether the provider may be called now. Whoever got a true
// tells by Record how the call ended.
func (b *Breaker) TryAcquire() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blocked() != "" || !b.circuit.TryAcquirePermit() {
		return false
	}
	b.probing = b.circuit.IsHalfOpen()
	return true
}

// Record takes in how a call ended: nil is a vote. Calls that say nothing about
// the provider, because they were not needed, ran out of our quota, had less than
// 5 s, or were refused for what was asked, change nothing: no caller can keep a
// provider out for the others. budget is the time that the call had.
func (b *Breaker) Record(err *Error, budget time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if err == nil {
		b.wrongKey = false
	}
	switch {
	case err == nil, err.Kind == signal.FailureRefusal, err.Kind == signal.FailureTruncated: // it works: the answer was the model's
		b.circuit.RecordSuccess()
	case err.Kind == signal.FailureAuthentication:
		b.wrongKey = true
		b.neutral()
	case err.Kind == signal.FailureNotNeeded,
		err.Kind == signal.FailureProvider && isAboutRequest(err.Status),
		err.Kind == signal.FailureRateLimit && !err.Retryable,
		err.Kind == signal.FailureTimeout && budget < shortBudget:
		b.neutral()
	default:
		b.circuit.RecordFailure()
	}
	if err != nil && err.RetryAfter > 0 {
		if until := time.Now().Add(err.RetryAfter); until.After(b.until) {
			b.until = until
		}
	}
}

// isAboutRequest reports whether a status is about what this request held.
func isAboutRequest(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

// Release gives back what TryAcquire gave, where no call was made.
func (b *Breaker) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.neutral()
}

// Proved tells that a free call has shown a working key.
func (b *Breaker) Proved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrongKey = false
}

// neutral gives a half-open circuit its one permit back, which the library does
// only together with a verdict.
func (b *Breaker) neutral() {
	if b.circuit.IsHalfOpen() {
		b.circuit.Open()
		b.circuit.HalfOpen()
	}
}

// State says what is let through now.
func (b *Breaker) State() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.blocked() != "":
		return BreakerOpen
	case b.circuit.IsClosed():
		return BreakerClosed
	case b.circuit.IsHalfOpen(), b.circuit.RemainingDelay() <= 0:
		return BreakerHalfOpen
	}
	return BreakerOpen
}

// Reason says why the provider may not be called now; empty: it may.
func (b *Breaker) Reason() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if why := b.blocked(); why != "" {
		return why
	}
	switch {
	case b.circuit.IsOpen() && b.circuit.RemainingDelay() > 0:
		return "it failed too often: it is tried again in " + b.circuit.RemainingDelay().Round(time.Second).String()
	case b.circuit.IsHalfOpen() && b.probing:
		return "it failed too often: one call is trying it again"
	}
	return ""
}

// blocked says what keeps the provider out beside its failures.
func (b *Breaker) blocked() string {
	switch wait := time.Until(b.until); {
	case b.wrongKey:
		return "its key was refused: set another one"
	case wait > 0:
		return "it asked to wait another " + wait.Round(100*time.Millisecond).String()
	}
	return ""
}
