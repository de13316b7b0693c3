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

// outcomeVote is the annotation "outcome" of an attempt that did not fail.
const outcomeVote = "vote"

// Attempt begins the subsegment of one attempt to ask a provider. Its annotations are
// provider, model, attempt and, at its end, outcome: "vote" or the kind of failure. It
// implements provider.Tracer.
func (t *Tracer) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	if t == nil || !sampled(ctx) {
		return ctx, noAttempt
	}
	ctx, seg := xray.BeginSubsegment(ctx, name)
	if seg == nil { // does not happen while there is a header; the SDK's methods would panic
		return ctx, noAttempt
	}
	seg.Lock()
	seg.Namespace = "remote" // a foreign service, which has its own node on the service map
	seg.Unlock()
	annotate(seg, "provider", name)
	annotate(seg, "model", model)
	annotate(seg, "attempt", attempt)
	var once sync.Once // the SDK would send a subsegment twice that is closed twice
	return ctx, func(err *provider.Error) {
		once.Do(func() {
			outcome := outcomeVote
			if err != nil {
				outcome = string(err.Kind)
				flag(seg, err.Kind)
			}
			annotate(seg, "outcome", outcome)
			seg.Close(nil) // the text of an error would be sent
		})
	}
}

// Vote begins the subsegment of the aggregation. Its annotation is the decision. A failed
// aggregation is a fault. It implements orchestrator.Tracer.
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

// sampled reports whether ctx belongs to an invocation that is traced.
func sampled(ctx context.Context) bool {
	trace, _ := ctx.Value(xray.LambdaTraceHeaderKey).(string)
	return strings.Contains(trace, string(header.Sampled))
}

// flag marks a failure as X-Ray counts it: a fault is the other side's, an error is ours,
// and an attempt that we cancelled ourselves is neither.
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

// annotate adds an annotation, which can be searched for. The SDK refuses only values
// other than strings and numbers, so its error is ignored.
func annotate(seg *xray.Segment, key string, value any) { _ = seg.AddAnnotation(key, value) }
