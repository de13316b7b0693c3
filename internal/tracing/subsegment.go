package tracing

// The subsegments of a run.

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-xray-sdk-go/v2/header"
	"github.com/aws/aws-xray-sdk-go/v2/xray"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// What an attempt's annotation "outcome" says where it was no failure.
const outcomeVote = "vote"

// Attempt begins the subsegment of one attempt to ask a provider, annotated with
// provider, model, attempt and, at its end, outcome: "vote" or the kind of
// failure. It implements provider.Tracer.
func (t *Tracer) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	if t == nil || !sampled(ctx) {
		return ctx, noAttempt
	}
	ctx, seg := xray.BeginSubsegment(ctx, name)
	if seg == nil { // does not happen while there is a header; the SDK's methods would panic
		return ctx, noAttempt
	}
	seg.Lock()
	seg.Namespace = "remote" // a service of somebody else, with a place of its own on the map
	seg.Unlock()
	annotate(seg, "provider", name)
	annotate(seg, "model", model)
	annotate(seg, "attempt", attempt)
	var once sync.Once // the SDK sends what is closed twice twice
	return ctx, func(err *provider.Error) {
		once.Do(func() {
			outcome := outcomeVote
			if err != nil {
				outcome = string(err.Kind)
				flag(seg, err.Kind)
			}
			annotate(seg, "outcome", outcome)
			seg.Close(nil) // an error given here would be sent with its text
		})
	}
}

// Vote begins the subsegment of the aggregation, annotated with its decision; an
// aggregation that failed is a fault. It implements orchestrator.Tracer.
func (t *Tracer) Vote(ctx context.Context) (end func(signal.Decision)) {
	if t == nil || !sampled(ctx) {
		return noVote
	}
	_, seg := xray.BeginSubsegment(ctx, "vote")
	if seg == nil { // as above
		return noVote
	}
	var once sync.Once
	return func(decision signal.Decision) {
		once.Do(func() {
			if decision == "" {
				flag(seg, signal.FailureProvider)
			} else {
				annotate(seg, "decision", string(decision))
			}
			seg.Close(nil)
		})
	}
}

func noAttempt(*provider.Error) {}
func noVote(signal.Decision)    {}

// sampled reports whether ctx belongs to an invocation that is to be traced.
func sampled(ctx context.Context) bool {
	trace, _ := ctx.Value(xray.LambdaTraceHeaderKey).(string)
	return strings.Contains(trace, string(header.Sampled))
}

// flag says whose fault a failure was, as X-Ray counts it: a fault of the other
// side, an error of ours, or neither where we cancelled the attempt ourselves.
func flag(seg *xray.Segment, kind signal.FailureKind) {
	seg.Lock()
	defer seg.Unlock()
	switch kind {
	case signal.FailureNotNeeded:
	case signal.FailureRateLimit:
		seg.Throttle = true
	case signal.FailureAuthentication, signal.FailureRefusal, signal.FailureTruncated:
		seg.Error = true
	default: // timeout, provider, invalid_response
		seg.Fault = true
	}
}

// annotate adds an annotation, which can be searched for. The value is a string or
// a number, which is all that the SDK could refuse.
func annotate(seg *xray.Segment, key string, value any) { _ = seg.AddAnnotation(key, value) }
