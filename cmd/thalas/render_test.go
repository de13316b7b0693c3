package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func ptr[T any](v T) *T { return &v }

func vote(provider string, d signal.Decision, confidence, weight float64) signal.Vote {
	return signal.Vote{
		Provider: provider, Model: provider + "-model-1", Decision: d, Confidence: confidence, Weight: weight,
		Reasoning: provider + " sees it in the RSI of 30.", RiskLevel: ptr(signal.Medium),
		LatencyMS: 812.4, Attempts: 1, InputTokens: 1900, OutputTokens: 140, CostUSD: ptr(0.00026),
	}
}

// decided gives the result of the votes as a run would.
func decided(price float64, policy consensus.Policy, votes ...signal.Vote) *signal.Consensus {
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		panic(err)
	}
	policy.Price = price
	o := consensus.Aggregate(votes, policy)
	at := time.Date(2026, 11, 23, 5, 0, 1, 250e6, time.UTC)
	return &signal.Consensus{
		ID: "01930000-0000-7000-8000-000000000000", Status: signal.Complete, Pair: pair, Timeframe: "5m", CurrentPrice: price,
		Decision: o.Decision, RawDecision: o.RawDecision, HoldReason: o.HoldReason, Confidence: o.Confidence, AgreementScore: o.AgreementScore,
		Reasoning: o.Reasoning, RiskLevel: o.RiskLevel, SuggestedStopLoss: o.SuggestedStopLoss, SuggestedTakeProfit: o.SuggestedTakeProfit,
		TotalProviders: len(votes), ParticipatingProviders: len(votes), VoteBreakdown: o.VoteBreakdown, WeightedVotes: o.WeightedVotes, Responses: o.Votes,
		Explanation: o.Explanation, Warnings: o.Warnings, Policy: &signal.Policy{MinProviders: 1, MinConfidence: policy.MinConfidence, MinAgreement: policy.MinAgreement},
		TotalLatencyMS: 1234.5, OverheadMS: 0.417, TotalCostUSD: 0.00078, TotalTokens: 6120,
		Timestamp: at, CandleTime: at.Add(-5 * time.Minute).Truncate(5 * time.Minute), ValidUntil: at.Add(5 * time.Minute).Truncate(5 * time.Minute),
	}
}

func rendered(t *testing.T, width int, c *signal.Consensus) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := out.WriteString(render(terminal{}.stylesFor(&out), width, c)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRender(t *testing.T) {
	usual := consensus.Policy{MinConfidence: 0.5}
	three := func() []signal.Vote {
		a, o, g := vote("anthropic", signal.Buy, .85, 1), vote("openai", signal.Buy, .8, .9), vote("gemini", signal.Hold, .75, .8)
		a.StopLoss, a.TakeProfit, o.StopLoss, o.TakeProfit = ptr(49000.), ptr(52000.), ptr(48500.), ptr(52500.)
		return []signal.Vote{a, o, g}
	}
	tests := []struct {
		name   string
		width  int
		policy consensus.Policy
		make   func(policy consensus.Policy) *signal.Consensus
	}{
		{"complete", 80, usual, func(p consensus.Policy) *signal.Consensus {
			c := decided(50000, p, three()...)
			c.Probability = &signal.Probability{Value: ptr(.531), Low: ptr(.47), High: ptr(.59), NEff: ptr(163.), Needed: 100, BreakEven: ptr(.7459), HorizonCandles: 3}
			return c
		}},
		{"complete-wide", 120, usual, func(p consensus.Policy) *signal.Consensus { return decided(50000, p, three()...) }},
		{"simulated-narrow", 40, usual, func(p consensus.Policy) *signal.Consensus {
			c := decided(50000, p, three()...)
			c.Simulated = true
			return c
		}},
		{"degraded", 80, usual, func(p consensus.Policy) *signal.Consensus {
			c := decided(50000, p, three()...)
			c.Status, c.TotalProviders = signal.Degraded, 5
			c.Failures = []signal.Failure{
				{Provider: "grok", Error: signal.FailureAuthentication, Message: "grok answered 400: Incorrect API key provided; check GROK_API_KEY", Attempts: 1, LatencyMS: 88.2},
				{Provider: "zeus", Error: signal.FailureTimeout, Message: "no answer within 20s", Attempts: 2, LatencyMS: 20000.3},
			}
			return c
		}},
		{"held-by-vote", 80, usual, func(p consensus.Policy) *signal.Consensus {
			return decided(50000, p, vote("anthropic", signal.Hold, .9, 1), vote("openai", signal.Buy, .4, 1))
		}},
		{"held-tie", 80, usual, func(p consensus.Policy) *signal.Consensus {
			return decided(50000, p, vote("anthropic", signal.Sell, .8, 1), vote("openai", signal.Buy, .8, 1))
		}},
		{"held-no-conviction", 80, usual, func(p consensus.Policy) *signal.Consensus {
			return decided(50000, p, vote("anthropic", signal.Buy, 0, 1), vote("openai", signal.Buy, .8, 0))
		}},
		{"held-below-min-confidence", 80, usual, func(p consensus.Policy) *signal.Consensus {
			// Rounded, this confidence would be the gate's 0.5.
			return decided(50000, p, vote("anthropic", signal.Buy, .4999999999, 1))
		}},
		{"held-below-min-agreement", 80, consensus.Policy{MinConfidence: .5, MinAgreement: .8}, func(p consensus.Policy) *signal.Consensus {
			return decided(50000, p, three()...)
		}},
		{"no-gates", 80, consensus.Policy{}, func(p consensus.Policy) *signal.Consensus { return decided(50000, p, three()...) }},
		{"decided-early", 80, usual, func(p consensus.Policy) *signal.Consensus {
			c := decided(50000, p, three()...)
			c.TotalProviders, c.DecidedEarly, c.ConfidenceRange = 4, true, &[2]float64{.71, .8125}
			c.Failures = []signal.Failure{{Provider: "grok", Error: signal.FailureNotNeeded, Message: "cancelled before it answered", Attempts: 1}}
			return c
		}},
		{"warnings-and-unknown-costs", 80, usual, func(p consensus.Policy) *signal.Consensus {
			votes := three()
			votes[0].StopLoss = ptr(51000.)
			votes[1].CostUSD, votes[1].InputTokens, votes[1].OutputTokens, votes[1].Attempts = nil, 0, 0, 3
			c := decided(50000, p, votes...)
			c.Warnings = append(c.Warnings,
				signal.Warning{Code: signal.WarnUnknownPrice, Provider: "openai", Message: "no price is known for model gpt-x: its cost is not in total_cost_usd"},
				signal.Warning{Code: signal.WarnStaleCandles, Message: "the newest candle opened at 2020-04-17T00:00:00Z, more than two timeframes of 5m ago"})
			c.ValidUntil = c.Timestamp
			return c
		}},
		{"single-vote", 80, usual, func(p consensus.Policy) *signal.Consensus {
			return decided(50000, p, vote("grok", signal.Sell, .7, .7))
		}},
		{"tiny-price", 80, usual, func(p consensus.Policy) *signal.Consensus {
			v := vote("grok", signal.Buy, .7, 1)
			v.StopLoss, v.TakeProfit, v.CostUSD = ptr(0.0000123399), ptr(0.000012345678901), ptr(0.0000000125)
			return decided(0.00001234, p, v)
		}},
		{"long-texts", 80, usual, func(p consensus.Policy) *signal.Consensus {
			votes := three()
			votes[0].Reasoning = strings.Repeat("The trend is up and the volume confirms it. ", 8) + strings.Repeat("x", 200) + " " + strings.Repeat("価格は上昇", 30)
			votes[1].Model = "a-model-with-a-name-that-is-much-longer-than-any-other-2026-11-23-preview"
			return decided(50000, p, votes...)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := rendered(t, tt.width, tt.make(tt.policy))
			golden(t, tt.name, got)
			for line := range strings.Lines(got) {
				if line != strings.TrimRight(line, " \n")+"\n" {
					t.Errorf("blanks at the end of %q", line)
				}
			}
		})
	}
}

// What a provider says is cleaned where it comes in. Should that ever be missed,
// it must still not steer the terminal.
func TestRenderLetsNothingSteerTheTerminal(t *testing.T) {
	const hostile = "a\x1b[2J\x1b]0;owned\a b\r\nc\u202egnp.exe\u200b \x9b31m\xff d"
	a, o := vote("anthropic", signal.Buy, .8, 1), vote("openai", signal.Sell, .7, 1)
	a.Reasoning, a.Model, o.Reasoning = hostile, hostile, hostile
	policy := consensus.Policy{MinConfidence: .5}
	c := decided(50000, policy, a, o)
	c.Failures = []signal.Failure{{Provider: "grok", Error: signal.FailureProvider, Message: hostile}}
	c.Warnings = []signal.Warning{{Code: "new", Provider: "grok", Message: hostile}}
	got := rendered(t, 80, c)
	var screen bytes.Buffer
	l := newLive(&screen, terminal{}.stylesFor(&screen), nil)
	l.step(stepOf(a))
	l.step(failedStep("grok", hostile))
	l.end()
	for _, text := range []string{got, screen.String()} {
		if strings.ContainsAny(text, "\x1b\a\r\u0085\u009b\u202e\u200b") || !utf8.ValidString(text) {
			t.Errorf("control characters get through: %q", text)
		}
	}
}
