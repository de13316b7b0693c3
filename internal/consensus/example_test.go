package consensus_test

import (
	"fmt"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func ExampleAggregate() {
	votes := []signal.Vote{
		{Provider: "openai", Decision: signal.Buy, Confidence: 0.80, Weight: 0.9, Reasoning: "Above its averages."},
		{Provider: "gemini", Decision: signal.Hold, Confidence: 0.75, Weight: 0.8, Reasoning: "RSI is high."},
		{Provider: "anthropic", Decision: signal.Buy, Confidence: 0.85, Weight: 1.0, Reasoning: "Momentum with volume."},
	}
	out := consensus.Aggregate(votes, consensus.Policy{MinConfidence: 0.5, Price: 50000})

	fmt.Printf("%s, confidence %.6f, agreement %.6f\n", out.Decision, out.Confidence, out.AgreementScore)
	fmt.Println(out.Reasoning)
	for _, c := range out.Explanation.Contributions {
		fmt.Printf("%-9s %4.1f %%  without it: %s\n", c.Provider, 100*c.Share, *c.DecisionWithout)
	}
	// Output:
	// BUY, confidence 0.743684, agreement 0.723502
	// Consensus (2/3 providers agree): Momentum with volume.
	// anthropic 39.2 %  without it: BUY
	// gemini    27.6 %  without it: BUY
	// openai    33.2 %  without it: BUY
}

func ExampleDecided() {
	votes := []signal.Vote{
		{Provider: "anthropic", Decision: signal.Buy, Confidence: 0.9, Weight: 1},
		{Provider: "openai", Decision: signal.Buy, Confidence: 0.8, Weight: 1},
	}
	slow := []consensus.Pending{{Provider: "grok", Weight: 1}}
	policy := consensus.Policy{MinConfidence: 0.5, Price: 50000}

	confidence, ok := consensus.Decided(votes, slow, policy)
	fmt.Printf("with two: %v, confidence %.2f to %.2f\n", ok, confidence[0], confidence[1])

	// The same with a gate that the outcome misses if grok votes against it.
	policy.MinAgreement = 0.7
	_, ok = consensus.Decided(votes, slow, policy)
	fmt.Printf("with an agreement of 0.7 asked for: %v\n", ok)
	// Output:
	// with two: true, confidence 0.57 to 0.90
	// with an agreement of 0.7 asked for: false
}
