package orchestrator_test

// Runs without a decision: their kinds and texts, and that they are never a HOLD.

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

func TestNoDecision(t *testing.T) {
	disabled := func() *model { m := plays("off", buys(.9)); m.Disabled = true; return m }
	keyless := func() *model { m := plays("keyless", buys(.9)); m.Unavailable = "no key"; return m }
	badKey := fails(signal.FailureAuthentication, "wrong key")
	noMoney := fails(signal.FailureRateLimit, "no credit")
	tests := []struct {
		name      string
		quorum    int
		models    []*model
		kind      error
		text      string
		failures  map[string]string
		timedOut  bool
		retryable bool
	}{
		{"no provider", 1, nil, orchestrator.ErrNoProviders, "No available providers in registry", nil, false, false},
		{"none available", 1, []*model{disabled(), keyless()}, orchestrator.ErrNoProviders, "No available providers in registry", nil, false, false},
		{"too few available", 2, []*model{plays("a", buys(.9)), disabled(), keyless()},
			orchestrator.ErrInsufficientProviders, "Insufficient available providers: 1 < 2", nil, false, false},
		{"all fail", 2, []*model{plays("a", badKey), plays("b", fails(signal.FailureRefusal, "no"))},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 0 < 2", map[string]string{"a": "authentication", "b": "refusal"}, false, false},
		{"one may pass, and two are needed", 2, []*model{plays("a", badKey), plays("b", failsForNow(signal.FailureProvider, "503"))},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 0 < 2", map[string]string{"a": "authentication", "b": "provider"}, false, false},
		{"a vote and one that may pass", 2, []*model{plays("a", buys(.9)), plays("b", failsForNow(signal.FailureProvider, "503"))},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 1 < 2", map[string]string{"b": "provider"}, false, true},
		{"one of two fails", 2, []*model{plays("a", buys(.9)), plays("b", badKey)},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 1 < 2", map[string]string{"b": "authentication"}, false, false},
		{"keys and money", 1, []*model{plays("a", badKey), plays("b", noMoney)},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 0 < 1", map[string]string{"a": "authentication", "b": "rate_limit"}, false, false},
		{"busy is not out of money", 1, []*model{plays("a", badKey), plays("b", failsForNow(signal.FailureRateLimit, "busy"))},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 0 < 1", map[string]string{"a": "authentication", "b": "rate_limit"}, false, true},
		{"late", 1, []*model{plays("a", badKey), plays("b", buys(.9).in(time.Hour))},
			orchestrator.ErrInsufficientResponses, "Insufficient successful provider responses: 0 < 1", map[string]string{"a": "authentication", "b": "timeout"}, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := over(t, orchestrator.Options{MinProviders: test.quorum}, test.models...)
				result, err := o.GenerateConsensusSignal(t.Context(), question(t))
				if result != nil {
					t.Fatalf("decision %s, want none", result.Decision)
				}
				if !errors.Is(err, test.kind) || err.Error() != test.text {
					t.Errorf("error %q, want %q that is %q", err, test.text, test.kind)
				}
				for _, other := range []error{orchestrator.ErrNoProviders, orchestrator.ErrInsufficientProviders, orchestrator.ErrInsufficientResponses,
					orchestrator.ErrAggregation, orchestrator.ErrCanceled} {
					if other != test.kind && errors.Is(err, other) {
						t.Errorf("the error is %q too", other)
					}
				}
				var undecided *orchestrator.Error
				if !errors.As(err, &undecided) {
					t.Fatalf("error of type %T", err)
				}
				if diff := cmp.Diff(test.failures, outcomes(nil, undecided.Failures), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("failures (-want +got):\n%s", diff)
				}
				if undecided.RunID == "" {
					t.Error("no run id")
				}
				if undecided.TimedOut() != test.timedOut || undecided.Retryable() != test.retryable {
					t.Errorf("timed out %v, retryable %v; want %v, %v", undecided.TimedOut(), undecided.Retryable(), test.timedOut, test.retryable)
				}
			})
		})
	}
}

// The totals of a failed run include what it used.
func TestFailedRunTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := over(t, orchestrator.Options{MinProviders: 2},
			plays("a", buys(.9).in(time.Second).costing(1000, 100, .25)),
			plays("b", fails(signal.FailureTruncated, "cut").in(3*time.Second).costing(1000, 4096, .5)))
		_, err := o.GenerateConsensusSignal(t.Context(), question(t))
		var undecided *orchestrator.Error
		if !errors.As(err, &undecided) {
			t.Fatalf("error %v", err)
		}
		if want := (orchestrator.Total{LatencyMS: 3000, CostUSD: .75, Tokens: 6196}); undecided.Total != want {
			t.Errorf("total %+v, want %+v", undecided.Total, want)
		}
	})
}

func TestCancelledIsNeverADecision(t *testing.T) {
	gone := errors.New("the client is gone")
	tests := []struct {
		name  string
		after time.Duration
		asked int32
	}{
		{"before the run", 0, 0},
		{"while providers are out", 2 * time.Second, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fast, slow := plays("fast", buys(.9).in(time.Second)), plays("slow", buys(.9).in(5*time.Second))
				o := over(t, orchestrator.Options{}, fast, slow)
				ctx, cancel := context.WithCancelCause(t.Context())
				if test.after == 0 {
					cancel(gone)
				} else {
					time.AfterFunc(test.after, func() { cancel(gone) })
				}
				started := time.Now()
				result, err := o.GenerateConsensusSignal(ctx, question(t))
				if result != nil || !errors.Is(err, orchestrator.ErrCanceled) || !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, %v; want ErrCanceled that wraps context.Canceled", result, err)
				}
				if got := time.Since(started); got != test.after {
					t.Errorf("the run took %v, want %v", got, test.after)
				}
				if fast.asked.Load() != test.asked || slow.asked.Load() != test.asked {
					t.Errorf("asked %d and %d times, want %d", fast.asked.Load(), slow.asked.Load(), test.asked)
				}
			})
		})
	}
}
