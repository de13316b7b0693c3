package consensus

// The early decision: can the missing answers still change the decision?

import "thalas/internal/signal"

// Pending is a provider that has not answered yet.
type Pending struct {
	Provider string
	Weight   float64 // 0…1
}

const (
	// maxPending is the most pending providers for which all outcomes are tried: 5³ = 125.
	maxPending = 3

	// gateSlack is how far a value must be from a gate to be surely on one side of it. It
	// is much more than rounding can change.
	gateSlack = 1e-9
)

// Decided reports whether the decision that [Aggregate] gives for the votes is final: in
// every outcome of the pending providers, which is no answer or any decision with any
// confidence, the raw decision stays, and every gate gives the same result. If so, it
// gives the lowest and the highest confidence of those outcomes, and otherwise zeros.
//
// It may report false for a decision that is final: if a value is too near to a border,
// and always with more than three pending providers. The caller must check whether there
// are enough votes. Provider names must differ, across both lists.
func Decided(votes []signal.Vote, pending []Pending, policy Policy) (confidence [2]float64, ok bool) {
	if len(pending) > maxPending {
		return confidence, false
	}
	var inline [maxInline]ballot
	ballots := appendBallots(inline[:0], votes)
	out := 0.0
	for _, p := range pending {
		weight := unit(p.Weight)
		out += weight
		ballots = append(ballots, ballot{provider: p.Provider, weight: weight, pending: true})
	}
	sortBallots(ballots)

	var cast count
	for i := range ballots {
		if b := &ballots[i]; !b.pending {
			cast.add(b.option, b.weight, b.confidence)
		}
	}
	now := cast.rank()
	// All pending providers may vote for the second option. One tieBand is for the tie, and
	// one for the rounding of sums in another order.
	if len(pending) > 0 && !(now.margin-out > 2*tieBand*(now.largest+out)) {
		return confidence, false
	}

	ends := extremes{option: now.top, confidence: [2]float64{1, 0}, agreement: [2]float64{1, 0}}
	ends.tryOutcomes(ballots, count{})
	if now.top != hold && len(pending) > 0 &&
		!(settled(ends.confidence, policy.MinConfidence) && settled(ends.agreement, policy.MinAgreement)) {
		return confidence, false
	}
	return ends.confidence, true
}

// settled reports whether all values of a range are surely on the same side of a gate. A
// gate of 0 or less is off.
func settled(values [2]float64, gate float64) bool {
	return gate <= 0 || values[0] >= gate+gateSlack || values[1] <= gate-gateSlack
}

// extremes are the lowest and highest confidence and agreement of an option over all
// outcomes of the pending providers.
type extremes struct {
	option                option
	confidence, agreement [2]float64
}

// tryOutcomes counts the ballots in order, on top of c, once for each outcome of the
// pending ones: no answer, or a vote for or against the option with confidence 0 or 1.
//
// Those outcomes are enough. Confidence and agreement are monotonic in each missing
// confidence, so their extremes lie at 0 and 1. They do not depend on which of the two
// other decisions a vote against the option is for. Since ballots are counted in the order
// of Aggregate, and rounding is monotonic too, no later confidence is outside the range by
// even one bit.
func (e *extremes) tryOutcomes(ballots []ballot, c count) {
	for i := range ballots {
		b := &ballots[i]
		if !b.pending {
			c.add(b.option, b.weight, b.confidence)
			continue
		}
		rest := ballots[i+1:]
		e.tryOutcomes(rest, c)
		for _, o := range [...]option{e.option, (e.option + 1) % 3} {
			for _, confidence := range [...]float64{0, 1} {
				end := c
				end.add(o, b.weight, confidence)
				e.tryOutcomes(rest, end)
			}
		}
		return
	}
	confidence, agreement := c.confidence(e.option), c.agreement(e.option)
	e.confidence = [2]float64{min(e.confidence[0], confidence), max(e.confidence[1], confidence)}
	e.agreement = [2]float64{min(e.agreement[0], agreement), max(e.agreement[1], agreement)}
}
