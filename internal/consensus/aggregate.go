package consensus

// Aggregate, its input and its output.

import "thalas/internal/signal"

// Policy is how votes are judged.
type Policy struct {
	MinConfidence float64 // gate, 0…1: a BUY or SELL with less confidence becomes a HOLD
	MinAgreement  float64 // gate, 0…1: a BUY or SELL with less agreement becomes a HOLD; 0 is off
	Price         float64 // current price, above 0; levels are checked against it
}

// Outcome is the result of the vote. The fields are those of [signal.Consensus].
type Outcome struct {
	Decision, RawDecision signal.Decision
	HoldReason            *signal.HoldReason // nil unless Decision is HOLD
	Confidence            float64            // 0…1, of RawDecision
	AgreementScore        float64            // 0…1, of RawDecision
	Reasoning             string
	RiskLevel             signal.RiskLevel
	SuggestedStopLoss     *float64 // nil if Decision is HOLD or no supporter gave a valid one
	SuggestedTakeProfit   *float64 // nil in the same cases
	VoteBreakdown         signal.Tally[int]
	WeightedVotes         signal.Tally[float64]
	Explanation           signal.Explanation
	Warnings              []signal.Warning // never nil
	Votes                 []signal.Vote    // by provider name; a copy, never nil
}

// Aggregate makes one decision of the votes and explains it.
//
// The decision with the largest sum of weight × confidence wins; a tie gives HOLD, and so
// do sums of 0. A BUY or SELL that misses a gate of the policy becomes a HOLD: then only
// Decision, HoldReason and the suggested levels change, and the other fields still
// describe the vote. Without votes the decision is HOLD. The caller must check whether
// there are enough votes.
//
// The votes are not changed. Provider names must differ.
func Aggregate(votes []signal.Vote, policy Policy) Outcome {
	var inline [maxInline]ballot
	ballots := appendBallots(inline[:0], votes)
	sortBallots(ballots)
	sorted := make([]signal.Vote, len(ballots))
	for i := range ballots {
		sorted[i] = votes[ballots[i].vote]
	}

	c := countWithout(ballots, -1)
	v := judge(&c, &policy)
	out := Outcome{
		Decision:       v.decision.decision(),
		RawDecision:    v.top.decision(),
		Confidence:     v.confidence,
		AgreementScore: v.agreement,
		Reasoning:      reasoning(ballots, sorted, &c, &v),
		RiskLevel:      highestRisk(sorted),
		VoteBreakdown:  signal.Tally[int]{Buy: c.heads[buy], Sell: c.heads[sell], Hold: c.heads[hold]},
		WeightedVotes:  signal.Tally[float64]{Buy: c.weighted[buy], Sell: c.weighted[sell], Hold: c.weighted[hold]},
		Explanation:    explain(ballots, sorted, &c, &v, &policy),
		Warnings:       []signal.Warning{},
		Votes:          sorted,
	}
	if v.reason != "" {
		out.HoldReason = new(v.reason)
	}
	if len(sorted) == 1 {
		out.Warnings = append(out.Warnings, signal.Warning{
			Code:    signal.WarnSingleVote,
			Message: "the decision rests on one vote, that of " + sorted[0].Provider,
		})
	}
	if v.top != hold {
		stop, target, warnings := suggestLevels(ballots, sorted, v.top, policy.Price)
		out.Warnings = append(out.Warnings, warnings...)
		if v.decision != hold {
			out.SuggestedStopLoss, out.SuggestedTakeProfit = stop, target
		}
	}
	return out
}

// highestRisk is the highest level that any vote gave, medium if none did.
func highestRisk(votes []signal.Vote) signal.RiskLevel {
	var highest signal.RiskLevel
	for i := range votes {
		if r := votes[i].RiskLevel; r != nil && r.Above(highest) {
			highest = *r
		}
	}
	if highest == "" {
		return signal.Medium
	}
	return highest
}
