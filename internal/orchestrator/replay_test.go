package orchestrator_test

// Deciding stored votes again.

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"thalas/internal/consensus"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

// verdict is the result of votes under a policy.
type verdict struct {
	Decision, Raw         signal.Decision
	Reason                *signal.HoldReason
	Confidence, Agreement float64
	Stop, Target          *float64
	Reasoning             string
	Risk                  signal.RiskLevel
	Explanation           signal.Explanation
}

func verdictOf(c *signal.Consensus) verdict {
	return verdict{c.Decision, c.RawDecision, c.HoldReason, c.Confidence, c.AgreementScore, c.SuggestedStopLoss, c.SuggestedTakeProfit, c.Reasoning, c.RiskLevel, c.Explanation}
}

func replayed(o consensus.Outcome) verdict {
	return verdict{o.Decision, o.RawDecision, o.HoldReason, o.Confidence, o.AgreementScore, o.SuggestedStopLoss, o.SuggestedTakeProfit, o.Reasoning, o.RiskLevel, o.Explanation}
}

// The replay of a stored run gives the same result to the last bit. Under another policy, it
// gives the result of a run with that policy.
func TestReplayIsTheRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "providers")
		var models []*model
		for i := range n {
			label := fmt.Sprintf("%d ", i)
			turn := votes(rapid.SampledFrom(signal.Decisions[:]).Draw(rt, label+"decision"), rapid.Float64Range(0, 1).Draw(rt, label+"confidence"))
			level := rapid.Custom(func(rt *rapid.T) *float64 {
				if rapid.Bool().Draw(rt, "none") {
					return nil
				}
				return new(rapid.Float64Range(1, 100_000).Draw(rt, "level"))
			})
			turn.answer.StopLoss, turn.answer.TakeProfit = level.Draw(rt, label+"stop"), level.Draw(rt, label+"target")
			models = append(models, plays(fmt.Sprintf("p%d", i), turn).weighing(rapid.Float64Range(0, 1).Draw(rt, label+"weight")))
		}
		share := func(name string) *float64 {
			if rapid.Bool().Draw(rt, "no "+name) {
				return nil
			}
			return new(rapid.Float64Range(0, 1).Draw(rt, name))
		}
		other := orchestrator.Policy{MinConfidence: share("confidence then"), MinAgreement: share("agreement then")}
		if weight := share("weight then"); weight != nil {
			other.Weights = map[string]float64{"P0": *weight}
		}
		options := orchestrator.Options{MinConfidence: share("configured confidence"), MinAgreement: rapid.Float64Range(0, 1).Draw(rt, "configured agreement")}
		ran := question(t, func(r *orchestrator.Request) {
			r.MinConfidence, r.MinAgreement = share("min_confidence"), share("min_agreement")
		})
		synctest.Test(t, func(t *testing.T) {
			o := over(t, options, models...)
			result, err := o.GenerateConsensusSignal(t.Context(), ran)
			if err != nil {
				rt.Fatal(err)
			}
			body, err := json.Marshal(result)
			if err != nil {
				rt.Fatal(err)
			}
			var stored signal.Consensus
			if err := json.Unmarshal(body, &stored); err != nil {
				rt.Fatal(err)
			}
			outcome, assumed := o.Replay(stored.Responses, stored.CurrentPrice, stored.Policy, orchestrator.CheckedPolicy{})
			if diff := cmp.Diff(verdictOf(result), replayed(outcome)); diff != "" || assumed {
				rt.Fatalf("replayed as it was, assumed %v (-run +replay):\n%s", assumed, diff)
			}

			again := ran
			if other.MinConfidence != nil {
				again.MinConfidence = other.MinConfidence
			}
			if other.MinAgreement != nil {
				again.MinAgreement = other.MinAgreement
			}
			again.Weights = other.Weights
			want, err := o.GenerateConsensusSignal(t.Context(), again)
			if err != nil {
				rt.Fatal(err)
			}
			policy, err := o.CheckPolicy(other)
			if err != nil {
				rt.Fatal(err)
			}
			outcome, _ = o.Replay(stored.Responses, stored.CurrentPrice, stored.Policy, policy)
			if diff := cmp.Diff(verdictOf(want), replayed(outcome)); diff != "" {
				rt.Fatalf("under another policy (-run +replay):\n%s", diff)
			}
			if diff := cmp.Diff(result.Responses, stored.Responses, cmpopts.IgnoreFields(signal.Vote{}, "BillsUnknown")); diff != "" {
				rt.Fatalf("the stored votes were changed:\n%s", diff)
			}
		})
	})
}

// A run without stored gates is judged by the current ones, and the result says whether they
// matter.
func TestReplayWithoutKeptGates(t *testing.T) {
	o := over(t, orchestrator.Options{MinConfidence: new(.7), MinAgreement: .6}, plays("a", votes(signal.Buy, .8)))
	vote := signal.Vote{Provider: "a", Decision: signal.Buy, Confidence: .65, Weight: 1}
	for _, tt := range []struct {
		name    string
		ran     *signal.Policy
		policy  orchestrator.Policy
		want    signal.Decision
		assumed bool
	}{
		{"not kept", nil, orchestrator.Policy{}, signal.Hold, true},
		{"not kept, one gate given", nil, orchestrator.Policy{MinConfidence: new(.6)}, signal.Buy, true},
		{"not kept, both gates given", nil, orchestrator.Policy{MinConfidence: new(.6), MinAgreement: new(0.)}, signal.Buy, false},
		{"kept", &signal.Policy{MinProviders: 1}, orchestrator.Policy{}, signal.Buy, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy, err := o.CheckPolicy(tt.policy)
			if err != nil {
				t.Fatal(err)
			}
			got, assumed := o.Replay([]signal.Vote{vote}, 50_000, tt.ran, policy)
			if got.Decision != tt.want || assumed != tt.assumed {
				t.Errorf("%s, assumed %v; want %s, %v", got.Decision, assumed, tt.want, tt.assumed)
			}
		})
	}
}

func TestCheckPolicy(t *testing.T) {
	o := over(t, orchestrator.Options{}, plays("a", votes(signal.Buy, .8)))
	_, err := o.CheckPolicy(orchestrator.Policy{Weights: map[string]float64{"b": 1, "A": 2}, MinConfidence: new(1.5), MinAgreement: new(-.5)})
	var mistakes signal.FieldErrors
	if !errors.As(err, &mistakes) || len(mistakes) != 4 {
		t.Fatalf("got %v, want four mistakes", err)
	}
	want, err := o.CheckPolicy(orchestrator.Policy{Weights: map[string]float64{"a": .5}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.CheckPolicy(orchestrator.Policy{Weights: map[string]float64{"A": .5}})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(orchestrator.CheckedPolicy{})); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
