package orchestrator

// Tracing a run. Everything that a trace begins has ended when the run returns: on a
// machine that is frozen between two requests, a later end would come too late, or within
// another request.

import (
	"context"
	"sync"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Tracer is told about the attempts and the aggregation of a run. Each function that it
// returns is called exactly once, before the run returns.
type Tracer interface {
	provider.Tracer

	// Vote is called before the aggregation. The function that it returns gets the
	// decision, or "" if the aggregation failed.
	Vote(ctx context.Context) (end func(signal.Decision))
}

// attempts passes the attempts of one provider to a Tracer, and ends the attempt from which
// the provider does not return.
type attempts struct {
	tracer provider.Tracer

	mu   sync.Mutex
	end  func(*provider.Error) // ends the newest attempt; nil before the first
	over bool                  // the run does not wait for the provider any more
}

// Attempt implements provider.Tracer.
func (a *attempts) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return ctx, func(*provider.Error) {}
	}
	ctx, end := a.tracer.Attempt(ctx, name, model, attempt)
	var once sync.Once // a second call waits for the first
	a.end = func(err *provider.Error) { once.Do(func() { end(err) }) }
	return ctx, a.end
}

// abandon ends the attempt that is still open, if there is one, and traces no further one.
func (a *attempts) abandon(err *provider.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.end != nil {
		a.end(err)
	}
}
