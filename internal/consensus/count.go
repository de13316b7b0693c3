package consensus

// The count of ballots, and the verdict of a policy on it. The vote itself, the vote
// without one ballot, and the vote with pending ballots are all counted here, so that they
// agree to the last bit.

import "thalas/internal/signal"

// tieBand is how near another weighted vote must be to the largest one to count as equal,
// as a part of the largest. It is much more than rounding can change, and much less than a
// model can mean.
const tieBand = 1e-9

// count sums ballots by option. The zero value is a count without ballots.
type count struct {
	heads    [3]int
	weights  [3]float64 // Σ weight
	weighted [3]float64 // Σ weight × confidence
}

// add counts one vote. The conversion prevents the compiler from fusing product and sum,
// which would round differently on some processors.
func (c *count) add(o option, weight, confidence float64) {
	c.heads[o]++
	c.weights[o] += weight
	c.weighted[o] += float64(weight * confidence)
}

// countWithout counts all ballots but the one at index skip; −1 skips none.
func countWithout(ballots []ballot, skip int) count {
	var c count
	for i := range ballots {
		if b := &ballots[i]; i != skip {
			c.add(b.option, b.weight, b.confidence)
		}
	}
	return c
}

// voters gives the number of counted votes.
func (c *count) voters() int { return c.heads[buy] + c.heads[sell] + c.heads[hold] }

// total gives the sum of the weighted votes.
func (c *count) total() float64 { return c.weighted[buy] + c.weighted[sell] + c.weighted[hold] }

// ranking is the order of the weighted votes.
type ranking struct {
	top     option  // the option with the largest weighted vote; hold if several are tied or all are 0
	largest float64 // its weighted vote
	margin  float64 // the largest weighted vote minus the second largest
	tied    [3]bool // the options with the largest weighted vote
	tie     bool    // there is more than one of them
}

func (c *count) rank() ranking {
	b, s, h := c.weighted[buy], c.weighted[sell], c.weighted[hold]
	r := ranking{top: hold, largest: max(b, s, h)}
	if r.largest == 0 {
		return r
	}
	r.margin = r.largest - max(min(b, s), min(max(b, s), h))
	r.tie = r.margin <= tieBand*r.largest
	for o, w := range c.weighted {
		if r.largest-w <= tieBand*r.largest {
			r.tied[o] = true
			r.top = option(o)
		}
	}
	if r.tie {
		r.top = hold
	}
	return r
}

// confidence gives the supporters' weighted mean confidence, 0…1. The share of opposing
// votes lowers it, at most to 70 %. It is 0 if no vote with a weight supports o.
func (c *count) confidence(o option) float64 {
	if c.weights[o] == 0 {
		return 0
	}
	supporters := float64(c.heads[o]) / float64(c.voters())
	return min(1, c.weighted[o]/c.weights[o]*(0.7+float64(0.3*supporters)))
}

// agreement gives o's share of the weighted votes, 0…1. It is 0 if all of them are 0.
func (c *count) agreement(o option) float64 {
	total := c.total()
	if total == 0 {
		return 0
	}
	return c.weighted[o] / total
}

type verdict struct {
	ranking
	decision   option
	reason     signal.HoldReason // empty unless decision is hold
	confidence float64           // of the raw decision, which is ranking.top
	agreement  float64           // likewise
}

// judge finds the raw decision, and checks a BUY or SELL against the gates. The first gate
// that fails gives the reason. The comparisons are negated so that a gate of NaN lets
// nothing pass.
func judge(c *count, policy *Policy) verdict {
	v := verdict{ranking: c.rank()}
	v.confidence = c.confidence(v.top)
	v.agreement = c.agreement(v.top)
	switch {
	case v.largest == 0:
		v.reason = signal.HoldNoConviction
	case v.tie:
		v.reason = signal.HoldTie
	case v.top == hold:
		v.reason = signal.HoldVoted
	case !(v.confidence >= policy.MinConfidence):
		v.reason = signal.HoldBelowMinConfidence
	case !(v.agreement >= policy.MinAgreement):
		v.reason = signal.HoldBelowMinAgreement
	}
	v.decision = v.top
	if v.reason != "" {
		v.decision = hold
	}
	return v
}
