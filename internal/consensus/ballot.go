package consensus

// A ballot is the part of a vote that is counted, in the order of counting.

import (
	"slices"
	"strings"

	"thalas/internal/signal"
)

// option is a decision as an index into signal.Decisions.
type option int8

const (
	buy option = iota
	sell
	hold
)

func optionOf(d signal.Decision) option {
	switch d {
	case signal.Buy:
		return buy
	case signal.Sell:
		return sell
	}
	return hold
}

func (o option) decision() signal.Decision { return signal.Decisions[o] }

// ballot is one vote, or a place for the vote of a pending provider.
type ballot struct {
	provider   string
	weight     float64 // 0…1
	confidence float64 // 0…1; unset where pending
	vote       int     // index of the vote it was made from
	option     option  // unset where pending
	pending    bool
}

// maxInline is the number of ballots, contributions and levels that fit on the stack. It
// is more than the usual number of providers; larger runs allocate.
const maxInline = 8

func appendBallots(ballots []ballot, votes []signal.Vote) []ballot {
	for i := range votes {
		v := &votes[i]
		ballots = append(ballots, ballot{
			provider:   v.Provider,
			weight:     unit(v.Weight),
			confidence: unit(v.Confidence),
			vote:       i,
			option:     optionOf(v.Decision),
		})
	}
	return ballots
}

func sortBallots(ballots []ballot) {
	slices.SortStableFunc(ballots, func(a, b ballot) int { return strings.Compare(a.provider, b.provider) })
}

// unit gives x if it is in 0…1, and otherwise 0. It turns −0 into 0, because JSON would
// show the sign.
func unit(x float64) float64 {
	if x > 0 && x <= 1 {
		return x
	}
	return 0
}
