package orchestrator

// Watching a run from outside, for a trace. What a trace needs before anything
// else is that all that was begun has ended when the run returns: on a machine
// that is frozen between two requests, a later end comes too late or in somebody
// else's request.

import (
	"context"
	"sync"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Tracer is told of the attempts and of the vote of a run. Each function that it
// returns is called exactly once, before the run returns.
type Tracer interface {
	provider.Tracer

	// Vote begins the aggregation. The function that it returns gets the
	// decision; "" where the aggregation failed.
	Vote(ctx context.Context) (end func(signal.Decision))
}

// attempts passes the attempts of one provider on to a Tracer, and ends the one
// that the provider does not return from.
type attempts struct {
	tracer provider.Tracer

	mu   sync.Mutex
	end  func(*provider.Error) // of the newest attempt; nil: there was none
	over bool                  // nobody waits for the provider any more
}

// Attempt implements provider.Tracer.
func (a *attempts) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return ctx, func(*provider.Error) {}
	}
	ctx, end := a.tracer.Attempt(ctx, name, model, attempt)
	var once sync.Once // who comes second waits for the first
	a.end = func(err *provider.Error) { once.Do(func() { end(err) }) }
	return ctx, a.end
}

// abandon ends the attempt that is still open, if one is, and lets none begin.
func (a *attempts) abandon(err *provider.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.end != nil {
		a.end(err)
	}
}

// decisionOf is the decision of a result; "" where there is none.
func decisionOf(result *signal.Consensus) signal.Decision {
	if result == nil {
		return ""
	}
	return result.Decision
}
