package provider_test

// What a Tracer observes.

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// diary is a Tracer that records all events in order.
type diary struct{ lines []string }

type attemptKey struct{}

func (d *diary) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	d.lines = append(d.lines, fmt.Sprintf("begin %s %s %d", name, model, attempt))
	return context.WithValue(ctx, attemptKey{}, attempt), func(err *provider.Error) {
		outcome := "vote"
		if err != nil {
			outcome = string(err.Kind)
		}
		d.lines = append(d.lines, fmt.Sprintf("end %d %s", attempt, outcome))
	}
}

func TestTracerObservesEveryAttempt(t *testing.T) {
	const budget = 5 * time.Second
	tests := []struct {
		name     string
		attempts []attempt
		want     []string
	}{
		{"a vote", []attempt{answers(provider.Usage{})}, []string{"begin p p-1 1", "end 1 vote"}},
		{"an error, then a vote", []attempt{errs(again(signal.FailureRateLimit)), answers(provider.Usage{})},
			[]string{"begin p p-1 1", "end 1 rate_limit", "begin p p-1 2", "end 2 vote"}},
		{"an error of another type", []attempt{errs(fmt.Errorf("gone"))}, []string{"begin p p-1 1", "end 1 provider"}},
		{"an answer that is no vote", []attempt{says(func(a *provider.Answer) { a.Confidence = 85 }), answers(provider.Usage{})},
			[]string{"begin p p-1 1", "end 1 invalid_response", "begin p p-1 2", "end 2 vote"}},
		{"a panic", []attempt{panics("no")}, []string{"begin p p-1 1", "end 1 provider"}},
		{"a panic in the second attempt", []attempt{errs(again(signal.FailureProvider)), panics("no")},
			[]string{"begin p p-1 1", "end 1 provider", "begin p p-1 2", "end 2 provider"}},
		{"the time is over", []attempt{hangs}, []string{"begin p p-1 1", "end 1 timeout"}},
		{"the time is over in the second attempt", []attempt{errs(again(signal.FailureProvider)), hangs},
			[]string{"begin p p-1 1", "end 1 provider", "begin p p-1 2", "end 2 timeout"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), budget)
				defer cancel()
				d := &diary{}
				caller(3).WithTracer(d).Ask(ctx, &scripted{name: "p", attempts: test.attempts}, provider.Prompt{})
				if diff := cmp.Diff(test.want, d.lines); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTracerIsToldOfACancelledAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		d := &diary{}
		caller(3).WithTracer(d).Ask(ctx, &scripted{name: "p", attempts: []attempt{hangs}}, provider.Prompt{})
		if diff := cmp.Diff([]string{"begin p p-1 1", "end 1 not_needed"}, d.lines); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestTracerIsNotToldOfWhoWasNotAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := &diary{}
	caller(1).WithTracer(d).Ask(ctx, &scripted{name: "p", attempts: []attempt{answers(provider.Usage{})}}, provider.Prompt{})
	if len(d.lines) > 0 {
		t.Errorf("told %q, want nothing", d.lines)
	}
}

// The provider is asked with the tracer's context, but each attempt begins with the caller's:
// attempts are not nested.
func TestAttemptRunsInTheTracersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var within, outside []any
		look := func(ctx context.Context) (provider.Answer, error) {
			within = append(within, ctx.Value(attemptKey{}))
			return provider.Answer{}, again(signal.FailureProvider)
		}
		d := &outer{diary: &diary{}, seen: &outside}
		traced := caller(2).WithTracer(d).WithLogger(slog.New(slog.DiscardHandler)) // which keeps the tracer
		traced.Ask(t.Context(), &scripted{name: "p", attempts: []attempt{look}}, provider.Prompt{})
		if diff := cmp.Diff([]any{1, 2}, within); diff != "" {
			t.Errorf("attempts in the provider's contexts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]any{nil, nil}, outside); diff != "" {
			t.Errorf("attempts in the tracer's contexts (-want +got):\n%s", diff)
		}
	})
}

// outer records within which attempt each attempt begins.
type outer struct {
	*diary
	seen *[]any
}

func (o *outer) Attempt(ctx context.Context, name, model string, attempt int) (context.Context, func(*provider.Error)) {
	*o.seen = append(*o.seen, ctx.Value(attemptKey{}))
	return o.diary.Attempt(ctx, name, model, attempt)
}
