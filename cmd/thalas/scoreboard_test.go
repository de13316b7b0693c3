package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"thalas/internal/outcome"
)

// Every verdict in words, in lines of at most 80 columns.
func TestScoreboardText(t *testing.T) {
	score := func(voter, model string, verdict outcome.Verdict, value outcome.Verdict, rate, low, high float64) outcome.Score {
		s := outcome.Score{
			Voter: voter, Directional: 12034, Buys: 8000, Hits: int(12034 * rate), HitRate: &rate, Low: &low, High: &high, NEff: 1063.4, Chance: ptr(.502),
			StatedConfidenceMean: ptr(.81), BrierStated: ptr(.31), CostUSDMean: ptr(.004123456), Verdict: verdict,
			NetReturn: outcome.Estimate{Mean: ptr(.00004), Low: ptr(-.0012), High: ptr(.0013)}, Reliability: []outcome.Reliability{},
		}
		if model != "" {
			s.Model = &model
			s.Value = &outcome.Value{Results: 12500, Changed: 310, Estimate: s.NetReturn, Verdict: value}
		}
		return s
	}
	whole := score("consensus", "", outcome.BeatsCosts, "", .81, .78, .83)
	whole.BrierPublished, whole.Published = ptr(.243), 9000
	whole.Reliability = []outcome.Reliability{{N: 6034, StatedMean: .71, HitRate: .52, Low: .4, High: .64}, {N: 6000, StatedMean: .95, HitRate: .55, Low: .5, High: .6}}
	helps := score("anthropic", "claude-1", outcome.BetterThanChance, outcome.Helps, .56, .53, .58)
	helps.Value.BreakEvenNotionalUSD, helps.Early = ptr(123.4), 17
	hurts := score("a-provider-with-a-long-name", "a-model-with-a-very-long-name/of-many-parts/that-does-not-fit-on-one-line-of-80-columns", outcome.WorseThanChance, outcome.Hurts, .4, .38, .43)
	same := score("anthropic", "claude-2", outcome.NotDistinguishable, outcome.NotDistinguishable, .5, .48, .52)
	none := outcome.Score{Voter: "grok", Model: ptr("grok-1"), Verdict: outcome.TooFew, Value: &outcome.Value{Verdict: outcome.TooFew}}
	blocks := same
	blocks.Verdict = outcome.TooFew // by its days
	board := &outcome.Scoreboard{From: "2025-11-25", To: "2026-11-25", PromptVersion: "3f6c1f0a", Boards: []outcome.Board{
		{Timeframe: "5m", Pending: 3, Unresolved: map[outcome.Reason]int{outcome.Gap: 4, outcome.PriceMismatch: 1}},
		{Timeframe: "1h", Settled: 12500, Cost: ptr(.003), MeanAbsMove: ptr(.0061), BreakEvenHitRate: ptr(.7459), AlwaysBuy: ptr(-.0028), Voters: []outcome.Score{whole, helps, hurts, same, none, blocks}},
		{Timeframe: "4h", Settled: 1, Cost: ptr(.003), MeanAbsMove: ptr(.0001), BreakEvenHitRate: ptr(15.5), AlwaysBuy: ptr(-.003), Voters: []outcome.Score{none}},
		{Timeframe: "1d", Settled: 1, Cost: ptr(.003), MeanAbsMove: ptr(0.), AlwaysBuy: ptr(-.003)},
	}}
	var out bytes.Buffer
	got := scoreboardText(terminal{}.stylesFor(&out), board)
	golden(t, "scoreboard-verdicts", got)
	for line := range strings.Lines(got) {
		if n := lipgloss.Width(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if empty := scoreboardText(terminal{}.stylesFor(&out), &outcome.Scoreboard{}); !strings.Contains(empty, "no results of these days") {
		t.Errorf("an empty one says\n%s", empty)
	}
}
