package provider

// The circuit breaker of a provider: it saves runs from waiting for a provider that does
// not work.

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"thalas/internal/signal"
)

const (
	breakerFailures = 8               // failed calls in a row that open the breaker: fewer may be bad luck
	failingDelay    = 5 * time.Second // until a failing provider is tried again; doubles
	maxFailingDelay = time.Minute
	refusedDelay    = 30 * time.Second // until a refused key or account is tried again; doubles
	maxWait         = 15 * time.Minute // the longest time without a try

	// shortPatience is how long a try is reserved for a run with its whole time before
	// one with less may make it.
	shortPatience = time.Minute
)

// BreakerState is what a Breaker lets through.
type BreakerState string

// The states.
const (
	BreakerClosed   BreakerState = "closed"    // every call
	BreakerOpen     BreakerState = "open"      // none
	BreakerHalfOpen BreakerState = "half-open" // one call, to try whether the provider works again
)

// LeftOut says why a provider is not asked now, and when it is tried again.
type LeftOut struct {
	Reason signal.LeftOutReason
	Until  time.Time // if this has passed, one call is trying the provider, or may
	words  string    // what the provider said about its account or key
}

// Passes reports whether waiting helps. It does not help against a refused key or account,
// although those are tried again too, in case the refusal was a mistake.
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

// Breaker decides whether a provider is asked, by the calls before; a call is one
// question with all its retries. Eight failed calls in a row, a refused key or account, and
// used-up credit keep the provider out for a while. Then one call tries it, and with every
// failed try the next while is longer. A wait that the provider asked for is kept too; no
// try is needed after it.
//
// Failures that are about one request never keep a provider out for others: refusals,
// sizes, models, and timeouts of callers who gave less than the whole time. The zero
// Breaker is ready for use, and a nil one lets every call through. It is safe for concurrent
// use.
type Breaker struct {
	mu       sync.Mutex
	failures int       // guarded by mu: failed calls in a row
	outage   *outage   // guarded by mu; nil: the provider works as far as is known
	wait     time.Time // guarded by mu: the end of the wait that the provider asked for
}

// outage is the time in which a provider is kept out.
type outage struct {
	LeftOut
	delay    time.Duration // the next one, if a try fails
	probing  bool          // one call is trying the provider
	shortTry time.Time     // when a call with less than its whole time last tried it
}

// Permit allows one call. Every Permit must be followed by one Record or Release.
type Permit struct {
	breaker   *Breaker // may be nil
	wholeTime bool     // the call has the whole time that the configuration gives
	probe     *outage  // the outage that this call tries to end; nil: none
}

// NewBreaker makes a closed Breaker.
func NewBreaker() *Breaker { return &Breaker{} }

// Acquire permits one call now, or says why not. wholeTime tells whether the call has at least
// 90 % of the time that the configuration gives: a call with less is no try.
func (b *Breaker) Acquire(wholeTime bool) (Permit, *LeftOut) { return b.acquire(wholeTime, false) }

// Insist is Acquire for a run that can't reach its quorum otherwise. It also permits a call
// to a provider that fails, or that refused the key or the account. It respects a wait that
// the provider asked for, and used-up credit.
func (b *Breaker) Insist(wholeTime bool) (Permit, *LeftOut) { return b.acquire(wholeTime, true) }

func (b *Breaker) acquire(wholeTime, insist bool) (Permit, *LeftOut) {
	permit := Permit{b, wholeTime, nil}
	if b == nil {
		return permit, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, o := time.Now(), b.outage
	switch left := b.leftOut(now); {
	case left == nil && o == nil:
		return permit, nil
	case left == nil && wholeTime: // this call is the try
		o.probing, permit.probe = true, o
		return permit, nil
	case left == nil && now.Sub(o.Until) >= shortPatience && now.Sub(o.shortTry) >= shortPatience:
		o.shortTry = now
		return permit, nil
	case insist && !b.wait.After(now) && o.Reason != signal.LeftOutNoCredit:
		return permit, nil
	case left == nil:
		return permit, new(o.LeftOut)
	default:
		return permit, left
	}
}

// leftOut says why no call is permitted; nil: one is.
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

// Record reports the end of the call: nil for a vote.
func (p Permit) Record(err *Error) {
	b := p.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.release()
	switch {
	// A refusal or a truncated answer comes from the model, so the provider works.
	case err == nil, err.Kind == signal.FailureRefusal, err.Kind == signal.FailureTruncated:
		b.failures, b.outage = 0, nil
	case err.Kind == signal.FailureAuthentication:
		p.keepOut(signal.LeftOutKeyRefused, err.Message, refusedDelay)
	case err.Denied:
		p.keepOut(signal.LeftOutAccessDenied, err.Message, refusedDelay)
	case err.Kind == signal.FailureRateLimit && !err.Retryable:
		wait := maxWait
		if err.RetryAfter > 0 {
			wait = min(err.RetryAfter, maxWait)
		}
		p.keepOut(signal.LeftOutNoCredit, err.Message, wait)
		return // which includes the wait
	case p.counts(err):
		if b.failures++; b.outage != nil || b.failures >= breakerFailures {
			p.keepOut(signal.LeftOutFailing, "", failingDelay)
		}
	}
	if err == nil || err.RetryAfter <= 0 {
		return
	}
	if until := time.Now().Add(min(err.RetryAfter, maxWait)); until.After(b.wait) {
		b.wait = until
	}
}

// counts reports whether a failure shows that the provider does not work. It does not if
// the call was not needed, came too soon after others, was wrong itself, or had less than
// its whole time.
func (p Permit) counts(err *Error) bool {
	switch err.Kind {
	case signal.FailureNotNeeded:
		return false
	case signal.FailureRateLimit:
		return err.Status == statusOverloaded
	case signal.FailureTimeout:
		return p.wholeTime
	case signal.FailureProvider:
		return err.Retryable || err.Status == 0 // otherwise the provider answered that this request is wrong
	}
	return true
}

// keepOut begins an outage, whose first delay is given and whose later ones double. An
// outage that has begun before gets longer if the call was the try. Other calls that began
// earlier or at the same time change nothing, except that a refusal replaces failures.
func (p Permit) keepOut(reason signal.LeftOutReason, words string, first time.Duration) {
	now, most := time.Now(), maxWait
	if reason == signal.LeftOutFailing {
		most = maxFailingDelay
	}
	begun := outage{LeftOut: LeftOut{reason, now.Add(first), words}, delay: min(2*first, most)}
	switch o := p.breaker.outage; {
	case o == nil:
		p.breaker.outage = &begun
	case o.Reason == signal.LeftOutFailing && reason != o.Reason, p.probe == o && (reason != o.Reason || reason == signal.LeftOutNoCredit):
		begun.probing = o.probing // a try that has begun can still end it
		*o = begun
	case p.probe == o:
		o.Until, o.delay = now.Add(o.delay), min(2*o.delay, most)
	}
}

// Release returns a Permit without a call.
func (p Permit) Release() {
	if p.breaker == nil {
		return
	}
	p.breaker.mu.Lock()
	defer p.breaker.mu.Unlock()
	p.release()
}

// release lets another call be the try, if this one was.
func (p Permit) release() {
	if p.probe != nil {
		p.probe.probing = false
	}
}

// Proved reports that a free call has shown that the key works.
func (b *Breaker) Proved() { b.end(signal.LeftOutKeyRefused, signal.LeftOutAccessDenied) }

// Replaced reports that there is another key, which may be that of another account.
func (b *Breaker) Replaced() {
	b.end(signal.LeftOutKeyRefused, signal.LeftOutAccessDenied, signal.LeftOutNoCredit)
}

// end ends an outage that has one of the reasons.
func (b *Breaker) end(reasons ...signal.LeftOutReason) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.outage != nil && slices.Contains(reasons, b.outage.Reason) {
		b.outage = nil
	}
}

// State says what is let through now.
func (b *Breaker) State() BreakerState {
	if b == nil {
		return BreakerClosed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch isWaiting := b.wait.After(now); {
	case b.outage == nil && !isWaiting:
		return BreakerClosed
	case b.outage == nil, isWaiting, !b.outage.probing && b.outage.Until.After(now):
		return BreakerOpen
	}
	return BreakerHalfOpen
}

// LeftOut says why the provider is not asked now; nil if it is.
func (b *Breaker) LeftOut() *LeftOut {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leftOut(time.Now())
}
