package orchestrator_test

// The result as it is sent, and its candle.

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files")

// full gives a result with something in every field: votes for and against, a failure,
// warnings, an early decision.
func full(t *testing.T) (result *signal.Consensus) {
	leveled := func(turn turn, risk signal.RiskLevel, stop, target float64) turn {
		b := &turn.answer.Ballot
		b.RiskLevel, b.StopLoss, b.TakeProfit = &risk, &stop, &target
		return turn
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(123 * time.Second) // so that no candle opens now
		anthropic := leveled(buys(.85), signal.Low, 49000, 52000).in(812400*time.Microsecond).costing(1900, 140, .0003)
		anthropic.answer.Model = "anthropic-1-20261001"
		mistral := plays("mistral", buys(.9).in(time.Hour)).weighing(.1)
		off := plays("off", buys(.9))
		off.Disabled = true
		o := over(t, orchestrator.Options{Simulated: true}, plays("anthropic", anthropic), off,
			plays("gemini", leveled(holds(.75), signal.High, 0, 0).in(time.Second).costing(1800, 120, -1)).weighing(.8),
			plays("grok", fails(signal.FailureAuthentication, "grok answered 400; check GROK_API_KEY").in(time.Second/2)),
			plays("openai", leveled(buys(.8), signal.Medium, 51000, 52500).in(2*time.Second).costing(2000, 160, .004)).weighing(.9),
			mistral)
		result = ask(t, o, question(t, decided, func(r *orchestrator.Request) {
			r.Weights = map[string]float64{"Off": 1}
			r.MarketData = market(t, `{"rsi": 65.5, "recent_candles": [{"time": "1999-12-31T23:40:00Z", "open": 49900, "high": 50100, "low": 49800, "close": 50000, "volume": 12.5}]}`)
		}))
	})
	return result
}

func TestGoldenResult(t *testing.T) {
	result := full(t)
	if id, err := uuid.Parse(result.ID); err != nil || id.Version() != 7 {
		t.Errorf("id %q is no UUIDv7", result.ID)
	}
	if result.PromptVersion != provider.PromptVersion() {
		t.Errorf("prompt_version %q, want %q", result.PromptVersion, provider.PromptVersion())
	}
	result.ID, result.PromptVersion = "019a…", "…"
	got, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/result.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// The names in JSON, in the documented order.
func TestResultKeys(t *testing.T) {
	document, err := json.Marshal(full(t))
	if err != nil {
		t.Fatal(err)
	}
	vote := []string{"provider", "model", "decision", "confidence", "weight", "reasoning", "risk_level", "stop_loss", "take_profit",
		"latency_ms", "attempts", "input_tokens", "output_tokens", "cost_usd"}
	tests := []struct {
		path []string
		want []string
	}{
		{nil, []string{"id", "status", "simulated", "pair", "timeframe", "current_price", "decision", "raw_decision", "hold_reason",
			"confidence", "weighted_confidence", "agreement_score", "reasoning", "risk_level", "suggested_stop_loss", "suggested_take_profit",
			"total_providers", "participating_providers", "vote_breakdown", "weighted_votes", "provider_responses", "failures", "explanation", "warnings",
			"total_latency_ms", "overhead_ms", "total_cost_usd", "total_tokens", "policy", "timestamp", "candle_time", "valid_until", "prompt_version", "cache",
			"shared_from", "votes_at", "decided_early", "confidence_range"}},
		{[]string{"policy"}, []string{"min_providers", "min_confidence", "min_agreement"}},
		{[]string{"vote_breakdown"}, []string{"BUY", "SELL", "HOLD"}},
		{[]string{"weighted_votes"}, []string{"BUY", "SELL", "HOLD"}},
		{[]string{"provider_responses"}, vote},
		{[]string{"failures"}, []string{"provider", "error", "message", "retryable", "attempts", "latency_ms"}},
		{[]string{"explanation"}, []string{"contributions", "margin", "stability", "dissent"}},
		{[]string{"explanation", "contributions"}, []string{"provider", "share", "supports", "pivotal", "decision_without"}},
		{[]string{"explanation", "dissent"}, []string{"provider", "decision", "confidence", "reasoning"}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.path), func(t *testing.T) {
			if diff := cmp.Diff(test.want, keys(t, document, test.path...)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// keys gives the names in the object at the path, in their order. Of a list it takes the first
// object.
func keys(t *testing.T, document []byte, path ...string) []string {
	t.Helper()
	if document[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(document, &list); err != nil || len(list) == 0 {
			t.Fatalf("no objects in %s", document)
		}
		document = list[0]
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	_, _ = decoder.Token()
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			t.Fatalf("no object: %s", document)
		}
		if len(path) > 0 && name == path[0] {
			return keys(t, value, path[1:]...)
		}
		names = append(names, name.(string))
	}
	if len(path) > 0 {
		t.Fatalf("no %s in %s", path[0], document)
	}
	return names
}

// Whatever a provider answers, the result can be written as JSON.
func TestNothingButNumbersInTheResult(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	odd := func(change func(*provider.Answer)) turn {
		turn := buys(.9)
		change(&turn.answer)
		return turn
	}
	result := ask(t, over(t, orchestrator.Options{MaxAttempts: 1},
		plays("confidence", odd(func(a *provider.Answer) { a.Confidence = nan })),
		plays("cost", odd(func(a *provider.Answer) { a.Usage = provider.Usage{Known: true, InputTokens: 1, CostUSD: &nan} })),
		plays("decision", odd(func(a *provider.Answer) { a.Decision = "STRONG BUY" })),
		plays("levels", odd(func(a *provider.Answer) { a.StopLoss, a.TakeProfit = &nan, &inf })),
		plays("risk", odd(func(a *provider.Answer) { a.RiskLevel = new(signal.RiskLevel("extreme")) })),
		plays("zero", odd(func(a *provider.Answer) { a.Confidence = math.Copysign(0, -1) })),
	), question(t))
	want := map[string]string{"confidence": "invalid_response", "cost": "BUY", "decision": "invalid_response", "levels": "BUY", "risk": "BUY", "zero": "BUY"}
	if diff := cmp.Diff(want, outcomesOf(result)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	document, err := json.Marshal(result)
	if err != nil {
		t.Fatalf("the result is not JSON: %v", err)
	}
	for _, word := range []string{"NaN", "Inf", "-0,", "extreme"} {
		if bytes.Contains(document, []byte(word)) {
			t.Errorf("%s in %s", word, document)
		}
	}
	if i := slices.IndexFunc(result.Responses, func(v signal.Vote) bool { return v.Provider == "levels" }); result.Responses[i].StopLoss != nil {
		t.Error("a level that is no number was kept")
	}
}

func TestCandleTime(t *testing.T) {
	clock := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, "2000-01-01T"+text+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	tests := []struct {
		name      string
		now       string // on the first day of synctest
		timeframe signal.Timeframe
		candles   []string // open times; "-" for a candle without one
		candle    string
		valid     string
		warnings  []string
	}{
		{"of the grid", "05:00:01.25", "5m", nil, "04:55:00", "05:05:00", []string{}},
		{"at the very end of a candle", "05:00:00", "5m", nil, "04:55:00", "05:05:00", []string{}},
		{"candles without times", "05:03:00", "5m", []string{"-", "-"}, "04:55:00", "05:05:00", []string{}},
		{"the newest has closed", "05:01:00", "5m", []string{"04:50:00", "04:55:00"}, "04:55:00", "05:05:00", []string{}},
		{"the newest is forming", "05:01:00", "5m", []string{"04:55:00", "05:00:00"}, "04:55:00", "05:05:00", []string{}},
		{"the newest closes now", "05:05:00", "5m", []string{"04:55:00", "05:00:00"}, "05:00:00", "05:10:00", []string{}},
		{"all are forming", "05:01:00", "5m", []string{"05:00:00"}, "04:55:00", "05:05:00", []string{}},
		{"off the grid", "05:01:00", "5m", []string{"04:53:00"}, "04:53:00", "05:03:00", []string{}},
		{"two timeframes old", "05:01:00", "5m", []string{"04:51:00"}, "04:51:00", "05:01:00", []string{}},
		{"older", "05:01:00.001", "5m", []string{"04:51:00"}, "04:51:00", "05:01:00", []string{"stale_candles"}},
		{"to come", "05:01:00", "5m", []string{"05:00:00", "05:05:00"}, "04:55:00", "05:05:00", []string{"future_candles"}},
		{"of a clock that is a little ahead", "04:59:30", "5m", []string{"04:55:00", "05:00:00"}, "04:50:00", "05:00:00", []string{}},
		{"of another timeframe", "05:01:00", "5m", []string{"03:00:00", "04:00:00", "05:00:00"}, "04:00:00", "04:10:00", []string{"timeframe_contradiction"}},
		{"an hour", "05:30:00", "1h", nil, "04:00:00", "06:00:00", []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(clock(test.now)))
				result := ask(t, over(t, orchestrator.Options{}, plays("a", buys(.9)), plays("b", buys(.9))), question(t, func(r *orchestrator.Request) {
					r.Timeframe = test.timeframe
					one := r.CurrentPrice
					for _, at := range test.candles {
						c := signal.Candle{Open: one, High: one, Low: one, Close: one}
						if at != "-" {
							c.Time = clock(at).In(time.FixedZone("", 3600))
						}
						r.MarketData.Candles = append(r.MarketData.Candles, c)
					}
				}))
				if want := clock(test.now).Truncate(time.Millisecond); result.Timestamp != want {
					t.Errorf("timestamp %v, want %v", result.Timestamp, want)
				}
				if result.CandleTime != clock(test.candle) || result.ValidUntil != clock(test.valid) {
					t.Errorf("candle_time %v, valid_until %v; want %s, %s", result.CandleTime, result.ValidUntil, test.candle, test.valid)
				}
				if diff := cmp.Diff(test.warnings, codes(result.Warnings)); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSimulatedIsSaid(t *testing.T) {
	for _, simulated := range []bool{true, false} {
		if got := ask(t, over(t, orchestrator.Options{Simulated: simulated}, plays("a", buys(.9))), question(t)); got.Simulated != simulated {
			t.Errorf("simulated %v, want %v", got.Simulated, simulated)
		}
	}
}

// The price of the request is in the result with all its digits.
func TestTinyPrice(t *testing.T) {
	price, err := signal.ParseNumber("0.00001234")
	if err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(ask(t, over(t, orchestrator.Options{}, plays("a", buys(.9))), question(t, func(r *orchestrator.Request) { r.CurrentPrice = price })))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Price json.Number `json:"current_price"`
	}
	if err := json.Unmarshal(document, &got); err != nil {
		t.Fatal(err)
	}
	if f, err := got.Price.Float64(); err != nil || f != 0.00001234 {
		t.Errorf("current_price %s, want 0.00001234", got.Price)
	}
}

// Prices that contradict each other give a warning.
func TestCandlesThatCannotBe(t *testing.T) {
	n := signal.NumberOf
	for _, test := range []struct {
		name    string
		candle  signal.Candle
		code    string
		message string
	}{
		{"right", signal.Candle{Open: n(50000), High: n(50001), Low: n(49999), Close: n(50001)}, "", ""},
		{"high and low exchanged", signal.Candle{Open: n(50000), High: n(49999), Low: n(50001), Close: n(50000)}, "candle_contradiction", "1 of 2 candles contradict themselves, such as recent_candles[1]: its low 50001 is above its high 49999"},
		{"another order of columns", signal.Candle{Open: n(49999), High: n(50001), Low: n(50000.5), Close: n(50000)}, "candle_contradiction", "its open 49999 is below its low 50000.5"},
		{"half the price", signal.Candle{Open: n(24000), High: n(24000), Low: n(24000), Close: n(24000)}, "price_contradiction", "the price is 50000, but the newest candle closed at 24000"},
		{"twice the price", signal.Candle{Open: n(101000), High: n(101000), Low: n(101000), Close: n(101000)}, "price_contradiction", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := ask(t, over(t, orchestrator.Options{}, plays("a", buys(.9)), plays("b", buys(.9))), question(t, func(r *orchestrator.Request) {
				r.CurrentPrice = n(50000)
				r.MarketData.Candles = []signal.Candle{{Open: n(50000), High: n(50000), Low: n(50000), Close: n(50000)}, test.candle}
			}))
			want := []string{}
			if test.code != "" {
				want = append(want, test.code)
			}
			if diff := cmp.Diff(want, codes(result.Warnings)); diff != "" {
				t.Fatalf("warnings (-want +got):\n%s", diff)
			}
			if len(want) > 0 && !strings.Contains(result.Warnings[0].Message, test.message) {
				t.Errorf("message %q, want %q in it", result.Warnings[0].Message, test.message)
			}
		})
	}
}
