package provider

// What an answer has to be to count, whoever brought it. The adapters never let
// anything else through; a provider of one's own may.

import (
	"math"

	"thalas/internal/signal"
)

// problem says what keeps a ballot from being counted; empty: nothing.
func (b Ballot) problem() string {
	switch {
	case b.Decision != signal.Buy && b.Decision != signal.Sell && b.Decision != signal.Hold:
		return "a decision that is none of BUY, SELL, HOLD"
	case !(b.Confidence >= 0 && b.Confidence <= 1):
		return "a confidence outside 0…1"
	}
	return ""
}

// tidied is b as ParseBallot would give it: what may be missing is nil where it
// is wrong, and the text is cleaned.
func (b Ballot) tidied() Ballot {
	b.Confidence += 0 // there is no -0
	b.Reasoning = cleaner{}.text(b.Reasoning, maxReasoning)
	if b.RiskLevel != nil && *b.RiskLevel != signal.Low && *b.RiskLevel != signal.Medium && *b.RiskLevel != signal.High {
		b.RiskLevel = nil
	}
	if b.StopLoss != nil && !isFinite(*b.StopLoss) {
		b.StopLoss = nil
	}
	if b.TakeProfit != nil && !isFinite(*b.TakeProfit) {
		b.TakeProfit = nil
	}
	return b
}

// possible is u without impossible figures, which make it unknown.
func (u Usage) possible() Usage {
	if u.InputTokens < 0 || u.OutputTokens < 0 || u.CachedTokens < 0 {
		return Usage{}
	}
	if u.CostUSD != nil && !(*u.CostUSD >= 0 && *u.CostUSD <= maxCost) {
		u.CostUSD = nil
	}
	return u
}

// add counts an attempt's usage in.
func (u *Usage) add(attempt Usage) {
	attempt = attempt.possible()
	if !attempt.Known && attempt.CostUSD == nil {
		return
	}
	cost := attempt.CostUSD
	if u.Known {
		if u.CostUSD == nil || cost == nil {
			cost = nil
		} else {
			sum := *u.CostUSD + *cost
			cost = &sum
		}
	}
	u.Known = true
	u.InputTokens += attempt.InputTokens
	u.CachedTokens += attempt.CachedTokens
	u.OutputTokens += attempt.OutputTokens
	u.CostUSD = cost
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
