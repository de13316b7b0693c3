package consensus_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

// leveledVotes are the votes of the second worked example, with levels and risk.
func leveledVotes(t testing.TB) []signal.Vote {
	votes := parseVotes(t, "anthropic:BUY@.85(1.0) gemini:HOLD@.75(.8) openai:BUY@.8(.9)")
	stops, targets := []float64{49000, 47000, 48500}, []float64{52000, 51000, 52500}
	risks := []signal.RiskLevel{signal.Low, signal.High, signal.Medium}
	for i := range votes {
		votes[i].StopLoss, votes[i].TakeProfit, votes[i].RiskLevel = &stops[i], &targets[i], &risks[i]
	}
	return votes
}

func TestLevelsOfTheWorkedExample(t *testing.T) {
	got := consensus.Aggregate(leveledVotes(t), consensus.Policy{MinConfidence: 0.5, Price: 50000})
	wantStop, wantTarget := 48750.0, 52250.0
	if diff := cmp.Diff(&wantStop, got.SuggestedStopLoss); diff != "" {
		t.Errorf("stop loss (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&wantTarget, got.SuggestedTakeProfit); diff != "" {
		t.Errorf("take profit (-want +got):\n%s", diff)
	}
	if got.RiskLevel != signal.High {
		t.Errorf("risk: got %s, want high", got.RiskLevel)
	}
}

func TestSuggestedLevels(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	stop := func(provider, message string) signal.Warning {
		return signal.Warning{Code: signal.WarnStopLossWrongSide, Provider: provider, Message: message}
	}
	target := func(provider, message string) signal.Warning {
		return signal.Warning{Code: signal.WarnTakeProfitWrongSide, Provider: provider, Message: message}
	}
	const none = -1 // in want: nil
	tests := []struct {
		name                 string
		votes                string
		policy               consensus.Policy
		stops, targets       map[string]float64
		wantStop, wantTarget float64
		wantWarnings         []signal.Warning
	}{
		{name: "odd count", votes: "a:BUY@.9 b:BUY@.9 c:BUY@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": 98, "b": 90, "c": 97}, targets: map[string]float64{"a": 101, "b": 130, "c": 102},
			wantStop: 97, wantTarget: 102},
		{name: "even count, of a SELL", votes: "a:SELL@.9 b:SELL@.9 c:SELL@.9 d:SELL@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": 108, "b": 101, "c": 103, "d": 102}, targets: map[string]float64{"a": 90, "b": 95},
			wantStop: 102.5, wantTarget: 92.5},
		{name: "one-sided", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"b": 95}, wantStop: 95, wantTarget: none},
		{name: "only supporters' levels count", votes: "a:BUY@.9 b:SELL@.1 c:HOLD@.1", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": 95, "b": 80, "c": 120}, targets: map[string]float64{"b": 70, "c": 1},
			wantStop: 95, wantTarget: none},
		{name: "wrong side of a BUY", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: 50000},
			stops: map[string]float64{"a": 51000, "b": 49000}, targets: map[string]float64{"a": 52000, "b": 50000},
			wantStop: 49000, wantTarget: 52000,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 51000 was left out: for a BUY it must be below the price 50000 and at most 50 % from it"),
				target("b", "take profit 50000 was left out: for a BUY it must be above the price 50000 and at most 50 % from it"),
			}},
		{name: "wrong side of a SELL", votes: "a:SELL@.9 b:SELL@.8", policy: consensus.Policy{Price: 0.00001234},
			stops: map[string]float64{"a": 0.00001233}, targets: map[string]float64{"a": 0.00001235},
			wantStop: none, wantTarget: none,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 0.00001233 was left out: for a SELL it must be above the price 0.00001234 and at most 50 % from it"),
				target("a", "take profit 0.00001235 was left out: for a SELL it must be below the price 0.00001234 and at most 50 % from it"),
			}},
		{name: "a percentage instead of a price", votes: "a:BUY@.9 b:BUY@.9 c:BUY@.9", policy: consensus.Policy{Price: 50000},
			stops: map[string]float64{"a": 2, "b": 49000, "c": 48000}, targets: map[string]float64{"a": 4, "b": 52000, "c": 500000},
			wantStop: 48500, wantTarget: 52000,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 2 was left out: for a BUY it must be below the price 50000 and at most 50 % from it"),
				target("a", "take profit 4 was left out: for a BUY it must be above the price 50000 and at most 50 % from it"),
				target("c", "take profit 500000 was left out: for a BUY it must be above the price 50000 and at most 50 % from it"),
			}},
		{name: "a percentage instead of a price, of a SELL", votes: "a:SELL@.9 b:SELL@.8", policy: consensus.Policy{Price: 0.5},
			stops: map[string]float64{"a": 2, "b": 0.51}, targets: map[string]float64{"a": 0.04},
			wantStop: 0.51, wantTarget: none,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 2 was left out: for a SELL it must be above the price 0.5 and at most 50 % from it"),
				target("a", "take profit 0.04 was left out: for a SELL it must be below the price 0.5 and at most 50 % from it"),
			}},
		{name: "half the price away, and just further", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: 50000},
			stops: map[string]float64{"a": 25000, "b": 24999.99}, targets: map[string]float64{"a": 75000, "b": 75000.01},
			wantStop: 25000, wantTarget: 75000,
			wantWarnings: []signal.Warning{
				stop("b", "stop loss 24999.99 was left out: for a BUY it must be below the price 50000 and at most 50 % from it"),
				target("b", "take profit 75000.01 was left out: for a BUY it must be above the price 50000 and at most 50 % from it"),
			}},
		{name: "half the price away, which floating point makes more", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: 0.3},
			stops: map[string]float64{"a": 0.15}, targets: map[string]float64{"a": 0.45},
			wantStop: 0.15, wantTarget: 0.45},
		{name: "no prices", votes: "a:BUY@.9 b:BUY@.9 c:BUY@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": 0, "b": -5, "c": nan}, targets: map[string]float64{"a": inf},
			wantStop: none, wantTarget: none,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 0 was left out: for a BUY it must be below the price 100 and at most 50 % from it"),
				target("a", "take profit +Inf was left out: for a BUY it must be above the price 100 and at most 50 % from it"),
				stop("b", "stop loss -5 was left out: for a BUY it must be below the price 100 and at most 50 % from it"),
				stop("c", "stop loss NaN was left out: for a BUY it must be below the price 100 and at most 50 % from it"),
			}},
		{name: "sizes nobody can read in full", votes: "a:SELL@.9 b:SELL@.9", policy: consensus.Policy{Price: 1e-20},
			targets: map[string]float64{"a": 1e300}, wantStop: none, wantTarget: none,
			wantWarnings: []signal.Warning{
				target("a", "take profit 1e+300 was left out: for a SELL it must be below the price 1e-20 and at most 50 % from it"),
			}},
		{name: "unknown price", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: inf},
			stops: map[string]float64{"a": 90}, wantStop: none, wantTarget: none,
			wantWarnings: []signal.Warning{
				stop("a", "stop loss 90 was left out: for a BUY it must be below the price +Inf and at most 50 % from it"),
			}},
		{name: "mean beyond the largest sum", votes: "a:BUY@.9 b:BUY@.9", policy: consensus.Policy{Price: 1.4e308},
			targets: map[string]float64{"a": 1.5e308, "b": 1.7e308}, wantStop: none, wantTarget: 1.6e308},
		{name: "gated: warned about, not suggested", votes: "a:BUY@.4 b:BUY@.4", policy: consensus.Policy{Price: 100, MinConfidence: 0.5},
			stops: map[string]float64{"a": 90, "b": 110}, wantStop: none, wantTarget: none,
			wantWarnings: []signal.Warning{
				stop("b", "stop loss 110 was left out: for a BUY it must be below the price 100 and at most 50 % from it"),
			}},
		{name: "HOLD: not judged", votes: "a:HOLD@.9 b:HOLD@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": -1}, wantStop: none, wantTarget: none},
		{name: "tie: not judged", votes: "a:BUY@.9 b:SELL@.9", policy: consensus.Policy{Price: 100},
			stops: map[string]float64{"a": 110, "b": 90}, wantStop: none, wantTarget: none},
		{name: "more than fit inline", votes: "a:BUY@.9 b:BUY@.9 c:BUY@.9 d:BUY@.9 e:BUY@.9 f:BUY@.9 g:BUY@.9 h:BUY@.9 i:BUY@.9",
			policy:   consensus.Policy{Price: 100},
			stops:    map[string]float64{"a": 91, "b": 92, "c": 93, "d": 94, "e": 99, "f": 98, "g": 97, "h": 96, "i": 95},
			wantStop: 95, wantTarget: none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			votes := parseVotes(t, tt.votes)
			for i := range votes {
				if level, given := tt.stops[votes[i].Provider]; given {
					votes[i].StopLoss = &level
				}
				if level, given := tt.targets[votes[i].Provider]; given {
					votes[i].TakeProfit = &level
				}
			}
			got := consensus.Aggregate(votes, tt.policy)
			for _, level := range []struct {
				name string
				got  *float64
				want float64
			}{{"stop loss", got.SuggestedStopLoss, tt.wantStop}, {"take profit", got.SuggestedTakeProfit, tt.wantTarget}} {
				want := &level.want
				if level.want == none {
					want = nil
				}
				if diff := cmp.Diff(want, level.got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", level.name, diff)
				}
			}
			want := append([]signal.Warning{}, tt.wantWarnings...)
			if diff := cmp.Diff(want, got.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
