package consensus

// The verdict is what a count says under a policy.

import "thalas/internal/signal"

type verdict struct {
	ranking
	decision   option
	reason     signal.HoldReason // empty unless decision is hold
	confidence float64           // of the raw decision, which is ranking.top
	agreement  float64           // likewise
}

// judge finds the raw decision, then holds a BUY or SELL against the gates; the
// first that fails gives the reason. A gate that is no number lets nothing pass,
// hence the negations.
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
