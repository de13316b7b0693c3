package venue

// Leaving a venue alone that asks for it.

import (
	"sync"
	"time"

	"thalas/internal/market"
)

// How long a venue is left alone that does not say how long. A country does not
// change its law in a minute.
const (
	rateLimitPause = 10 * time.Second
	refusalPause   = 10 * time.Minute
)

// pause remembers that a venue wants no requests for a while.
type pause struct {
	mu    sync.Mutex
	until time.Time     // guarded by mu
	after *market.Error // guarded by mu; what it answered
}

// note begins a pause where the error asks for one, in words or by its kind.
func (p *pause) note(e *market.Error) {
	wait := e.RetryAfter
	if wait == 0 {
		switch e.Kind {
		case market.ErrRateLimited:
			wait = rateLimitPause
		case market.ErrRefused:
			wait = refusalPause
		default:
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.until) {
		p.until, p.after = until, e
	}
}

// rest gives how long the pause still lasts, and what began it; 0 without one.
func (p *pause) rest() (time.Duration, *market.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.until)), p.after
}
