package anthropic_test

import (
	"testing"

	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2607, CachedTokens: 512, OutputTokens: 118, CostUSD: providertest.USD(2607*0.10e-6 + 118*0.50e-6)}
	thought := provider.Usage{Known: true, InputTokens: 2607, CachedTokens: 512, OutputTokens: 640, CostUSD: providertest.USD(2607*0.10e-6 + 640*0.50e-6)}
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
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, anthropic.New, "") }
