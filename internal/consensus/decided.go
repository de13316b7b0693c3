package consensus

// The early decision: whether the answers still out can change anything.

import "thalas/internal/signal"

// Pending is a provider whose answer is still out.
type Pending struct {
	Provider string
	Weight   float64 // 0…1
}

const (
	// maxPending bounds how many completions are tried: 5³ = 125.
	maxPending = 3

	// gateSlack is how far from a gate a value must stay to count as surely on one
	// side of it: far above what rounding can do.
	gateSlack = 1e-9
)

// Decided reports whether no way in which the pending providers could still end,
// be it no answer or any decision with any confidence, changes the decision that
// Aggregate gives for the votes: the raw decision stays, and so does the outcome
// of every gate. If so it also gives the lowest and the highest confidence over
// those ends, else zeros.
//
// It may say no where yes were true: at a border nearer than rounding can be
// trusted, and always with more than three pending. Whether there are enough
// votes is for the caller to say. Provider names must differ, across both lists.
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
	// All that is out may join the runner-up. One band is the tie's, the second
	// covers the rounding of sums that are added up in another order.
	if len(pending) > 0 && !(now.margin-out > 2*tieBand*(now.largest+out)) {
		return confidence, false
	}

	ends := extremes{option: now.top, confidence: [2]float64{1, 0}, agreement: [2]float64{1, 0}}
	ends.complete(ballots, count{})
	if now.top != hold && len(pending) > 0 &&
		!(settled(ends.confidence, policy.MinConfidence) && settled(ends.agreement, policy.MinAgreement)) {
		return confidence, false
	}
	return ends.confidence, true
}

// settled reports whether all values of the range are surely on one side of the
// gate. A gate of 0 or less is off.
func settled(values [2]float64, gate float64) bool {
	return gate <= 0 || values[0] >= gate+gateSlack || values[1] <= gate-gateSlack
}

// extremes are the lowest and highest confidence and agreement of an option over
// all completions of a vote.
type extremes struct {
	option                option
	confidence, agreement [2]float64
}

// complete counts the ballots in order, on top of c, once for each end that every
// pending one could come to: none, for or against the option, with confidence 0
// or 1.
//
// Those are enough. Confidence and agreement are monotonic in each missing
// confidence, so their extremes lie at 0 and 1; and which of the two other
// decisions a vote against goes to shows in neither. Since the order of
// counting is Aggregate's, and rounding is monotonic too, no later confidence
// lies outside the range by even one bit.
func (e *extremes) complete(ballots []ballot, c count) {
	for i := range ballots {
		b := &ballots[i]
		if !b.pending {
			c.add(b.option, b.weight, b.confidence)
			continue
		}
		rest := ballots[i+1:]
		e.complete(rest, c)
		for _, o := range [...]option{e.option, (e.option + 1) % 3} {
			for _, confidence := range [...]float64{0, 1} {
				end := c
				end.add(o, b.weight, confidence)
				e.complete(rest, end)
			}
		}
		return
	}
	confidence, agreement := c.confidence(e.option), c.agreement(e.option)
	e.confidence = [2]float64{min(e.confidence[0], confidence), max(e.confidence[1], confidence)}
	e.agreement = [2]float64{min(e.agreement[0], agreement), max(e.agreement[1], agreement)}
}
