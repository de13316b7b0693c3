package orchestrator_test

// The rules for requests, and which weights count.

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

func TestRequestRules(t *testing.T) {
	number := func(text string) signal.Number {
		n, err := signal.ParseNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tests := []struct {
		name   string
		change func(*orchestrator.Request)
		want   []string // field: beginning of the message
	}{
		{"good", func(*orchestrator.Request) {}, nil},
		{"no pair", func(r *orchestrator.Request) { r.Pair = signal.Pair{} }, []string{"pair: is missing"}},
		{"timeframe", func(r *orchestrator.Request) { r.Timeframe = "7m" }, []string{"timeframe: is not known: known are 1m 3m 5m"}},
		{"no price", func(r *orchestrator.Request) { r.CurrentPrice = signal.Number{} }, []string{"current_price: is missing"}},
		{"price 0", func(r *orchestrator.Request) { r.CurrentPrice = number("0.0") }, []string{"current_price: is not above 0"}},
		{"price below 0", func(r *orchestrator.Request) { r.CurrentPrice = number("-1e-9") }, []string{"current_price: is not above 0"}},
		{"no market data", func(r *orchestrator.Request) { r.MarketData = signal.MarketData{} }, []string{"market_data: is empty"}},
		{"market data of a Go type that has no place", func(r *orchestrator.Request) { r.MarketData.Set("rsi", 65.5) }, []string{"market_data.rsi: is a float64"}},
		{"quorum below 1", func(r *orchestrator.Request) { r.MinProviders = -1 }, []string{"min_providers: is outside 1…3"}},
		{"quorum above all that are known", func(r *orchestrator.Request) { r.MinProviders = 4 }, []string{"min_providers: is outside 1…3"}},
		{"confidence above 1", func(r *orchestrator.Request) { r.MinConfidence = new(1.01) }, []string{"min_confidence: is outside 0…1"}},
		{"confidence no number", func(r *orchestrator.Request) { r.MinConfidence = new(math.NaN()) }, []string{"min_confidence: is outside 0…1"}},
		{"agreement below 0", func(r *orchestrator.Request) { r.MinAgreement = new(-.5) }, []string{"min_agreement: is outside 0…1"}},
		{"timeout below 0", func(r *orchestrator.Request) { r.Timeout = -time.Second }, []string{"timeout_seconds: is not above 0 and at most 30"}},
		{"timeout above 30 s", func(r *orchestrator.Request) { r.Timeout = 31 * time.Second }, []string{"timeout_seconds: is not above 0 and at most 30"}},
		{"wait", func(r *orchestrator.Request) { r.Wait = "first" }, []string{"wait: is none of all, decided"}},
		{"weight above 1", func(r *orchestrator.Request) { r.Weights = map[string]float64{"grok": 1.5} }, []string{"provider_weights.grok: is outside 0…1"}},
		{"weight no number", func(r *orchestrator.Request) { r.Weights = map[string]float64{"grok": math.NaN()} }, []string{"provider_weights.grok: is outside 0…1"}},
		{"unknown provider", func(r *orchestrator.Request) { r.Weights = map[string]float64{"mistral": 1} },
			[]string{"provider_weights.mistral: is no known provider: known are anthropic, grok, openai"}},
		{"the same provider twice", func(r *orchestrator.Request) { r.Weights = map[string]float64{"Grok": .5, "grok": .5} },
			[]string{"provider_weights.grok: is there twice"}},
		{"several at once", func(r *orchestrator.Request) {
			*r = orchestrator.Request{Policy: orchestrator.Policy{MinProviders: 9, Weights: map[string]float64{"x": 1, "openai": 2}}}
		}, []string{"pair: is missing", "current_price: is missing", "market_data: is empty", "min_providers: is outside", "provider_weights.openai: is outside", "provider_weights.x: is no known"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			grok, openai := plays("grok", buys(.9)), plays("openai", buys(.9))
			openai.Disabled = true
			anthropic := plays("anthropic", buys(.9))
			o := over(t, orchestrator.Options{}, grok, openai, anthropic)
			_, err := o.GenerateConsensusSignal(t.Context(), question(t, test.change))
			var got signal.FieldErrors
			if err != nil && !errors.As(err, &got) {
				t.Fatalf("error %v of type %T, want signal.FieldErrors", err, err)
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(got[i].Error(), want) {
					t.Errorf("got %q, want %q…", got[i], want)
				}
			}
			if test.want != nil && (grok.asked.Load() > 0 || o.Metrics().TotalRequests > 0) {
				t.Error("a refused request was asked or counted")
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	o := over(t, orchestrator.Options{MinConfidence: new(.95), MinAgreement: .4}, plays("a", buys(.9)))
	result := ask(t, o, question(t, func(r *orchestrator.Request) { r.Timeframe = "" }))
	if result.Timeframe != "5m" || result.HoldReason == nil || *result.HoldReason != signal.HoldBelowMinConfidence {
		t.Errorf("timeframe %s, hold reason %v; want those of the options", result.Timeframe, result.HoldReason)
	}
	result = ask(t, o, question(t, func(r *orchestrator.Request) { r.MinConfidence = new(0.0) }))
	if result.Decision != signal.Buy {
		t.Errorf("decision %s, want BUY: the request's gate of 0 wins", result.Decision)
	}
	want := orchestrator.Configuration{MinProviders: 1, MinConfidence: .5, TimeoutSeconds: 25}
	if diff := cmp.Diff(want, over(t, orchestrator.Options{}).Metrics().Configuration); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestWeights(t *testing.T) {
	tests := []struct {
		name     string
		sent     map[string]float64
		want     map[string]float64
		warnings []string
	}{
		{"of the configuration, else 1", nil, map[string]float64{"anthropic": 1, "grok": .7}, []string{}},
		{"of the request", map[string]float64{"grok": .2}, map[string]float64{"anthropic": 1, "grok": .2}, []string{}},
		{"0 is a weight", map[string]float64{"grok": 0}, map[string]float64{"anthropic": 1, "grok": 0}, []string{}},
		{"in any case", map[string]float64{"GROK": .2, "Anthropic": .3}, map[string]float64{"anthropic": .3, "grok": .2}, []string{}},
		{"known and not available", map[string]float64{"OpenAI": 1, "gemini": .5}, map[string]float64{"anthropic": 1, "grok": .7},
			[]string{"weight_unused:gemini", "weight_unused:openai"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			openai, gemini := plays("openai", buys(.9)).weighing(.9), plays("gemini", buys(.9))
			openai.Disabled, gemini.Unavailable = true, "no key"
			o := over(t, orchestrator.Options{}, plays("anthropic", buys(.9)), openai, gemini, plays("grok", buys(.9)).weighing(.7))
			result := ask(t, o, question(t, func(r *orchestrator.Request) { r.Weights = test.sent }))
			got := map[string]float64{}
			for _, v := range result.Responses {
				got[v.Provider] = v.Weight
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, codes(result.Warnings)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// Options and entries are copied, so that later changes of the originals have no effect.
func TestOptionsAreCopied(t *testing.T) {
	gate, weight := .5, .8
	m := plays("a", buys(.9))
	m.Entry = provider.Entry{Weight: &weight}
	o := over(t, orchestrator.Options{MinConfidence: &gate}, m)
	gate, weight = math.NaN(), 7
	if got := ask(t, o, question(t)); got.Decision != signal.Buy || got.Responses[0].Weight != .8 {
		t.Errorf("decision %s with weight %v, want BUY with 0.8", got.Decision, got.Responses[0].Weight)
	}
}
