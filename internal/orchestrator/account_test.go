package orchestrator_test

// What a run cost: the known costs of all attempts, including the failed ones.

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

func TestAccounting(t *testing.T) {
	invalid := func() turn { return failsForNow(signal.FailureInvalidResponse, "no vote") }
	type figures struct {
		Attempts, Input, Output int
		Cost                    *float64
	}
	tests := []struct {
		name     string
		model    *model
		want     figures
		cost     float64 // of the run; the other provider's is 1
		tokens   int     // of the run; the other provider's are 11
		warnings []string
	}{
		{"one answer", plays("p", buys(.9).costing(100, 10, .5)), figures{1, 100, 10, new(.5)}, 1.5, 121, []string{}},
		{"an invalid answer is paid too", plays("p", invalid().costing(100, 10, .5), buys(.9).costing(100, 20, .75)), figures{2, 200, 30, new(1.25)}, 2.25, 241, []string{}},
		{"a failed attempt of unknown usage adds nothing", plays("p", failsForNow(signal.FailureProvider, "503"), buys(.9).costing(100, 10, .5)), figures{2, 100, 10, new(.5)}, 1.5, 121, []string{}},
		{"a truncated answer costs", plays("p", fails(signal.FailureTruncated, "cut").costing(100, 1024, .5)), figures{1, 100, 1024, new(.5)}, 1.5, 1135, []string{"single_vote"}},
		{"a refusal costs", plays("p", fails(signal.FailureRefusal, "no").costing(100, 5, .5)), figures{1, 100, 5, new(.5)}, 1.5, 116, []string{"single_vote"}},
		{"unknown price", plays("p", buys(.9).costing(100, 10, -1)), figures{1, 100, 10, nil}, 1, 121, []string{"unknown_price:p"}},
		{"unknown price of a failed attempt", plays("p", fails(signal.FailureRefusal, "no").costing(100, 10, -1)), figures{1, 100, 10, nil}, 1, 121, []string{"single_vote", "unknown_price:p"}},
		{"a known cost before an unknown price", plays("p", invalid().costing(100, 10, .5), buys(.9).costing(100, 10, -1)), figures{2, 200, 20, nil}, 1.5, 231, []string{"unknown_price:p"}},
		{"unknown usage", plays("p", buys(.9)), figures{1, 0, 0, nil}, 1, 11, []string{}},
		{"a price that is none", plays("p", buys(.9).costing(100, 10, math.Inf(1))), figures{1, 100, 10, nil}, 1, 121, []string{"unknown_price:p"}},
		{"tokens below 0", plays("p", buys(.9).costing(-100, 10, 1)), figures{1, 0, 0, nil}, 1, 11, []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				result := ask(t, over(t, orchestrator.Options{}, plays("other", buys(.9).costing(10, 1, 1)), test.model), question(t))
				var got figures
				for _, v := range result.Responses {
					if v.Provider == "p" {
						got = figures{v.Attempts, v.InputTokens, v.OutputTokens, v.CostUSD}
					}
				}
				for _, f := range result.Failures {
					got = figures{f.Attempts, f.InputTokens, f.OutputTokens, f.CostUSD}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("figures (-want +got):\n%s", diff)
				}
				if result.TotalCostUSD != test.cost || result.TotalTokens != test.tokens {
					t.Errorf("total %v USD, %d tokens; want %v, %d", result.TotalCostUSD, result.TotalTokens, test.cost, test.tokens)
				}
				if diff := cmp.Diff(test.warnings, codes(result.Warnings)); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestUnknownPriceNamesTheModel(t *testing.T) {
	answered := buys(.9).costing(1, 1, -1)
	answered.answer.Model = "snapshot-9"
	failed := fails(signal.FailureRefusal, "no").costing(1, 1, -1)
	failed.err.(*provider.Error).Model = "snapshot-8"
	result := ask(t, over(t, orchestrator.Options{}, plays("a", answered), plays("b", failed), plays("c", buys(.9).costing(1, 1, -1))), question(t))
	var got []string
	for _, w := range result.Warnings {
		if w.Code == signal.WarnUnknownPrice {
			got = append(got, w.Message)
		}
	}
	want := []string{
		"no price is known for model snapshot-9: its cost is not in total_cost_usd",
		"no price is known for model snapshot-8: its cost is not in total_cost_usd",
		"no price is known for model c-1: its cost is not in total_cost_usd",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// priced is a model that costs money.
type priced struct{ *model }

func (priced) WorstCaseUSD(provider.Prompt) (float64, bool) { return 1, true }

// A warning says that the total does not include the cost of a vote.
func TestUnknownUsageOfWhatCostsMoney(t *testing.T) {
	registry := &provider.Registry{}
	for _, m := range []*model{plays("paid", buys(.9)), plays("told", buys(.9).costing(10, 1, 1))} {
		if err := registry.Register(provider.Entry{Provider: priced{m}}); err != nil {
			t.Fatal(err)
		}
	}
	result := ask(t, orchestrator.New(registry, orchestrator.Options{}), question(t))
	if diff := cmp.Diff([]string{"unknown_usage:paid"}, codes(result.Warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// The wait before the next attempt counts as waiting for the provider, and the latency
// includes it.
func TestOverheadExcludesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := fails(signal.FailureRateLimit, "busy").in(time.Second)
		busy.err = &provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: 3 * time.Second}
		result := ask(t, over(t, orchestrator.Options{}, plays("a", busy, buys(.9).in(time.Second)), plays("b", buys(.9))), question(t))
		if got := result.Responses[0]; got.LatencyMS != 5000 || got.Attempts != 2 {
			t.Errorf("latency %v ms in %d attempts, want 5000 in 2", got.LatencyMS, got.Attempts)
		}
		if result.OverheadMS != 0 || result.TotalLatencyMS != 5000 {
			t.Errorf("overhead %v of %v ms, want 0 of 5000", result.OverheadMS, result.TotalLatencyMS)
		}
	})
}

// A provider that does not return may bill the request.
func TestUnknownBillOfAProviderThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := plays("deaf", turn{after: time.Hour, deaf: true})
		result := ask(t, over(t, orchestrator.Options{}, plays("other", buys(.9)), deaf), question(t))
		if len(result.Failures) != 1 || result.Failures[0].BillsUnknown != 1 {
			t.Errorf("failures %+v, want one with one unknown bill", result.Failures)
		}
		time.Sleep(time.Hour) // until it has returned
	})
}

// A provider that was asked late had less time than the others.
func TestTimeOfAProviderThatWasAskedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := plays("deaf", turn{after: time.Hour, deaf: true}).guarded(isBroken)
		first := plays("first", fails(signal.FailureRefusal, "no").in(2*time.Second))
		_, err := over(t, orchestrator.Options{Timeout: 10 * time.Second, MinProviders: 2}, first, plays("other", buys(.9)), deaf).GenerateConsensusSignal(t.Context(), question(t))
		var undecided *orchestrator.Error
		if !errors.As(err, &undecided) || len(undecided.Failures) != 2 {
			t.Fatalf("error %v, want two failures", err)
		}
		for _, f := range undecided.Failures {
			if f.Provider == "deaf" && (f.Message != "no answer within 8s" || f.LatencyMS >= 10_000) {
				t.Errorf("%s after %v ms, want no answer within 8s", f.Message, f.LatencyMS)
			}
		}
		time.Sleep(time.Hour) // until it has returned
	})
}

// The timeout of a run is that of its request, or else that of the options.
func TestTimeout(t *testing.T) {
	o := over(t, orchestrator.Options{Timeout: 7 * time.Second}, plays("a", buys(.9)))
	for asked, want := range map[time.Duration]time.Duration{0: 7 * time.Second, time.Second: time.Second} {
		checked, err := o.Check(question(t, func(r *orchestrator.Request) { r.Timeout = asked }))
		if got := checked.Timeout(); err != nil || got != want {
			t.Errorf("a request of %s: %s, %v; want %s", asked, got, err, want)
		}
	}
}
