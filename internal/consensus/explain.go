package consensus

// The explanation: each vote's share, the decision without it, and the dissenting votes;
// and the reasoning, which quotes the best supporter or says why no option won.

import (
	"strconv"
	"strings"

	"thalas/internal/signal"
)

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
			mine.Pivotal = true // without it there would be no decision
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

func reasoning(ballots []ballot, votes []signal.Vote, c *count, v *verdict) string {
	switch {
	case v.largest == 0:
		return "No conviction: every vote has weight or confidence 0"
	case v.tie:
		return tieText(v.ranking)
	}
	best := mostConfident(ballots, func(o option) bool { return o == v.top })
	return "Consensus (" + strconv.Itoa(c.heads[v.top]) + "/" + strconv.Itoa(c.voters()) +
		" providers agree): " + votes[best].Reasoning
}

// tieText names the tied decisions and the weighted vote that each of them has.
func tieText(r ranking) string {
	var names []string
	for o, tied := range r.tied {
		if tied {
			names = append(names, string(option(o).decision()))
		}
	}
	last := len(names) - 1
	return "No majority: " + strings.Join(names[:last], ", ") + " and " + names[last] +
		" are tied (" + strconv.FormatFloat(r.largest, 'g', 6, 64) + " each)"
}

// mostConfident gives the index of the most confident ballot whose option is wanted, the
// first of equals, or −1 if there is none. Weights do not matter here: the ballot is only
// quoted.
func mostConfident(ballots []ballot, wanted func(option) bool) int {
	best := -1
	for i := range ballots {
		b := &ballots[i]
		if wanted(b.option) && (best < 0 || b.confidence > ballots[best].confidence) {
			best = i
		}
	}
	return best
}
