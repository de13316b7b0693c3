package consensus_test

// Writing votes in tests, and drawing them for properties.

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

// parseVotes reads "a:BUY@.9 b:SELL@.8(.5)": name, decision, confidence, weight
// (1 if missing). The reasoning is "<name> says <decision>".
func parseVotes(t testing.TB, text string) []signal.Vote {
	t.Helper()
	var votes []signal.Vote
	for _, word := range strings.Fields(text) {
		name, rest, _ := strings.Cut(word, ":")
		decision, rest, _ := strings.Cut(rest, "@")
		confidence, weight, weighted := strings.Cut(strings.TrimSuffix(rest, ")"), "(")
		if !weighted {
			weight = "1"
		}
		votes = append(votes, signal.Vote{
			Provider: name, Decision: signal.Decision(decision), Reasoning: name + " says " + decision,
			Confidence: parseFloat(t, confidence), Weight: parseFloat(t, weight),
		})
	}
	return votes
}

func parseFloat(t testing.TB, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("bad number in the table: %v", err)
	}
	return x
}

// without copies all votes but the one at index i.
func without(votes []signal.Vote, i int) []signal.Vote {
	rest := append([]signal.Vote{}, votes[:i]...)
	return append(rest, votes[i+1:]...)
}

func reasonOf(out consensus.Outcome) signal.HoldReason {
	if out.HoldReason == nil {
		return ""
	}
	return *out.HoldReason
}

// grid draws 0, 0.05, …, 1, which often gives ties.
var grid = rapid.Map(rapid.IntRange(0, 20), func(i int) float64 { return float64(i) / 20 })

// unit draws from 0…1, including both ends and very small numbers.
var unit = rapid.OneOf(grid, rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, 5e-324, 1e-300, 1e-16, 3e-16}))

// nudge draws relative differences near those at which rounding, the tie band and the slack at
// the gates matter.
var nudge = rapid.SampledFrom([]float64{
	0, 1e-16, -1e-16, 1e-12, -1e-12, 0.9e-9, -0.9e-9, 1e-9, -1e-9, 1.1e-9, -1.1e-9, 2e-9, -2e-9, 3e-9, -3e-9, 1e-7, -1e-7,
})

var decision = rapid.SampledFrom(signal.Decisions[:])

// names draws the providers of a run in random order, so that pending ones are between the
// others.
var names = rapid.Permutation([]string{"anthropic", "azure", "deepseek", "gemini", "grok", "mistral", "openai", "qwen"})

// price is the current price in properties.
const price = 100.0

var level = rapid.Ptr(rapid.OneOf(
	rapid.Float64Range(50, 150),
	rapid.SampledFrom([]float64{price, 0, -1, 5e-324, 1.7e308, 99.99999999999999}),
), true)

// drawVotes draws n votes whose confidences and weights are drawn from number.
func drawVotes(t *rapid.T, names []string, n int, number *rapid.Generator[float64]) []signal.Vote {
	votes := make([]signal.Vote, n)
	for i := range votes {
		votes[i] = signal.Vote{
			Provider: names[i], Decision: decision.Draw(t, "decision"),
			Confidence: number.Draw(t, "confidence"), Weight: number.Draw(t, "weight"),
			Reasoning: "as " + names[i] + " sees it",
			RiskLevel: rapid.Ptr(rapid.SampledFrom([]signal.RiskLevel{signal.Low, signal.Medium, signal.High}), true).Draw(t, "risk"),
			StopLoss:  level.Draw(t, "stop"), TakeProfit: level.Draw(t, "target"),
		}
	}
	return votes
}

// nearTie gives the first two votes different decisions, with weighted votes that differ by a
// nudge.
func nearTie(t *rapid.T, votes []signal.Vote) {
	if len(votes) < 2 || !rapid.Bool().Draw(t, "near tie") {
		return
	}
	a, b := &votes[0], &votes[1]
	b.Weight = 1
	b.Confidence = min(1, max(0, a.Weight*a.Confidence*(1+nudge.Draw(t, "tie nudge"))))
}
