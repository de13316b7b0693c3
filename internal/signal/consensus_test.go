package signal_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files")

// full is a Consensus with something in every field.
func full(t *testing.T) signal.Consensus {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	reason, low, buy := signal.HoldBelowMinAgreement, signal.Low, signal.Buy
	stop, target, cost := 49000.0, 0.00001234, 0.0003
	at := time.Date(2026, 11, 23, 5, 0, 1, 250_000_000, time.UTC)
	return signal.Consensus{
		ID: "019a0000-0000-7000-8000-000000000000", Status: signal.Degraded, Simulated: true,
		Pair: pair, Timeframe: "5m", CurrentPrice: 50000,
		Decision: signal.Hold, RawDecision: signal.Buy, HoldReason: &reason,
		Confidence: 0.74368421052631582, WeightedConfidence: 0.74368421052631582, AgreementScore: 0.7235023041474654,
		Reasoning: "Consensus (2/3 providers agree): momentum", RiskLevel: signal.High, SuggestedStopLoss: &stop, SuggestedTakeProfit: &target,
		TotalProviders: 4, ParticipatingProviders: 3,
		VoteBreakdown: signal.Tally[int]{Buy: 2, Hold: 1}, WeightedVotes: signal.Tally[float64]{Buy: 1.57, Hold: 0.6},
		Responses: []signal.Vote{
			{
				Provider: "anthropic", Model: "claude", Decision: signal.Buy, Confidence: 0.85, Weight: 1, Reasoning: "momentum", RiskLevel: &low,
				StopLoss: &stop, TakeProfit: &target, LatencyMS: 812.4, Attempts: 1, InputTokens: 1900, OutputTokens: 140, CostUSD: &cost,
			},
			{Provider: "gemini", Model: "gemini", Decision: signal.Hold, Confidence: 0.75, Weight: 0.8, Reasoning: "unsure", LatencyMS: 900, Attempts: 2},
		},
		Failures: []signal.Failure{{
			Provider: "grok", Error: signal.FailureTimeout, Message: "no answer within 20s", Retryable: true, Attempts: 1, LatencyMS: 20000,
			InputTokens: 1, OutputTokens: 1, CostUSD: &cost, Model: "not shown",
		}},
		Explanation: signal.Explanation{
			Contributions: []signal.Contribution{
				{Provider: "anthropic", Share: 0.391705, Supports: true, DecisionWithout: &buy},
				{Provider: "gemini", Share: 0.276498, Pivotal: true},
			},
			Margin: 0.97, Stability: 0.5, Dissent: &signal.Dissent{Provider: "gemini", Decision: signal.Hold, Confidence: 0.75, Reasoning: "unsure"},
		},
		Warnings: []signal.Warning{
			{Code: signal.WarnStopLossWrongSide, Provider: "openai", Message: "stop loss above the price"},
			{Code: signal.WarnStaleCandles, Message: "the newest candle is old"},
		},
		TotalLatencyMS: 20000.9, OverheadMS: 0.9, TotalCostUSD: 0.0085, TotalTokens: 6120,
		Timestamp: at, CandleTime: at.Truncate(5 * time.Minute).Add(-5 * time.Minute), ValidUntil: at.Truncate(5 * time.Minute).Add(5 * time.Minute),
		PromptVersion: "p1", Cache: signal.CacheMiss, VotesAt: time.Date(2026, 11, 23, 5, 0, 1, 250e6, time.UTC), DecidedEarly: true, ConfidenceRange: &[2]float64{0.7, 0.8},
		Policy:      &signal.Policy{MinProviders: 2, MinConfidence: 0.5, MinAgreement: 0.75},
		Probability: &signal.Probability{NEff: new(37.0), Needed: 100, BreakEven: new(0.7459), HorizonCandles: 3, Reason: new(signal.ProbabilityTooFew)},
	}
}

func TestConsensusGolden(t *testing.T) {
	const file = "testdata/consensus.golden.json"
	got, err := json.MarshalIndent(full(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the public JSON has changed, run with -update if that is meant:\n%s", diff)
	}
	var back signal.Consensus
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	want2 := full(t)
	want2.Failures[0] = signal.Failure{Provider: "grok", Error: signal.FailureTimeout, Message: "no answer within 20s", Retryable: true, Attempts: 1, LatencyMS: 20000}
	if diff := cmp.Diff(want2, back, cmp.Comparer(func(a, b signal.Pair) bool { return a == b })); diff != "" {
		t.Errorf("it reads back differently:\n%s", diff)
	}
}

// testdata/contract.json is the example of the public contract. The keys must be the same, in
// the same order.
func TestConsensusHasTheContractsKeys(t *testing.T) {
	contract, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	c := full(t)
	c.Responses, c.Warnings, c.Explanation.Contributions = c.Responses[:1], c.Warnings[:1], c.Explanation.Contributions[:1]
	c.HoldReason, c.ConfidenceRange = nil, nil
	got, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(t, contract), keys(t, got)); diff != "" {
		t.Error(diff)
	}
	var read signal.Consensus
	if err := json.Unmarshal(contract, &read); err != nil {
		t.Errorf("the contract's example cannot be read: %v", err)
	}
}

// keys lists the keys of a JSON document in order, with the keys around them.
func keys(t *testing.T, data []byte) []string {
	t.Helper()
	type level struct {
		object, key bool // key: the next token is a key
		path        string
	}
	var found []string
	stack := []level{{}}
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.Token()
		if err != nil {
			return found
		}
		top := &stack[len(stack)-1]
		if name, isText := token.(string); top.object && top.key && isText {
			found = append(found, top.path+name)
			top.key = false
			continue
		}
		top.key = top.object
		switch token {
		case json.Delim('{'), json.Delim('['):
			path := top.path
			if len(stack) > 1 && top.object {
				path = found[len(found)-1] + "."
			}
			object := token == json.Delim('{')
			stack = append(stack, level{object, object, path})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			stack[len(stack)-1].key = stack[len(stack)-1].object
		}
	}
}
