package tracing_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/tracing"
	"thalas/internal/tracing/tracingtest"
)

func TestFlags(t *testing.T) {
	tests := map[signal.FailureKind]string{
		signal.FailureTimeout:         "p 1 timeout +fault",
		signal.FailureProvider:        "p 1 provider +fault",
		signal.FailureInvalidResponse: "p 1 invalid_response +fault",
		signal.FailureAuthentication:  "p 1 authentication +error",
		signal.FailureRefusal:         "p 1 refusal +error",
		signal.FailureTruncated:       "p 1 truncated +error",
		signal.FailureRateLimit:       "p 1 rate_limit +throttle",
		signal.FailureNotNeeded:       "p 1 not_needed",
	}
	for kind, want := range tests {
		t.Run(string(kind), func(t *testing.T) {
			ctx, trace := invocation(t.Context(), isSampled)
			_, end := tracer.Attempt(ctx, "p", "p-1", 1)
			end(&provider.Error{Kind: kind})
			if diff := cmp.Diff([]string{want}, tracingtest.Told(xrayDaemon.Of(t, trace))); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailedVoteIsAFault(t *testing.T) {
	ctx, trace := invocation(t.Context(), isSampled)
	tracer.Vote(ctx)("")
	if diff := cmp.Diff([]string{"vote +fault"}, tracingtest.Told(xrayDaemon.Of(t, trace))); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

// The SDK sends a subsegment twice if it is closed twice.
func TestWhatEndsTwiceIsSentOnce(t *testing.T) {
	ctx, trace := invocation(t.Context(), isSampled)
	_, endAttempt := tracer.Attempt(ctx, "p", "p-1", 1)
	endVote := tracer.Vote(ctx)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { endAttempt(nil) })
		group.Go(func() { endVote(signal.Hold) })
	}
	group.Wait()
	if diff := cmp.Diff([]string{"p 1 vote", "vote HOLD"}, tracingtest.Told(xrayDaemon.Of(t, trace))); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

// Below another subsegment, a child that stays open would prevent all others from being sent.
func TestWhatNeverEndsCostsOnlyItself(t *testing.T) {
	ctx, trace := invocation(t.Context(), isSampled)
	_, _ = tracer.Attempt(ctx, "open", "open-1", 1)
	_, end := tracer.Attempt(ctx, "closed", "closed-1", 1)
	end(nil)
	if diff := cmp.Diff([]string{"closed 1 vote"}, tracingtest.Told(xrayDaemon.Of(t, trace))); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

// Requests at the same time in one process do not mix up their traces, because the header comes
// from the context and not from the environment.
func TestTracesOfConcurrentInvocations(t *testing.T) {
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0")
	const invocations = 20
	var group sync.WaitGroup
	var traces [invocations]string
	for i := range invocations {
		group.Go(func() {
			var ctx context.Context
			ctx, traces[i] = invocation(t.Context(), isSampled)
			_, end := tracer.Attempt(ctx, "p", "p-1", i+1)
			end(nil)
			tracer.Vote(ctx)(signal.Sell)
		})
	}
	group.Wait()
	for i, trace := range traces {
		documents := xrayDaemon.Of(t, trace)
		if len(documents) != 2 || documents[0].Annotations["attempt"] != float64(i+1) {
			t.Errorf("trace %d: %v", i, tracingtest.Told(documents))
		}
	}
}

// A context outside an invocation, or without a valid header, is returned unchanged.
func TestNoInvocation(t *testing.T) {
	sampledContext, _ := invocation(t.Context(), isSampled)
	unsampledContext, _ := invocation(t.Context(), notSampled)
	tests := []struct {
		name   string
		tracer *tracing.Tracer
		ctx    context.Context
	}{
		{"no header", tracer, t.Context()},
		{"an empty header", tracer, withHeader(t.Context(), "")},
		{"a header that is none", tracer, withHeader(t.Context(), ";;=;Root")},
		{"a header of another type", tracer, withValue(t.Context(), 1)},
		{"not sampled", tracer, unsampledContext},
		{"tracing is off", nil, sampledContext},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, end := test.tracer.Attempt(test.ctx, "p", "p-1", 1)
			if ctx != test.ctx {
				t.Error("the context was replaced")
			}
			end(&provider.Error{Kind: signal.FailureTimeout})
			test.tracer.Vote(test.ctx)(signal.Buy)
			allocs := testing.AllocsPerRun(100, func() {
				_, end := test.tracer.Attempt(test.ctx, "p", "p-1", 1)
				end(nil)
				test.tracer.Vote(test.ctx)(signal.Buy)
			})
			if allocs != 0 {
				t.Errorf("%v allocations, want none", allocs)
			}
		})
	}
}

func BenchmarkAttempt(b *testing.B) {
	unsampledContext, _ := invocation(b.Context(), notSampled)
	sampledContext, _ := invocation(b.Context(), isSampled)
	for _, c := range []struct {
		name   string
		tracer *tracing.Tracer
		ctx    context.Context
	}{{"off", nil, sampledContext}, {"not sampled", tracer, unsampledContext}, {"sampled", tracer, sampledContext}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, end := c.tracer.Attempt(c.ctx, "anthropic", "claude", 1)
				end(nil)
			}
		})
	}
}
