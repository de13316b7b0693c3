package consensus

// The explanation: each vote's share, what would have been without it, and who
// was against.

import "thalas/internal/signal"

// explain expects ballots and votes in the same order.
func explain(ballots []ballot, votes []signal.Vote, c *count, v *verdict, policy *Policy) signal.Explanation {
	contributions := make([]signal.Contribution, len(ballots))
	without := make([]signal.Decision, len(ballots)) // one allocation for what the contributions point to
	total := c.total()
	firm := 0
	for i := range ballots {
		b := &ballots[i]
		mine := &contributions[i]
		mine.Provider = b.provider
		mine.Supports = b.option == v.top
		if total > 0 {
			mine.Share = b.weight * b.confidence / total
		}
		if len(ballots) == 1 {
			mine.Pivotal = true // without it there were no decision at all
			break
		}
		rest := countWithout(ballots, i)
		decision := judge(&rest, policy).decision
		without[i] = decision.decision()
		mine.DecisionWithout = &without[i]
		mine.Pivotal = decision != v.decision
		if !mine.Pivotal {
			firm++
		}
	}
	e := signal.Explanation{Contributions: contributions, Margin: v.margin}
	if len(ballots) > 0 {
		e.Stability = float64(firm) / float64(len(ballots))
	}
	if i := mostConfident(ballots, func(o option) bool { return o != v.top }); i >= 0 {
		e.Dissent = &signal.Dissent{
			Provider:   ballots[i].provider,
			Decision:   ballots[i].option.decision(),
			Confidence: ballots[i].confidence,
			Reasoning:  votes[i].Reasoning,
		}
	}
	return e
}
