package provider

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestConfigure(t *testing.T) {
	half, one := 0.5, 1.0
	for _, tt := range []struct {
		name, provider string
		settings       Settings
		want           Model
		fails          string
	}{
		{"anthropic fast", "anthropic", Settings{}, Model{ID: "claude-haiku-5-5", Effort: "low", NoThinking: true, MaxTokens: 1024}, ""},
		{"anthropic flagship", "anthropic", Settings{Profile: "flagship"}, Model{ID: "claude-sonnet-5-5", Effort: "low", MaxTokens: 4096}, ""},
		{"openai fast", "openai", Settings{}, Model{ID: "gpt-6-luna", Effort: "none", MaxTokens: 1024}, ""},
		{"openai flagship", "openai", Settings{Profile: "flagship"}, Model{ID: "gpt-6.1-sol", Effort: "low", MaxTokens: 4096}, ""},
		{"gemini fast", "gemini", Settings{}, Model{ID: "gemini-3.5-flash-lite", Effort: "minimal", MaxTokens: 1024}, ""},
		{"gemini flagship", "gemini", Settings{Profile: "flagship"}, Model{ID: "gemini-3.8-flash", Effort: "low", MaxTokens: 4096}, ""},
		{"grok fast", "grok", Settings{}, Model{ID: "grok-4.20-0309-non-reasoning", MaxTokens: 1024}, ""},
		{"grok flagship", "grok", Settings{Profile: "flagship"}, Model{ID: "grok-4.7", Effort: "low", MaxTokens: 4096}, ""},
		{"own settings", "gemini", Settings{Effort: "HIGH", MaxTokens: 99, Temperature: &half}, Model{ID: "gemini-3.5-flash-lite", Effort: "high", MaxTokens: 99, Temperature: &half}, ""},
		{"the one temperature", "anthropic", Settings{Temperature: &one}, Model{ID: "claude-haiku-5-5", Effort: "low", NoThinking: true, MaxTokens: 1024, Temperature: &one}, ""},
		{"unknown model as set", "grok", Settings{Model: "grok-9", Effort: "ultra", Temperature: &half}, Model{ID: "grok-9", Effort: "ultra", MaxTokens: 1024, Temperature: &half}, ""},
		{"unknown model, nothing set", "anthropic", Settings{Model: "claude-9"}, Model{ID: "claude-9", MaxTokens: 1024}, ""},
		{"fifth provider", "mistral", Settings{Model: "large"}, Model{ID: "large", MaxTokens: 1024}, ""},

		{"fifth provider without a model", "mistral", Settings{}, Model{}, "set MISTRAL_MODEL"},
		{"effort of a model that takes none", "grok", Settings{Effort: "low"}, Model{}, `GROK_EFFORT is "low", but model grok-4.20-0309-non-reasoning takes no effort: unset it`},
		{"effort that is refused", "gemini", Settings{Profile: "flagship", Effort: "minimal"}, Model{}, `GEMINI_EFFORT is "minimal", but model gemini-3.8-flash takes one of low, medium, high`},
		{"temperature of a model that takes none", "openai", Settings{Temperature: &half}, Model{}, "OPENAI_TEMPERATURE is 0.5, but model gpt-6-luna takes no temperature: unset it"},
		{"other than the one temperature", "anthropic", Settings{Temperature: &half}, Model{}, "ANTHROPIC_TEMPERATURE is 0.5, but model claude-haiku-5-5 takes only 1: unset it"},
		{"unknown profile", "openai", Settings{Profile: "best"}, Model{}, "choose one of fast, flagship"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DefaultCatalog().Configure(tt.provider, tt.settings)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error = %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCost(t *testing.T) {
	const million = 1_000_000
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, provider, answered, asked string
		input, output                   int
		at                              time.Time
		want                            *float64
	}{
		{"the model asked", "anthropic", "claude-haiku-5-5", "claude-haiku-5-5", 1000, 1000, now, pointer(0.0006)},
		{"no name in the answer", "anthropic", "", "claude-haiku-5-5", 1000, 1000, now, pointer(0.0006)},
		{"dated snapshot", "anthropic", "claude-haiku-5-5-20261001", "claude-haiku-5-5", 1000, 1000, now, pointer(0.0006)},
		{"snapshot with dashes", "openai", "gpt-6-luna-2026-09-15", "gpt-6-luna", 1000, 1000, now, pointer(0.0006)},
		{"numbered", "gemini", "gemini-3.5-flash-lite-001", "gemini-3.5-flash-lite", million, 0, now, pointer(0.30)},
		{"latest", "grok", "grok-4.7-latest", "grok-4.7", 1000, 0, now, pointer(0.002)},
		{"another known model", "anthropic", "claude-opus-5-5", "claude-haiku-5-5", 1000, 0, now, pointer(0.004)},
		{"a variant is another model", "anthropic", "claude-haiku-5-5-turbo", "claude-haiku-5-5", 1000, 0, now, nil},
		{"a longer version is another model", "openai", "gpt-6-luna-2", "gpt-6-luna", 1000, 0, now, nil},
		{"a dated longer version is another model", "openai", "gpt-6-luna-2-20261001", "gpt-6-luna", 1000, 0, now, nil},
		{"unknown model answered", "anthropic", "claude-9", "claude-haiku-5-5", 1000, 0, now, nil},
		{"unknown model asked", "anthropic", "claude-9", "claude-9", 1000, 0, now, nil},
		{"snapshot of an unknown model", "anthropic", "claude-9-20261001", "claude-9", 1000, 0, now, nil},
		{"another provider's model", "openai", "claude-haiku-5-5", "claude-haiku-5-5", 1000, 0, now, nil},
		{"an alias is billed as the model that answers", "deepseek", "deepseek-flash", "deepseek-v4-pro", million, 0, now, pointer(0.153)},
		{"known model without a price", "gemini", "gemini-3.7-flash", "gemini-3.7-flash", 1000, 0, now, nil},

		{"anthropic, 100K", "anthropic", "claude-haiku-5-5", "", 100_000, 0, now, pointer(0.01)},
		{"anthropic, over 100K", "anthropic", "claude-haiku-5-5", "", 100_001, million, now, pointer(0.0500005 + 2.50)},
		{"openai, 272K", "openai", "gpt-6-luna", "", 272_000, 0, now, pointer(0.0272)},
		{"openai, over 272K: only the input doubles", "openai", "gpt-6-luna", "", 272_001, million, now, pointer(0.0544002 + 0.50)},
		{"grok, below 200K", "grok", "grok-4.7", "", 199_999, million, now, pointer(0.399998 + 6)},
		{"grok, from 200K", "grok", "grok-4.7", "", 200_000, million, now, pointer(0.8 + 12)},
		{"gemini, last moment of the old price", "gemini", "gemini-3.8-flash", "", million, million, time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), pointer(4.5)},
		{"gemini, new price", "gemini", "gemini-3.8-flash", "", million, million, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), pointer(9.0)},
		{"gemini, new price in another zone", "gemini", "gemini-3.8-flash", "", million, million, time.Date(2026, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3600)), pointer(9.0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := DefaultCatalog().Cost(tt.provider, tt.answered, tt.asked, Usage{Known: true, InputTokens: tt.input, CachedTokens: tt.input / 2, OutputTokens: tt.output}, tt.at)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("USD (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("unknown usage", func(t *testing.T) {
		if got := DefaultCatalog().Cost("anthropic", "claude-haiku-5-5", "", Usage{}, now); got != nil {
			t.Errorf("cost = %v, want none", *got)
		}
	})
}

// Every price of the built-in table, as it was published.
func TestPublishedPrices(t *testing.T) {
	c := DefaultCatalog()
	if c.AsOf == "" || c.Source == "" {
		t.Error("the table does not say its age and source")
	}
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	prices := map[string][2]float64{
		"anthropic claude-haiku-5-5": {0.10, 0.50}, "anthropic claude-sonnet-5-5": {2, 10}, "anthropic claude-opus-5-5": {4, 20}, "anthropic claude-haiku-4-5": {1, 5},
		"openai gpt-6-luna": {0.10, 0.50}, "openai gpt-6.1-sol": {2, 10}, "openai gpt-6-sol": {2, 10}, "openai gpt-6-astra": {10, 50}, "openai gpt-5.6-luna": {0.20, 1.20},
		"gemini gemini-3.5-flash-lite": {0.30, 2.50}, "gemini gemini-3.8-flash": {0.75, 3.75}, "gemini gemini-3.1-pro-preview": {2, 12}, "gemini gemini-3.1-flash-lite": {0.25, 1.50},
		"grok grok-4.20-0309-non-reasoning": {1.25, 2.50}, "grok grok-4.7": {2, 6}, "grok grok-4.3": {1.25, 2.50},

		"deepseek deepseek-flash": {0.30, 1.20}, "deepseek deepseek-v4-flash": {0.30, 1.20}, "deepseek deepseek-chat": {0.30, 1.20}, "deepseek deepseek-v4-pro": {1.32, 3.96},
		"qwen qwen3.5-plus": {0.40, 2.40}, "kimi kimi-k3.1-pro": {2, 10}, "kimi kimi-k3": {3, 15}, "kimi kimi-k2.6": {0.95, 4},
		"mistral mistral-medium-3.5": {1.50, 7.50}, "mistral mistral-medium-2604": {1.50, 7.50}, "mistral mistral-small-2603": {0.15, 0.60}, "mistral mistral-large-2512": {0.50, 1.50},
		"groq openai/gpt-oss-20b": {0.075, 0.30}, "groq openai/gpt-oss-120b": {0.15, 0.60}, "groq llama-3.1-8b-instant": {0.05, 0.08}, "groq llama-3.3-70b-versatile": {0.59, 0.79},
	}
	cached := map[string]float64{
		"deepseek deepseek-flash": 0.006, "deepseek deepseek-v4-flash": 0.006, "deepseek deepseek-chat": 0.006, "deepseek deepseek-v4-pro": 0.044,
		"kimi kimi-k3.1-pro": 0.20, "kimi kimi-k3": 0.30, "kimi kimi-k2.6": 0.16,
	}
	for name, maker := range c.Providers {
		if len(maker.Defaults) == 0 && (maker.AsOf == "" || maker.Source == "") {
			t.Errorf("%s does not say the age and source of its prices", name)
		}
		for id, model := range maker.Models {
			if _, isListed := prices[name+" "+id]; len(model.Prices) > 0 && !isListed {
				t.Errorf("%s %s has a price that this test does not know", name, id)
			}
		}
	}
	for model, want := range prices {
		provider, id, _ := strings.Cut(model, " ")
		got, ok := c.Price(provider, id, 1000, at)
		less, hasLess := cached[model]
		if !hasLess {
			less = want[0]
		}
		if !ok || got != (Price{Input: want[0], Output: want[1], Cached: less}) {
			t.Errorf("%s costs %v, want %v", model, got, want)
		}
	}
}

// The table of prices of presets in the docs is that of the file.
func TestDocsListThePricesOfPresets(t *testing.T) {
	const file, begin, end = "../../docs/providers.md", "<!-- prices: written by go test ./internal/provider -update -->\n", "<!-- end of prices -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has lost the lines around its table:\n%s%s", file, begin, end)
	}
	want := "| preset | models: input / output, cached input | as of | source |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(DefaultCatalog().Providers)) {
		maker := DefaultCatalog().Providers[name]
		if len(maker.Defaults) > 0 { // a built-in provider
			continue
		}
		var models []string
		for _, id := range slices.Sorted(maps.Keys(maker.Models)) {
			price := maker.Models[id].Prices[0]
			text := fmt.Sprintf("%s %v / %v", id, *price.Input, *price.Output)
			if price.Cached != nil {
				text += fmt.Sprintf(", %v", *price.Cached)
			}
			models = append(models, text)
		}
		want += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.Join(models, "<br>"), maker.AsOf, maker.Source)
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("the table is out of date, run with -update:\n%s", diff)
	}
}

const ownCatalog = `{"as_of":"2027-01-05","source":"mine","profiles":{"fast":{"max_tokens":500}},"providers":{"anthropic":{"defaults":{"fast":"m"},"models":{"m":{
	"effort":"low","efforts":["low"],"temperatures":[],"prices":[{"input":3,"output":6,"cached_input":1},{"input":0,"output":0,"from":10,"until":"2027-02-01"},{"input":9,"output":9,"from":10}]}}}}}`

func TestLoadCatalog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.json")
	if err := os.WriteFile(file, []byte("\ufeff"+ownCatalog), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCatalog(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Providers["anthropic"].Models; len(got) != 1 || got["m"].Effort != "low" {
		t.Errorf("models = %v", got)
	}
	at := time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC)
	got := c.Cost("anthropic", "m", "m", Usage{Known: true, InputTokens: 9, CachedTokens: 4, OutputTokens: 1}, at)
	if diff := cmp.Diff(pointer((5*3+4*1+6)/1e6), got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("cost with cached tokens (-want +got):\n%s", diff)
	}
	if got := c.Cost("anthropic", "m", "m", Usage{Known: true, InputTokens: 10}, at); got == nil || *got != 0 {
		t.Errorf("a price of 0 gives %v, want 0", got)
	}
	if _, err := LoadCatalog(file + ".missing"); err == nil {
		t.Error("a missing file is no error")
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCatalog(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error = %v, want one that names the file", err)
	}
}

func TestParseCatalogRefuses(t *testing.T) {
	for _, tt := range []struct{ name, old, new, says string }{
		{"broken", `{"as_of"`, `{as_of`, "not a table"},
		{"text behind", `}}}}}`, `}}}}} x`, "after the table"},
		{"unknown field", `"source"`, `"sauce"`, `"sauce"`},
		{"misspelt price", `"output":6`, `"outptu":6`, `"outptu"`},
		{"no date", `2027-01-05`, `January`, "as_of"},
		{"no date of a provider", `"defaults"`, `"as_of":"May","defaults"`, "providers.anthropic.as_of"},
		{"no providers", ownCatalog[strings.Index(ownCatalog, `,"providers"`):], `}`, "no providers"},
		{"no profiles", `"fast":{"max_tokens":500}`, ``, "no profiles"},
		{"no max tokens", `500`, `0`, "profiles.fast.max_tokens"},
		{"unknown profile", `{"fast":"m"}`, `{"quick":"m"}`, "providers.anthropic.defaults.quick"},
		{"unknown default", `{"fast":"m"}`, `{"fast":"n"}`, `"n"`},
		{"effort not allowed", `"effort":"low"`, `"effort":"high"`, "models.m: effort"},
		{"effort in upper case", `["low"]`, `["low","HIGH"]`, `"HIGH"`},
		{"missing price", `"output":6,`, ``, "prices[0]: input or output is missing"},
		{"negative price", `"input":3`, `"input":-3`, "prices[0]: -3"},
		{"absurd price", `"input":3`, `"input":30000`, "prices[0]: 30000"},
		{"price in a string", `"input":3`, `"input":"3"`, "not a table"},
		{"two sizes", `"from":10}`, `"from":10,"over":9}`, "prices[2]: over and from"},
		{"no day", `2027-02-01`, `2027-02-30`, "prices[1]: until"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(ownCatalog, tt.old, tt.new, 1)
			if text == ownCatalog {
				t.Fatal("the case changes nothing")
			}
			if _, err := ParseCatalog([]byte(text)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error = %v, want one that says %q", err, tt.says)
			}
		})
	}
}
