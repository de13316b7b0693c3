package anthropic_test

import (
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2607, CachedTokens: 512, OutputTokens: 118, CostUSD: providertest.USD(2607*0.10e-6 + 118*0.50e-6)}
	thought := provider.Usage{Known: true, InputTokens: 2607, CachedTokens: 512, OutputTokens: 640, CostUSD: providertest.USD(2607*0.10e-6 + 640*0.50e-6)}
	problem := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"}`
	}
	providertest.Run(t, providertest.Spec{
		Name:      anthropic.Name,
		New:       anthropic.New,
		Version:   "/v1",
		AskPath:   "/v1/messages",
		CheckPath: "/v1/models",
		Header:    map[string]string{"X-Api-Key": providertest.Key, "Anthropic-Version": "2023-06-01", "Authorization": ""},
		RequestID: "Request-Id",
		Unknown:   "claude-unheard-of",
		Answer:    provider.Answer{Model: "claude-haiku-5-5-20261001", Usage: used},
		Answers: []providertest.Answer{
			{File: "answer_thinking.json", Usage: thought},
			{File: "answer_no_usage.json"},
			{File: "answer_truncated.json", Kind: "truncated", Says: "1024 tokens before its vote was complete (max_tokens); raise ANTHROPIC_MAX_TOKENS", Usage: used},
			{File: "answer_refusal.json", Kind: "refusal", Says: "would not answer", Usage: used},
			{File: "answer_context_window.json", Kind: "truncated", Says: "model_context_window_exceeded", Usage: used},
			{File: "answer_pause.json", Kind: "truncated", Says: "pause_turn", Usage: used},
			{File: "answer_tool_use.json", Kind: "truncated", Says: "tool_use", Usage: used},
			{File: "answer_unknown_stop.json", Kind: "invalid_response", Says: "somewhere_else", Usage: used},
		},
		Faults: []providertest.Fault{
			{Name: "wrong key", Status: 401, Body: problem("authentication_error", "invalid x-api-key"), Kind: "authentication", Says: "anthropic answered 401: invalid x-api-key; check ANTHROPIC_API_KEY"},
			{Name: "no permission", Status: 403, Body: problem("permission_error", "no access"), Kind: "authentication", Says: "no access"},
			{Name: "billing", Status: 402, Body: problem("billing_error", "Pay."), Kind: "rate_limit", Says: "Pay; add credit"},
			{Name: "credit balance", Status: 400, Body: problem("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), Kind: "rate_limit", Says: "credit balance"},
			{Name: "rate", Status: 429, Header: map[string]string{"Retry-After": "17"}, Body: problem("rate_limit_error", "too many"), Kind: "rate_limit", Retryable: true, RetryAfter: 17 * time.Second, Says: "too many"},
			{Name: "overloaded", Status: 529, Body: problem("overloaded_error", "Overloaded"), Kind: "rate_limit", Retryable: true, Says: "Overloaded"},
			{Name: "bad request", Status: 400, Body: problem("invalid_request_error", "max_tokens: too large"), Kind: "provider", Says: "max_tokens: too large"},
			{Name: "unknown model", Status: 404, Body: problem("not_found_error", "model: claude-x"), Kind: "provider", Says: "check ANTHROPIC_MODEL (claude-haiku-5-5)"},
			{Name: "fault", Status: 500, Body: problem("api_error", "Internal server error"), Kind: "provider", Retryable: true, Says: "Internal server error"},
		},
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, anthropic.New, "") }
