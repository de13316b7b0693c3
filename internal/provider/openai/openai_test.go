package openai_test

import (
	"testing"

	"thalas/internal/provider"
	"thalas/internal/provider/openai"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2100, CachedTokens: 1024, OutputTokens: 120, CostUSD: providertest.USD(2100*0.10e-6 + 120*0.50e-6)}
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
	})
}

func TestGrokConformance(t *testing.T) {
	used := provider.Usage{Known: true, InputTokens: 2000, CachedTokens: 768, OutputTokens: 110, CostUSD: providertest.USD(0.00215)}
	noTicks := used
	noTicks.CostUSD = providertest.USD(2000*1.25e-6 + 110*2.50e-6)
	// completion_tokens does not include the reasoning, and grok-4.7, which answered, has its own price.
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
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, openai.New, "") }

func FuzzGrokAnswer(f *testing.F) { providertest.FuzzAnswer(f, openai.NewGrok, "grok_") }
