package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"thalas/internal/app"
	"thalas/internal/provider"
)

func TestCheckProviders(t *testing.T) {
	const file = `{"providers": [
		{"name": "deepseek", "preset": "deepseek", "model": "deepseek-chat", "structured_output": "json_schema", "price": {"input": 1, "output": 1}},
		{"name": "local", "preset": "ollama", "model": "qwen3:32b", "headers": {"X-Team": "planted-team"}},
		{"name": "bare", "base_url": "$/nothing", "model": "m", "api_key_env": "none"}]}`
	env := simulated(t, "anthropic=wrong_key*")
	base, _, _ := strings.Cut(env.Getenv("ANTHROPIC_BASE_URL"), "/anthropic")
	env = append(environment{"GEMINI_ENABLED=false", "PROVIDERS_FILE=" + strings.Replace(file, "$", base, 1), "DEEPSEEK_API_KEY=planted-key-of-deepseek", "DEEPSEEK_BASE_URL=" + base + "/deepseek", "LOCAL_BASE_URL=" + base + "/ollama"}, env...)
	tests := []struct {
		name  string
		args  []string
		lines []string
	}{
		{"free", nil, []string{
			"anthropic: anthropic answered 401: invalid x-api-key; check ANTHROPIC_API_KEY",
			"bare: bare answered 404: ",
			"or the server has no list of models, which it need not have: --check --paid asks a question",
			"deepseek: the list of models came, so address and key are right",
			"gemini: not called, disabled: set GEMINI_ENABLED=true",
			"local: the list of models came, so address and key are right",
			"openai: the list of models came, so address and key are right",
			"Error: 2 of the providers that were called did not answer as they should",
		}},
		{"paid", []string{"--paid"}, []string{
			"anthropic: anthropic answered 401: ",
			`deepseek: deepseek answered 400: This response_format type is unavailable now; set "structured_output" of deepseek in PROVIDERS_FILE to another of json_schema, json_object and none`,
			"local: voted HOLD; cost $0.000000",
			"openai: voted HOLD; cost $0.0",
			"Error: 3 of the providers that were called did not answer as they should",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := thalas(t, env, "", append([]string{"providers", "--check"}, test.args...)...)
			for _, line := range test.lines {
				if !strings.Contains(got.out+got.err, line) {
					t.Errorf("%q is missing", line)
				}
			}
			asJSON := thalas(t, env, "", append([]string{"providers", "--check", "--json"}, test.args...)...)
			var rows []providerRow
			if err := json.Unmarshal([]byte(asJSON.out), &rows); err != nil || len(rows) != 7 || got.code != 1 || asJSON.code != 1 {
				t.Errorf("codes %d and %d, %d rows, %v", got.code, asJSON.code, len(rows), err)
			}
			if all := got.out + got.err + asJSON.out; strings.Contains(all, "planted") || t.Failed() {
				t.Errorf("shows a secret, or see above:\n%s", all)
			}
		})
	}
	if got := thalas(t, env, "", "providers", "--paid"); got.code != 2 || !strings.Contains(got.err, "--paid goes with --check") {
		t.Errorf("exit code %d, %q", got.code, got.err)
	}
}

// A preset's price comes from the table of models, so the shortest entry starts under a budget.
func TestPresetIsPriced(t *testing.T) {
	env := environment{"DAILY_BUDGET_USD=10", `PROVIDERS_FILE={"providers": [
		{"name": "deepseek", "preset": "deepseek", "model": "deepseek-chat", "weight": 0.8},
		{"name": "local", "base_url": "http://127.0.0.1:11434/v1", "model": "qwen3:32b", "api_key_env": "none",
		 "structured_output": "json_schema", "thinking": "strip", "timeout_seconds": 25, "price": {"input": 0, "output": 0}}]}`}
	got := thalas(t, env, "", "providers")
	for _, line := range []string{"deepseek-chat", "0.3", "1.2", "0.8", "as of 2026-10 (deepseek: 2026-11-15)"} {
		if got.code != 0 || !strings.Contains(got.out, line) {
			t.Errorf("exit code %d, %q is missing in\n%s%s", got.code, line, got.out, got.err)
		}
	}
	env[1] = strings.Replace(env[1], "deepseek-chat", "unknown", 1)
	if got := thalas(t, env, "", "providers"); got.code != 2 || !strings.Contains(got.err, "providers[0].price is missing, and no price of model unknown is known") {
		t.Errorf("exit code %d, %s", got.code, got.err)
	}
}

// Texts that name the built-in providers name all of them, with their defaults.
func TestTextsNameEveryProvider(t *testing.T) {
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	docs, help := string(data), thalas(t, nil, "", "--help").out
	for _, k := range app.Known() {
		row := fmt.Sprintf("| %s | %t | %.1f |", k.Name, k.Enabled, k.Weight)
		if !strings.Contains(docs, row) || !strings.Contains(docs, "`"+strings.ToUpper(k.Name)+"`") || !strings.Contains(help, provider.Variable(k.Name, "API_KEY")) {
			t.Errorf("the help or docs/configuration.md does not have %s, or not the row %s", k.Name, row)
		}
	}
}

// A configuration can be tried without any key.
func TestFurtherProvidersAreSimulated(t *testing.T) {
	env := environment{`PROVIDERS_FILE={"providers": [{"name": "deepseek", "preset": "deepseek", "model": "m"}, {"name": "second", "preset": "anthropic", "model": "claude-sonnet-5-5"},
		{"name": "mine", "base_url": "https://mine.example/v1", "model": "m", "structured_output": "none", "headers": {"X-Secret": "planted-secret"}, "extra_body": {"secret": "planted-secret"}}]}`}
	got := thalas(t, env, `{"rsi": 28.5}`, "ask", "BTC/USDT", "--price", "50000", "--data", "-", "--simulate", "true", "--json", "--weights", "deepseek=0.5,mine=0.5")
	if got.code != 0 || !strings.Contains(got.out, `"participating_providers": 6`) || !strings.Contains(got.out, `"provider": "mine"`) || strings.Contains(got.out+got.err, "planted") {
		t.Errorf("exit code %d, %s%s", got.code, got.out, got.err)
	}
}
