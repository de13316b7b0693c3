package app

// Providers of PROVIDERS_FILE, from the configuration to a consensus over real sockets.

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/provider/openai"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// startSimulator starts a server that checks each request as the services do.
func startSimulator(t testing.TB) *simulator.Running {
	t.Helper()
	server, err := simulator.Start(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// presetEnviron configures one provider of each preset, the i-th of which costs i USD a
// million input tokens and 2i USD a million output tokens, and has the weight 1 - i/20.
func presetEnviron(server *simulator.Running) (environ, names []string) {
	type entry struct {
		Name   string             `json:"name"`
		Preset string             `json:"preset"`
		Model  string             `json:"model"`
		Base   string             `json:"base_url"`
		Weight float64            `json:"weight"`
		Price  map[string]float64 `json:"price"`
	}
	models := map[string]string{"groq": "openai/gpt-oss-20b", "mistral": "magistral-small", "ollama": "qwen3:32b", "vllm": "Qwen/Qwen3-8B"}
	var entries []entry
	for i, preset := range openai.PresetNames() {
		model := models[preset]
		if model == "" {
			model = "some-model"
		}
		name := "my-" + preset
		entries = append(entries, entry{name, preset, model, server.BaseURL(preset) + "/v1", 1 - float64(i)/20, map[string]float64{"input": float64(i), "output": float64(2 * i)}})
		names = append(names, name)
		environ = append(environ, strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"_API_KEY=planted-key-of-"+preset)
	}
	document, _ := json.Marshal(map[string]any{"providers": entries})
	return append(environ, "PROVIDERS_FILE="+string(document)), names
}

func askedAbout(t testing.TB) orchestrator.Request {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	data, err := signal.ParseMarketData([]byte(`{"rsi": 28.5, "macd": -150, "price_change_24h": -4.2}`), signal.MaxText)
	if err != nil {
		t.Fatal(err)
	}
	return orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: signal.NumberOf(50000), MarketData: data}
}

// The server of each dialect refuses a wrong request, so a vote shows that its request was
// right. The result is computed again by hand.
func TestTwelveProvidersInOneConsensus(t *testing.T) {
	server := startSimulator(t)
	environ, names := presetEnviron(server)
	a, err := New(load(t, append(environ, "MIN_PROVIDERS=12", "DAILY_BUDGET_USD=10")...), nil, noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Orchestrator.GenerateConsensusSignal(context.Background(), askedAbout(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 12 || len(result.Responses) != 12 || len(result.Failures) != 0 || result.TotalProviders != 12 {
		t.Fatalf("%d votes of %d, failures %+v", len(result.Responses), result.TotalProviders, result.Failures)
	}
	if got := slices.Sorted(maps.Values(server.Requests())); !slices.Equal(got, slices.Repeat([]int{1}, 12)) {
		t.Errorf("requests %v, want one each", server.Requests())
	}
	sums, weights, count, total := map[signal.Decision]float64{}, map[signal.Decision]float64{}, map[signal.Decision]float64{}, 0.0
	spent, free := 0.0, 0
	for i, v := range result.Responses {
		if v.Provider != names[i] || math.Abs(v.Weight-(1-float64(i)/20)) > 1e-12 {
			t.Errorf("vote %d is of %s with weight %v", i, v.Provider, v.Weight)
		}
		sums[v.Decision] += v.Weight * v.Confidence
		weights[v.Decision] += v.Weight
		count[v.Decision]++
		total += v.Weight * v.Confidence
		usd := (float64(v.InputTokens)*float64(i) + float64(v.OutputTokens)*float64(2*i)) / 1e6
		switch {
		case v.InputTokens == 0: // llama.cpp and LM Studio do not tell it
			if free++; v.CostUSD != nil {
				t.Errorf("%s costs %v for unknown tokens", v.Provider, *v.CostUSD)
			}
		case v.CostUSD == nil || math.Abs(*v.CostUSD-usd) > 1e-15:
			t.Errorf("%s costs %v, want %v", v.Provider, v.CostUSD, usd)
		default:
			spent += usd
		}
	}
	if free != 2 || math.Abs(result.TotalCostUSD-spent) > 1e-12 {
		t.Errorf("%d without usage, total cost %v, want 2 and %v", free, result.TotalCostUSD, spent)
	}
	winner := signal.Hold
	for d, sum := range sums {
		if sum > sums[winner] {
			winner = d
		}
	}
	confidence := sums[winner] / weights[winner] * (0.7 + 0.3*count[winner]/12)
	if result.RawDecision != winner || math.Abs(result.AgreementScore-sums[winner]/total) > 1e-6 || math.Abs(result.Confidence-confidence) > 1e-6 || len(sums) < 2 {
		t.Errorf("%s with confidence %v and agreement %v, want %s with %v and %v of %v",
			result.RawDecision, result.Confidence, result.AgreementScore, winner, confidence, sums[winner]/total, sums)
	}
	shown := fmt.Sprintf("%+v", result)
	if body, err := json.Marshal(result); err != nil || strings.Contains(shown+string(body), "planted") {
		t.Errorf("shows a key, or %v: %s", err, shown)
	}
}

// A second model of a built-in provider has that provider's wire format, key and prices.
func TestTwoModelsOfEachProvider(t *testing.T) {
	server := startSimulator(t)
	second := map[string]string{"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol", "gemini": "gemini-3.8-flash", "grok": "grok-4.7"}
	environ := server.Env()
	var entries []string
	for preset, model := range second {
		entries = append(entries, fmt.Sprintf(`{"name": "two-%s", "preset": %q, "model": %q, "base_url": %q}`, preset, preset, model, server.BaseURL(preset)))
	}
	a, err := New(load(t, append(environ, `PROVIDERS_FILE={"providers": [`+strings.Join(entries, ", ")+`]}`, "DAILY_BUDGET_USD=1")...), nil, noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Orchestrator.GenerateConsensusSignal(context.Background(), askedAbout(t))
	if err != nil || len(result.Responses) != 8 {
		t.Fatalf("%v, failures %+v", err, result)
	}
	for _, v := range result.Responses {
		if preset, isSecond := strings.CutPrefix(v.Provider, "two-"); v.CostUSD == nil || *v.CostUSD <= 0 || isSecond && v.Model != second[preset] {
			t.Errorf("%s answered with %s for %v", v.Provider, v.Model, v.CostUSD)
		}
	}
}

func TestFurtherProvidersAtStart(t *testing.T) {
	const one = `PROVIDERS_FILE={"providers": [{"name": "mine"%s}]}`
	const deepseek = `, "preset": "deepseek", "model": "m"`
	missing := `PROVIDERS_FILE: providers[0].price is missing, and no price of model m is known: give one such as {"input": 0.5, "output": 1.5}, USD for a million tokens, because `
	tests := []struct {
		name    string
		more    string
		environ []string
		want    string // the mistake, or why mine can't be asked
	}{
		{"no price", deepseek, []string{"MINE_API_KEY=k"}, ""},
		{"no price and a budget of a day", deepseek, []string{"MINE_API_KEY=k", "DAILY_BUDGET_USD=1"}, missing + "DAILY_BUDGET_USD limits what is spent"},
		{"no price and a budget of a request", deepseek, []string{"REQUEST_BUDGET_USD=1"}, missing + "REQUEST_BUDGET_USD limits what is spent"},
		{"disabled", deepseek + `, "enabled": false`, []string{"DAILY_BUDGET_USD=1"}, "disabled"},
		{"a price", deepseek + `, "price": {"input": 1, "output": 2}`, []string{"MINE_API_KEY=k", "DAILY_BUDGET_USD=1"}, ""},
		{"no key", deepseek + `, "api_key_env": "OTHER_API_KEY"`, nil, "no API key: set OTHER_API_KEY"},
		{"needs no key", deepseek + `, "api_key_env": "none"`, nil, ""},
		{"an effort that the model does not take", `, "preset": "grok", "model": "grok-4.7", "effort": "max"`, []string{"MINE_API_KEY=k"}, `MINE_EFFORT is "max", but model grok-4.7 takes one of low, medium, high (or its field in PROVIDERS_FILE, providers[0])`},
		{"a far address in the environment", deepseek, []string{"MINE_BASE_URL=http://8.8.8.8"}, "MINE_BASE_URL leads to 8.8.8.8 over plain http"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := New(load(t, append(test.environ, fmt.Sprintf(one, test.more))...), nil, noSimulator(t))
			got := fmt.Sprint(err)
			if err == nil {
				e, _ := a.Registry.Find("mine")
				got = e.Reason()
			}
			if got = strings.TrimPrefix(got, "configuration: "); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// Two models of one provider share its entry in the secret; another one has its own.
func TestFurtherKeysInTheSecret(t *testing.T) {
	m := newSecretsManager(t)
	document := `{"ANTHROPIC_API_KEY": "planted-anthropic", "MINE_API_KEY": "planted-mine"}`
	m.document.Store(&document)
	a, err := New(load(t, "PROVIDER_KEYS_SECRET_ID=keys", `PROVIDERS_FILE={"providers": [
		{"name": "second", "preset": "anthropic", "model": "claude-sonnet-5-5"},
		{"name": "mine", "preset": "kimi", "model": "m"},
		{"name": "local", "preset": "ollama", "model": "m"},
		{"name": "none", "preset": "qwen", "model": "m"}]}`), nil, noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"anthropic": "", "second": "", "mine": "", "local": "", "none": "no API key: the secret keys has no NONE_API_KEY",
		"openai": "no API key: the secret keys has no OPENAI_API_KEY", "gemini": "no API key: the secret keys has no GEMINI_API_KEY",
	}
	if diff := cmp.Diff(want, reasons(a)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// A run of fourteen providers is compared with one of four. Ten more cost no more than their
// calls if ns/call does not rise.
func BenchmarkFurtherProviders(b *testing.B) {
	server := startSimulator(b)
	for _, further := range []int{0, 10} {
		b.Run(fmt.Sprintf("further=%d", further), func(b *testing.B) {
			environ := server.Env()
			if further > 0 {
				more, _ := presetEnviron(server)
				environ = append(environ, more...)
				environ = append(environ, "MY_QWEN_ENABLED=false", "MY_VLLM_ENABLED=false")
			}
			c, err := config.Load(environ, Known())
			if err != nil {
				b.Fatal(err)
			}
			a, err := New(c, nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			request := askedAbout(b)
			overhead := 0.0
			b.ReportAllocs()
			for b.Loop() {
				result, err := a.Orchestrator.GenerateConsensusSignal(context.Background(), request)
				if err != nil || len(result.Responses) != 4+further {
					b.Fatalf("%d votes, %v", len(result.Responses), err)
				}
				overhead += result.OverheadMS * 1e6
			}
			b.ReportMetric(overhead/float64(b.N), "overhead-ns/op")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(4+further), "ns/call")
		})
	}
}
