package main

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	level := func(n float64) *float64 { return &n }
	vote := func(provider, decision string, confidence, weight float64, levels ...*float64) bareVote {
		v := bareVote{Provider: provider, Decision: decision, Confidence: confidence, Weight: weight, RiskLevel: "low"}
		if len(levels) == 2 {
			v.StopLoss, v.TakeProfit = levels[0], levels[1]
		}
		return v
	}
	tests := []struct {
		name                  string
		votes                 []bareVote
		want                  string
		confidence, agreement float64
		stop                  *float64
		without               []string
	}{
		{"agreement", []bareVote{vote("a", "BUY", .9, 1), vote("b", "BUY", .8, 1), vote("c", "BUY", .85, 1), vote("d", "BUY", .7, 1)},
			"BUY", 0.8125, 1, nil, []string{"BUY", "BUY", "BUY", "BUY"}},
		{"dissent, and a stop on the wrong side", []bareVote{vote("a", "BUY", .85, 1, level(49000), level(52000)), vote("b", "BUY", .8, .9, level(48500), level(52500)),
			vote("c", "HOLD", .75, .8), vote("d", "BUY", 0, 0, level(50001), nil)},
			"BUY", 0.764342, 0.723502, level(48750), []string{"BUY", "BUY", "BUY", "BUY"}},
		{"tie", []bareVote{vote("a", "SELL", .8, 1), vote("b", "BUY", .8, 1)}, "HOLD", 0, 0, nil, []string{"BUY", "SELL"}},
		{"no conviction", []bareVote{vote("a", "BUY", 0, 1)}, "HOLD", 0, 0, nil, []string{"HOLD"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decide(tt.votes, 50000)
			if got.Decision != tt.want || math.Abs(got.Confidence-tt.confidence) > 1e-6 || math.Abs(got.Agreement-tt.agreement) > 1e-6 {
				t.Errorf("got %s, confidence %v, agreement %v, want %s, %v, %v", got.Decision, got.Confidence, got.Agreement, tt.want, tt.confidence, tt.agreement)
			}
			if diff := cmp.Diff(tt.stop, got.StopLoss); diff != "" {
				t.Errorf("stop loss (-want +got):\n%s", diff)
			}
			var without []string
			for _, c := range got.Contributions {
				without = append(without, c.DecisionWithout)
			}
			if !slices.Equal(without, tt.without) {
				t.Errorf("decisions without each vote: got %v, want %v", without, tt.without)
			}
		})
	}
}

func TestParseVoteIsStrict(t *testing.T) {
	const rest = `,"reasoning":"r","risk_level":"low","stop_loss":null,"take_profit":null}`
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"vote", `{"decision":"BUY","confidence":0.8` + rest, true},
		{"percentage", `{"decision":"BUY","confidence":85` + rest, false},
		{"unknown decision", `{"decision":"SHORT","confidence":0.8` + rest, false},
		{"no confidence", `{"decision":"BUY"` + rest, false},
		{"another field", `{"decision":"BUY","confidence":0.8,"note":1` + rest, false},
		{"two votes", `{"decision":"BUY","confidence":0.8` + rest + `{}`, false},
		{"prose", `I would buy.`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseVote(tt.text); (err == nil) != tt.ok {
				t.Errorf("got error %v, want ok = %v", err, tt.ok)
			}
		})
	}
}
