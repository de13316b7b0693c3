package consensus_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func TestExplanation(t *testing.T) {
	buy, sell, hold := signal.Buy, signal.Sell, signal.Hold
	tests := []struct {
		name   string
		votes  string
		policy consensus.Policy
		want   signal.Explanation
	}{
		{"nobody is pivotal", "anthropic:BUY@.85(1.0) openai:BUY@.8(.9) gemini:HOLD@.75(.8)", consensus.Policy{MinConfidence: 0.5},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "anthropic", Share: 0.85 / 2.17, Supports: true, DecisionWithout: &buy},
					{Provider: "gemini", Share: 0.6 / 2.17, DecisionWithout: &buy},
					{Provider: "openai", Share: 0.72 / 2.17, Supports: true, DecisionWithout: &buy},
				},
				Margin: 0.97, Stability: 1,
				Dissent: &signal.Dissent{Provider: "gemini", Decision: hold, Confidence: 0.75, Reasoning: "gemini says HOLD"},
			}},
		{"pivotal by vote", "a:BUY@.95 b:SELL@.55 c:SELL@.3", consensus.Policy{},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Share: 0.95 / 1.8, Supports: true, Pivotal: true, DecisionWithout: &sell},
					{Provider: "b", Share: 0.55 / 1.8, DecisionWithout: &buy},
					{Provider: "c", Share: 0.3 / 1.8, DecisionWithout: &buy},
				},
				Margin: 0.1, Stability: 2. / 3,
				Dissent: &signal.Dissent{Provider: "b", Decision: sell, Confidence: 0.55, Reasoning: "b says SELL"},
			}},
		{"pivotal by gate", "a:BUY@.9 b:BUY@.4 c:BUY@.5", consensus.Policy{MinConfidence: 0.5},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Share: 0.5, Supports: true, Pivotal: true, DecisionWithout: &hold},
					{Provider: "b", Share: 0.4 / 1.8, Supports: true, DecisionWithout: &buy},
					{Provider: "c", Share: 0.5 / 1.8, Supports: true, DecisionWithout: &buy},
				},
				Margin: 1.8, Stability: 2. / 3,
			}},
		{"dissent is against the raw decision, not the gated one", "a:BUY@.45 b:HOLD@.1", consensus.Policy{MinConfidence: 0.5},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Share: 0.45 / 0.55, Supports: true, DecisionWithout: &hold},
					{Provider: "b", Share: 0.1 / 0.55, DecisionWithout: &hold},
				},
				Margin: 0.35, Stability: 1,
				Dissent: &signal.Dissent{Provider: "b", Decision: hold, Confidence: 0.1, Reasoning: "b says HOLD"},
			}},
		{"each breaks a tie", "b:SELL@.6 a:BUY@.6", consensus.Policy{},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Share: 0.5, Pivotal: true, DecisionWithout: &sell},
					{Provider: "b", Share: 0.5, Pivotal: true, DecisionWithout: &buy},
				},
				// Equally confident: the first by name.
				Dissent: &signal.Dissent{Provider: "a", Decision: buy, Confidence: 0.6, Reasoning: "a says BUY"},
			}},
		{"margin is over the second largest", "a:BUY@.9 b:SELL@.25 c:HOLD@.5", consensus.Policy{},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Share: 0.9 / 1.65, Supports: true, Pivotal: true, DecisionWithout: &hold},
					{Provider: "b", Share: 0.25 / 1.65, DecisionWithout: &buy},
					{Provider: "c", Share: 0.5 / 1.65, DecisionWithout: &buy},
				},
				Margin: 0.4, Stability: 2. / 3,
				Dissent: &signal.Dissent{Provider: "c", Decision: hold, Confidence: 0.5, Reasoning: "c says HOLD"},
			}},
		{"one vote", "a:SELL@.7", consensus.Policy{},
			signal.Explanation{
				Contributions: []signal.Contribution{{Provider: "a", Share: 1, Supports: true, Pivotal: true}},
				Margin:        0.7,
			}},
		{"no conviction", "a:HOLD@0 b:BUY@.9(0)", consensus.Policy{},
			signal.Explanation{
				Contributions: []signal.Contribution{
					{Provider: "a", Supports: true, DecisionWithout: &hold},
					{Provider: "b", DecisionWithout: &hold},
				},
				Stability: 1,
				Dissent:   &signal.Dissent{Provider: "b", Decision: buy, Confidence: 0.9, Reasoning: "b says BUY"},
			}},
		{"no votes", "", consensus.Policy{}, signal.Explanation{Contributions: []signal.Contribution{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := consensus.Aggregate(parseVotes(t, tt.votes), tt.policy).Explanation
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
