package openai_test

import (
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/provider/openai"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2100, CachedTokens: 1024, OutputTokens: 120, CostUSD: providertest.USD(2100*0.10e-6 + 120*0.50e-6)}
	problem := func(kind, code, message string) string {
		return `{"error":{"message":"` + message + `","type":"` + kind + `","param":null,"code":` + code + `}}`
	}
	providertest.Run(t, providertest.Spec{
		Name:      openai.Name,
		New:       openai.New,
		Version:   "/v1",
		AskPath:   "/v1/chat/completions",
		CheckPath: "/v1/models",
		Header:    map[string]string{"Authorization": "Bearer " + providertest.Key},
		RequestID: "X-Request-Id",
		Unknown:   "gpt-unheard-of",
		Answer:    provider.Answer{Model: "gpt-6-luna-2026-09-15", Usage: used},
		Answers: []providertest.Answer{
			{File: "answer_no_usage.json"},
			{File: "answer_truncated.json", Kind: "truncated", Says: "raise OPENAI_MAX_TOKENS", Usage: used},
			{File: "answer_refusal.json", Kind: "refusal", Says: "I can't give financial advice.", Usage: used},
			{File: "answer_content_filter.json", Kind: "refusal", Says: "content_filter", Usage: used},
			{File: "answer_tool_calls.json", Kind: "truncated", Says: "tool_calls", Usage: used},
			{File: "answer_no_choices.json", Kind: "invalid_response", Says: "no choices", Usage: used},
			{File: "answer_unknown_stop.json", Kind: "invalid_response", Says: "somewhere_else", Usage: used},
		},
		Faults: []providertest.Fault{
			{Name: "wrong key", Status: 401, Body: problem("invalid_request_error", `"invalid_api_key"`, "Incorrect API key provided: sk-ab***wxyz."), Kind: "authentication", Says: "Incorrect API key provided: [redacted]; check OPENAI_API_KEY"},
			{Name: "wrong key behind a gateway", Status: 400, Body: problem("invalid_request_error", `"invalid_api_key"`, "no"), Kind: "authentication", Says: "no"},
			{Name: "out of money", Status: 429, Header: map[string]string{"Retry-After": "5"}, Body: problem("insufficient_quota", `"insufficient_quota"`, "You exceeded your current quota."), Kind: "rate_limit", Says: "add credit"},
			{Name: "spending limit", Status: 400, Body: problem("billing_error", `"billing_hard_limit_reached"`, "Billing hard limit has been reached"), Kind: "rate_limit", Says: "add credit"},
			{Name: "rate", Status: 429, Header: map[string]string{"Retry-After-Ms": "250"}, Body: problem("tokens", `"rate_limit_exceeded"`, "Rate limit reached"), Kind: "rate_limit", Retryable: true, RetryAfter: 250 * time.Millisecond, Says: "Rate limit reached"},
			{Name: "code is null", Status: 400, Body: problem("invalid_request_error", `null`, "Invalid schema"), Kind: "provider", Says: "Invalid schema"},
			{Name: "code is a number", Status: 404, Body: problem("invalid_request_error", `404`, "The model does not exist"), Kind: "provider", Says: "check OPENAI_MODEL (gpt-6-luna)"},
			{Name: "fault", Status: 500, Body: problem("server_error", `null`, "The server had an error"), Kind: "provider", Retryable: true, Says: "The server had an error"},
		},
	})
}

func TestGrokConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2000, CachedTokens: 768, OutputTokens: 110, CostUSD: providertest.USD(0.00215)}
	noTicks := used
	noTicks.CostUSD = providertest.USD(2000*1.25e-6 + 110*2.50e-6)
	// Reasoning is beside completion_tokens, and grok-4.7 that answered has its own price.
	thought := provider.Usage{Known: true, InputTokens: 2000, CachedTokens: 768, OutputTokens: 700, CostUSD: providertest.USD(2000*2e-6 + 700*6e-6)}
	providertest.Run(t, providertest.Spec{
		Name:      openai.GrokName,
		New:       openai.NewGrok,
		Prefix:    "grok_",
		Version:   "/v1",
		AskPath:   "/v1/chat/completions",
		CheckPath: "/v1/models",
		Header:    map[string]string{"Authorization": "Bearer " + providertest.Key},
		RequestID: "X-Request-Id",
		Unknown:   "grok-unheard-of",
		Answer:    provider.Answer{Model: "grok-4.20-0309-non-reasoning", Usage: used},
		Answers: []providertest.Answer{
			{File: "answer_no_ticks.json", Usage: noTicks},
			{File: "answer_thinking.json", Usage: thought},
			{File: "answer_impossible_usage.json"},
			{File: "answer_truncated.json", Kind: "truncated", Says: "raise GROK_MAX_TOKENS", Usage: used},
			{File: "answer_refusal.json", Kind: "refusal", Says: "I can't help with that.", Usage: used},
		},
		Faults: []providertest.Fault{
			{Name: "wrong key", Status: 400, Body: `{"code":"Client specified an invalid argument","error":"Incorrect API key provided: pl***b3. You can obtain an API key from https://console.x.ai."}`, Kind: "authentication", Says: "check GROK_API_KEY"},
			{Name: "bad request", Status: 400, Body: `{"code":"Client specified an invalid argument","error":"Model grok-4.20 does not support parameter reasoningEffort."}`, Kind: "provider", Says: "does not support parameter reasoningEffort"},
			{Name: "out of credits", Status: 429, Body: `{"code":"Some resource has been exhausted","error":"Your team has used all available credits or reached its monthly spending limit."}`, Kind: "rate_limit", Says: "add credit"},
			{Name: "rate", Status: 429, Header: map[string]string{"Retry-After": "0.5"}, Body: `{"code":"Some resource has been exhausted","error":"Too many requests"}`, Kind: "rate_limit", Retryable: true, RetryAfter: 500 * time.Millisecond, Says: "Too many requests"},
			{Name: "as OpenAI", Status: 404, Body: `{"error":{"message":"no such model","code":null}}`, Kind: "provider", Says: "no such model"},
		},
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, openai.New, "") }

func FuzzGrokAnswer(f *testing.F) { providertest.FuzzAnswer(f, openai.NewGrok, "grok_") }
