package consensus

// The reasoning of a consensus: who agrees and the best supporter's own words,
// or why nobody won.

import (
	"strconv"
	"strings"

	"thalas/internal/signal"
)

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

// mostConfident gives the index of the most confident ballot whose option is
// wanted, the first of equals, or −1 if there is none. Weights do not matter: it
// chooses whose words are quoted, not what is done.
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
