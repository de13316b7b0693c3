package provider

// What a Breaker knows of its provider, for the breakers of other processes.

import (
	"time"

	"thalas/internal/signal"
)

// Learnt is what the calls of one process have shown. The zero Learnt is of a provider that
// works as far as is known.
type Learnt struct {
	Reason signal.LeftOutReason `json:"reason,omitempty"` // why it is kept out; empty: it is not
	Until  time.Time            `json:"until,omitzero"`
	Words  string               `json:"words,omitempty"` // what the provider said about its account or key
	Delay  time.Duration        `json:"delay,omitempty"` // the next time without calls, if a try fails
	Wait   time.Time            `json:"wait,omitzero"`   // the end of the wait that the provider asked for
}

// Learnt gives what the breaker knows. It changes only with what calls show, not with time.
func (b *Breaker) Learnt() Learnt {
	if b == nil {
		return Learnt{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l := Learnt{Wait: b.wait.UTC().Truncate(time.Millisecond)}
	if o := b.outage; o != nil {
		l.Reason, l.Until, l.Words, l.Delay = o.Reason, o.Until.UTC().Truncate(time.Millisecond), o.words, o.delay
	}
	return l
}

// Hear takes over what another process has learnt since this one heard of it last. An outage
// that this process knows is never shortened, and one that a call is trying to end is left to
// that call. Times are bounded, in case the other's clock is wrong.
func (b *Breaker) Hear(l Learnt) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	most := time.Now().Add(maxWait)
	bounded := func(at time.Time) time.Time {
		if at.After(most) {
			return most
		}
		return at
	}
	if wait := bounded(l.Wait); wait.After(b.wait) {
		b.wait = wait
	}
	switch o := b.outage; {
	case o != nil && o.probing:
	case l.Reason == "": // a call of the other process has succeeded
		b.failures, b.outage = 0, nil
	case o == nil, l.Until.After(o.Until):
		b.outage = &outage{LeftOut: LeftOut{l.Reason, bounded(l.Until), l.Words}, delay: min(max(l.Delay, failingDelay), maxWait)}
	}
}
