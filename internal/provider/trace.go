package provider

// Watching the attempts from outside, for a trace.

import "context"

// Tracer is told of every attempt to ask a provider. Implementations are safe for
// concurrent use, never panic and never wait for anybody.
type Tracer interface {
	// Attempt begins the attempt of that number, counted from 1. The provider is
	// asked with the context that it returns. The function that it returns is
	// called when the attempt has ended, by a panic too: with nil for a vote,
	// else with what went wrong.
	Attempt(ctx context.Context, provider, model string, attempt int) (context.Context, func(*Error))
}

// WithTracer gives a Caller that asks as c does and tells t of its attempts; nil
// means nobody.
func (c *Caller) WithTracer(t Tracer) *Caller {
	traced := *c
	traced.tracer = t
	return &traced
}
