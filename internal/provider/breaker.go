package provider

// The Breaker keeps runs from waiting for a provider that does not work.

import (
	"fmt"
	"sync"
	"time"

	"thalas/internal/signal"
)

const (
	breakerFailures = 8               // calls that fail in a row: fewer may be bad luck
	failingDelay    = 5 * time.Second // until a failing provider is asked again; doubles
	maxFailingDelay = time.Minute
	refusedDelay    = 30 * time.Second // until a refused key or account is tried again; doubles
	maxWait         = 15 * time.Minute // nobody is kept out for longer without being asked

	// shortPatience is how long a provider waits for a run with its whole time before
	// one with less may try it.
	shortPatience = time.Minute
)

// BreakerState is what a Breaker lets through.
type BreakerState string

// The states.
const (
	BreakerClosed   BreakerState = "closed"    // every call
	BreakerOpen     BreakerState = "open"      // none
	BreakerHalfOpen BreakerState = "half-open" // one, to see whether the provider works again
)

// LeftOut says why a provider is not asked now, and when it is tried again.
type LeftOut struct {
	Reason signal.LeftOutReason
	Until  time.Time // may have passed: then one call is trying the provider, or may
	words  string    // what the provider said of its account or key
}

// Passes reports whether waiting helps. A refused key or account is tried again
// too, but for the case that the refusal was wrong.
func (l LeftOut) Passes() bool {
	return l.Reason == signal.LeftOutFailing || l.Reason == signal.LeftOutAskedToWait
}

// Message says why, and when the provider is tried again.
func (l LeftOut) Message(name string) string {
	why := l.words
	switch l.Reason {
	case signal.LeftOutFailing:
		why = fmt.Sprintf("%s failed %d times in a row", name, breakerFailures)
	case signal.LeftOutAskedToWait:
		why = name + " asked to wait"
	}
	wait := time.Until(l.Until)
	if wait <= 0 {
		return "not asked until another run has tried it: " + why
	}
	return fmt.Sprintf("not asked for another %s: %s", max(wait.Round(time.Second), time.Second), why)
}

// Breaker judges one provider by its calls, each after its retries. Eight that
// failed in a row, a refused key or account, and used-up credit keep it out for a
// while; then one call tries it again, and the while grows with every try that
// fails. A wait that the provider asked for is kept too, and needs no try.
//
// What is about one request never keeps a provider out for another: refusals,
// sizes, models, and timeouts of callers who gave less than the whole time. The
// zero Breaker is ready, and a nil one lets every call through. It is safe for
// concurrent use.
type Breaker struct {
	mu       sync.Mutex
	failures int       // guarded by mu: calls that failed in a row
	outage   *outage   // guarded by mu; nil: the provider works as far as is known
	wait     time.Time // guarded by mu: the end of the wait that the provider asked for
}

// outage is a provider that is kept out.
type outage struct {
	LeftOut
	delay   time.Duration // the next one, where a try fails
	probing bool          // one call is trying the provider
	short   time.Time     // when a call with less than its whole time last tried it
}

// Permit is the leave to make one call. Every Permit ends by one Record or Release.
type Permit struct {
	breaker *Breaker // nil: nobody keeps count
	whole   bool     // the call has the whole time that the configuration gives
	probe   *outage  // the outage that the call decides on; nil: none
}

// NewBreaker makes a closed one.
func NewBreaker() *Breaker { return &Breaker{} }

// Acquire gives leave for one call now, or says why there is none. whole tells
// whether the call has at least 90 % of the time that the configuration gives: a
// call with less decides nothing.
func (b *Breaker) Acquire(whole bool) (Permit, *LeftOut) { return b.acquire(whole, false) }

// Insist gives leave where Acquire does not because of failures, a refused key or a
// refused account: for a run that can't reach its quorum otherwise. A wait that the
// provider asked for, and used-up credit, stand.
func (b *Breaker) Insist(whole bool) (Permit, *LeftOut) { return b.acquire(whole, true) }

func (b *Breaker) acquire(whole, insist bool) (Permit, *LeftOut) {
	permit := Permit{b, whole, nil}
	if b == nil {
		return permit, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, o := time.Now(), b.outage
	switch left := b.leftOut(now); {
	case left == nil && o == nil: // it works
		return permit, nil
	case left == nil && whole: // it is due
		o.probing, permit.probe = true, o
		return permit, nil
	case left == nil && now.Sub(o.Until) >= shortPatience && now.Sub(o.short) >= shortPatience:
		o.short = now
		return permit, nil
	case insist && !b.wait.After(now) && o.Reason != signal.LeftOutNoCredit:
		return permit, nil
	case left == nil:
		return permit, new(o.LeftOut)
	default:
		return permit, left
	}
}

// leftOut says why no call may be made; nil: one may.
func (b *Breaker) leftOut(now time.Time) *LeftOut {
	switch {
	case b.outage != nil && (b.outage.probing || b.outage.Until.After(now)):
		left := b.outage.LeftOut
		if b.wait.After(left.Until) {
			left.Until = b.wait
		}
		return &left
	case b.wait.After(now):
		return &LeftOut{Reason: signal.LeftOutAskedToWait, Until: b.wait}
	}
	return nil
}

// Record takes in how the call ended: nil is a vote.
func (p Permit) Record(err *Error) {
	b := p.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	p.release()
	if err == nil {
		b.works()
		return
	}
	switch {
	case err.Kind == signal.FailureAuthentication:
		p.keepOut(LeftOut{signal.LeftOutKeyRefused, now.Add(refusedDelay), err.Message}, maxWait)
	case err.Denied:
		p.keepOut(LeftOut{signal.LeftOutAccessDenied, now.Add(refusedDelay), err.Message}, maxWait)
	case err.Kind == signal.FailureRateLimit && !err.Retryable:
		wait := maxWait
		if err.RetryAfter > 0 {
			wait = min(err.RetryAfter, maxWait)
		}
		p.keepOut(LeftOut{signal.LeftOutNoCredit, now.Add(wait), err.Message}, wait)
		return // the wait is in it
	case err.Kind == signal.FailureRefusal, err.Kind == signal.FailureTruncated: // it works: the answer was the model's
		b.works()
	case p.counts(err):
		if b.failures++; b.outage != nil || b.failures >= breakerFailures {
			p.keepOut(LeftOut{Reason: signal.LeftOutFailing, Until: now.Add(failingDelay)}, maxFailingDelay)
		}
	}
	if until := now.Add(min(err.RetryAfter, maxWait)); err.RetryAfter > 0 && until.After(b.wait) {
		b.wait = until
	}
}

// counts reports whether a failure says that the provider does not work. Those
// that were not needed, came too fast, were about the request, or had less than
// their whole time say nothing.
func (p Permit) counts(err *Error) bool {
	switch err.Kind {
	case signal.FailureNotNeeded:
		return false
	case signal.FailureRateLimit:
		return err.Status == statusOverloaded
	case signal.FailureTimeout:
		return p.whole
	case signal.FailureProvider:
		return err.Retryable || err.Status == 0 // else the provider answered that this request is wrong
	}
	return true
}

// keepOut begins an outage whose first delay is the time until left.Until; later
// ones double up to most. One that stands already grows where the call was to
// decide on it; other calls of before and beside it change nothing, but that a
// refusal says more than failures.
func (p Permit) keepOut(left LeftOut, most time.Duration) {
	b := p.breaker
	o := b.outage
	switch {
	case o == nil:
		b.outage = &outage{LeftOut: left, delay: min(2*time.Until(left.Until), most)}
	case o.Reason == signal.LeftOutFailing && left.Reason != o.Reason, p.probe == o && (left.Reason != o.Reason || left.Reason == signal.LeftOutNoCredit):
		o.LeftOut, o.delay, o.short = left, min(2*time.Until(left.Until), most), time.Time{} // a probe under way still decides on it
	case p.probe == o:
		o.Until, o.delay = time.Now().Add(o.delay), min(2*o.delay, most)
	}
}

// works ends an outage: the provider has answered.
func (b *Breaker) works() { b.failures, b.outage = 0, nil }

// Release gives back a Permit whose call was not made.
func (p Permit) Release() {
	if p.breaker == nil {
		return
	}
	p.breaker.mu.Lock()
	defer p.breaker.mu.Unlock()
	p.release()
}

// release lets another call decide, where this one was to.
func (p Permit) release() {
	if p.probe != nil {
		p.probe.probing = false
	}
}

// Proved tells that a free call has shown a working key.
func (b *Breaker) Proved() {
	b.letIn(signal.LeftOutKeyRefused, signal.LeftOutAccessDenied)
}

// Replaced tells that there is another key: the account may be another one too.
func (b *Breaker) Replaced() {
	b.letIn(signal.LeftOutKeyRefused, signal.LeftOutAccessDenied, signal.LeftOutNoCredit)
}

func (b *Breaker) letIn(reasons ...signal.LeftOutReason) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, reason := range reasons {
		if b.outage != nil && b.outage.Reason == reason {
			b.outage = nil
		}
	}
}

// State says what is let through now.
func (b *Breaker) State() BreakerState {
	if b == nil {
		return BreakerClosed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch now := time.Now(); {
	case b.outage != nil && (b.outage.probing || !b.outage.Until.After(now)) && !b.wait.After(now):
		return BreakerHalfOpen
	case b.outage != nil || b.wait.After(now):
		return BreakerOpen
	}
	return BreakerClosed
}

// LeftOut says why the provider is not asked now; nil: it is.
func (b *Breaker) LeftOut() *LeftOut {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leftOut(time.Now())
}
