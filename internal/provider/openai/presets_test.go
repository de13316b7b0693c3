package openai_test

// The presets: each passes the conformance suite, and has its peculiarities at a strict
// server of its dialect, which is the simulator.

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/provider/openai"
	"thalas/internal/provider/providertest"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

func TestPresetsConform(t *testing.T) {
	dialects := map[string]openai.Dialect{"custom": openai.Custom()}
	for name, preset := range openai.Presets {
		dialects[name] = preset.Dialect
	}
	requests := map[string]string{"deepseek": "deepseek_", "qwen": "qwen_", "openrouter": "openrouter_", "groq": "completion_", "azure": "completion_", "bedrock": "completion_"}
	for preset, d := range dialects {
		t.Run(preset, func(t *testing.T) {
			price := provider.Price{Input: 1, Output: 2, Cached: 0.5}
			used := provider.Usage{Known: true, InputTokens: 2100, CachedTokens: 1024, OutputTokens: 120, CostUSD: providertest.USD(1076e-6 + 1024*0.5e-6 + 120*2e-6)}
			unknown := provider.Usage{}
			header := map[string]string{"Authorization": "Bearer " + providertest.Key}
			if d.Auth.Header != "Authorization" {
				header = map[string]string{d.Auth.Header: providertest.Key, "Authorization": ""}
			}
			// unless makes an answer one that is no vote where a dialect does not allow it.
			unless := func(allowed bool, a providertest.Answer) providertest.Answer {
				if !allowed {
					a.Kind = signal.FailureInvalidResponse
				}
				return a
			}
			if requests[preset] == "" {
				requests[preset] = "compatible_"
			}
			providertest.Run(t, providertest.Spec{
				Name: "mine", Model: "some-model", Prefix: "compatible_", Requests: requests[preset],
				New: func(s provider.Settings, c *provider.Catalog, client *http.Client) (provider.Provider, error) {
					s.Name, s.Price = "mine", &price
					if s.Model == "" {
						s.Model = "some-model"
					}
					return openai.NewCompatible(preset, d, s, c, client)
				},
				SameErrors: !slices.Contains([]string{"custom", "deepseek", "mistral", "openrouter", "lmstudio"}, preset),
				Version:    "/v1", AskPath: "/v1/chat/completions", CheckPath: "/v1/models", Header: header, RequestID: "X-Request-Id", Unknown: "another-model",
				Answer: provider.Answer{Model: "some-model", Usage: used},
				Answers: []providertest.Answer{
					{File: "answer_parts.json", Usage: used},
					{File: "answer_reasoning_content.json", Usage: used},
					{File: "answer_truncated.json", Kind: signal.FailureTruncated, Says: "raise MINE_MAX_TOKENS", Usage: used},
					unless(d.Local, providertest.Answer{File: "answer_no_finish.json", Usage: unknown}),
					unless(d.Local, providertest.Answer{File: "answer_null_finish.json", Usage: unknown}),
					unless(d.Thinking == openai.Strip, providertest.Answer{File: "answer_thinking.json", Usage: used}),
					unless(d.Thinking == openai.Strip, providertest.Answer{File: "answer_thinking_untagged.json", Usage: used}),
					unless(d.Output != openai.JSONSchema, providertest.Answer{File: "answer_fence.json", Usage: used}),
				},
			})
		})
	}
}

func FuzzCompatibleAnswer(f *testing.F) {
	d := openai.Presets["ollama"].Dialect
	d.Output = openai.NoSchema
	providertest.FuzzAnswer(f, func(s provider.Settings, c *provider.Catalog, client *http.Client) (provider.Provider, error) {
		s.Name, s.Model, s.BaseURL = "mine", "some-model", "http://127.0.0.1"
		return openai.NewCompatible("", d, s, c, client)
	}, "compatible_")
}

// asked is what one question to a preset brought.
type asked struct {
	answer provider.Answer
	err    error
	body   map[string]any // of the request
}

func (a asked) says(t *testing.T, kind error, texts ...string) {
	t.Helper()
	if !errors.Is(a.err, kind) {
		t.Fatalf("error %v, want one of kind %v", a.err, kind)
	}
	for _, text := range texts {
		if !strings.Contains(a.err.Error(), text) {
			t.Errorf("%q does not say %q", a.err, text)
		}
	}
}

func (a asked) votes(t *testing.T) {
	t.Helper()
	if a.err != nil || a.answer.Decision == "" {
		t.Fatalf("no vote: %v", a.err)
	}
}

// asker asks a preset, with what a test changes of its dialect.
type asker func(model string, fault simulator.Fault, change func(*openai.Dialect)) asked

func same(*openai.Dialect) {}

// peculiarities are what sets each preset apart, with a test of it. They are a table of the
// docs too.
var peculiarities = []struct {
	preset, name string
	test         func(t *testing.T, ask asker)
}{
	{"deepseek", "refuses json_schema", func(t *testing.T, ask asker) {
		ask("m", "", same).votes(t)
		ask("m", "", func(d *openai.Dialect) { d.Output = openai.JSONSchema }).says(t, provider.ErrProvider, "unavailable now", `set "structured_output" of mine in PROVIDERS_FILE`)
	}},
	{"deepseek", "needs the word JSON, and the role system", func(t *testing.T, ask asker) {
		got := ask("m", "", same)
		got.votes(t) // without the word the server refuses
		if text := fmt.Sprint(got.body["messages"]); !strings.Contains(text, "role:system") || !strings.Contains(text, string(provider.Schema)) {
			t.Errorf("messages %s", text)
		}
	}},
	{"deepseek", "thinks unless told not to", func(t *testing.T, ask asker) { thinksWithoutExtraBody(t, ask) }},
	{"qwen", "thinks unless told not to", func(t *testing.T, ask asker) { thinksWithoutExtraBody(t, ask) }},
	{"kimi", "takes json_schema and max_tokens", func(t *testing.T, ask asker) { ask("m", "", same).votes(t) }},
	{"mistral", "answers 422 to unknown fields, with an object as message", func(t *testing.T, ask asker) {
		ask("m", "", func(d *openai.Dialect) { d.MaxTokensField = "max_completion_tokens" }).says(t, provider.ErrProvider,
			"422: max_completion_tokens: Extra inputs are not permitted", `lower MINE_MAX_TOKENS, or set "max_tokens_field" of mine in PROVIDERS_FILE`)
	}},
	{"mistral", "may answer in parts", func(t *testing.T, ask asker) { ask("magistral-small", "", same).votes(t) }},
	{"groq", "takes json_schema for some models only", func(t *testing.T, ask asker) {
		ask("openai/gpt-oss-20b", "", same).votes(t)
		ask("llama-3.3-70b", "", same).says(t, provider.ErrProvider, `set "structured_output" of mine in PROVIDERS_FILE`, "or set MINE_MODEL (llama-3.3-70b)")
	}},
	{"openrouter", "is told to require all parameters", func(t *testing.T, ask asker) {
		ask("m", "", same).votes(t)
		ask("m", "", func(d *openai.Dialect) { d.ExtraBody = nil }).says(t, provider.ErrInvalidResponse, "not a JSON object")
	}},
	{"openrouter", "answers 200 with an error, whose cause is inside", func(t *testing.T, ask asker) {
		ask("m", "rate_limit*", same).says(t, provider.ErrRateLimit, "answered 200 with error 429: Provider returned error: Rate limit reached")
	}},
	{"azure", "takes the key in api-key", func(t *testing.T, ask asker) {
		ask("my-deployment", "", same).votes(t)
		ask("my-deployment", "", func(d *openai.Dialect) { d.Auth = openai.Custom().Auth }).says(t, provider.ErrAuthentication, "check MINE_API_KEY")
	}},
	{"bedrock", "takes json_schema", func(t *testing.T, ask asker) { ask("openai.gpt-oss-20b-1:0", "", same).votes(t) }},
	{"ollama", "thinks aloud", thinksAloud},
	{"vllm", "thinks aloud", thinksAloud},
	{"lmstudio", "takes json_schema and text only", func(t *testing.T, ask asker) {
		ask("m", "", same).votes(t)
		ask("m", "", func(d *openai.Dialect) { d.Output = openai.NoSchema }).votes(t)
		ask("m", "", func(d *openai.Dialect) { d.Output = openai.JSONObject }).says(t, provider.ErrProvider, "must be 'json_schema' or 'text'", `set "structured_output" of mine`)
	}},
	{"lmstudio", "may tell only a part of the usage", withoutUsage},
	{"llamacpp", "may leave out usage and finish_reason", withoutUsage},
}

func thinksWithoutExtraBody(t *testing.T, ask asker) {
	quiet, thinking := ask("m", "", same), ask("m", "", func(d *openai.Dialect) { d.ExtraBody = nil })
	quiet.votes(t)
	thinking.votes(t)
	if quiet.answer.Usage.OutputTokens >= thinking.answer.Usage.OutputTokens {
		t.Errorf("%d tokens, and %d without the field", quiet.answer.Usage.OutputTokens, thinking.answer.Usage.OutputTokens)
	}
}

func thinksAloud(t *testing.T, ask asker) {
	ask("qwen3:32b", "", same).votes(t)
	ask("qwen3:32b", "", func(d *openai.Dialect) { d.Thinking = openai.Reject }).says(t, provider.ErrInvalidResponse, `set "thinking" of mine to strip`)
}

func withoutUsage(t *testing.T, ask asker) {
	got := ask("m", "", same)
	got.votes(t)
	if got.answer.Usage.Known {
		t.Errorf("usage %+v", got.answer.Usage)
	}
}

func TestPeculiarities(t *testing.T) {
	tested := map[string]bool{}
	for _, p := range peculiarities {
		tested[p.preset] = true
		t.Run(p.preset+"/"+p.name, func(t *testing.T) { p.test(t, askerOf(t, p.preset)) })
	}
	for _, name := range openai.PresetNames() {
		if !tested[name] || !slices.Contains(simulator.Presets, name) {
			t.Errorf("%s has no peculiarity, or the simulator does not speak it", name)
		}
	}
}

func askerOf(t *testing.T, preset string) asker {
	return func(model string, fault simulator.Fault, change func(*openai.Dialect)) asked {
		t.Helper()
		options := simulator.Options{}
		if fault != "" {
			options.Faults = map[string][]simulator.Fault{preset: {fault}}
		}
		server, err := simulator.Start(options)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		d := openai.Presets[preset].Dialect
		change(&d)
		client := provider.NewClient()
		defer client.CloseIdleConnections()
		settings := provider.Settings{Name: "mine", Key: provider.NewKey(providertest.Key), Model: model, BaseURL: server.BaseURL(preset)}
		if d.Local {
			settings.Key, settings.Keyless = provider.Key{}, true
		}
		p, err := openai.NewCompatible(preset, d, settings, provider.DefaultCatalog(), client)
		if err != nil {
			t.Fatal(err)
		}
		var got asked
		got.answer, got.err = p.Ask(context.Background(), question(t))
		_ = json.Unmarshal(server.Recorded()[0].Body, &got.body)
		return got
	}
}

// A server repeats what was sent to it, in an error and in a vote.
func TestHiddenValuesAreNotShown(t *testing.T) {
	d := openai.Custom()
	d.Headers, d.ExtraBody = openai.Hidden{"X-Team": "planted-header"}, openai.Hidden{"secret": map[string]any{"deep": []any{"planted-body"}}}
	vote := `{"decision":"BUY","confidence":0.5,"reasoning":"planted-header and planted-body"}`
	body, _ := json.Marshal(map[string]any{"model": "planted-body", "choices": []any{map[string]any{"finish_reason": "stop", "message": map[string]any{"content": vote}}}})
	for status, answer := range map[int]string{400: `{"error":{"message":"header planted-header and secret planted-body are not known"}}`, 500: "planted-header planted-body", 200: string(body)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			if r.Header.Get("X-Team") != "planted-header" || !strings.Contains(string(sent), `"secret":{"deep":["planted-body"]}`) {
				t.Errorf("sent %v %s", r.Header, sent)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, answer)
		}))
		client := provider.NewClient()
		p, err := openai.NewCompatible("", d, provider.Settings{Name: "mine", Key: provider.NewKey(providertest.Key), Model: "m", BaseURL: server.URL}, provider.DefaultCatalog(), client)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Ask(context.Background(), question(t))
		if shown := fmt.Sprintf("%+v %v %+v %#v", got, err, d, p); strings.Contains(shown, "planted-") {
			t.Errorf("%d: %s", status, shown)
		}
		client.CloseIdleConnections()
		server.Close()
	}
}

// A server need not have a list of models.
func TestCheckWithoutTheRoute(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client := provider.NewClient()
	defer client.CloseIdleConnections()
	p, err := openai.NewCompatible("kimi", openai.Presets["kimi"].Dialect, provider.Settings{Name: "kimi", Key: provider.NewKey(providertest.Key), Model: "m", BaseURL: server.URL + "/v4"}, provider.DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	failed := provider.AsError(p.Check(context.Background()))
	if failed == nil || !failed.NoRoute || !strings.Contains(failed.Message, "check KIMI_MODEL (m) and KIMI_BASE_URL; or the server has no list of models") {
		t.Errorf("error %+v", failed)
	}
}

func question(t *testing.T) provider.Prompt {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	price, err := signal.ParseNumber("50000")
	if err != nil {
		t.Fatal(err)
	}
	return provider.NewPrompt(pair, "5m", price, signal.MarketData{})
}

// The table in the docs is the one above.
func TestDocsListThePeculiarities(t *testing.T) {
	const file, begin, end = "../../../docs/providers.md", "<!-- presets: written by go test ./internal/provider/openai -update -->\n", "<!-- end of presets -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has lost the lines around its table:\n%s%s", file, begin, end)
	}
	want := presetsTable()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("the table is out of date, run with -update:\n%s", diff)
	}
}

func presetsTable() string {
	var b strings.Builder
	b.WriteString("| preset | base URL | structured output | output limit | sent too | what is peculiar | test: `TestPeculiarities/…` |\n|---|---|---|---|---|---|---|\n")
	for _, name := range openai.PresetNames() {
		p := openai.Presets[name]
		base, extra := "`"+p.BaseURL+"`", ""
		if p.BaseURL == "" {
			base = "required"
		}
		if p.ExtraBody != nil {
			sent, _ := json.Marshal(map[string]any(p.ExtraBody))
			extra = "`" + string(sent) + "`"
		}
		if p.Auth.Header != "Authorization" {
			extra = "the key in `" + p.Auth.Header + "`"
		}
		var what, tests []string
		for _, row := range peculiarities {
			if row.preset == name {
				what = append(what, row.name)
				tests = append(tests, "`"+name+"/"+strings.ReplaceAll(row.name, " ", "_")+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` | %s | %s | %s |\n", name, base, p.Output, p.MaxTokensField, extra, strings.Join(what, "; "), strings.Join(tests, "<br>"))
	}
	return b.String()
}
