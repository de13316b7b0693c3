package gemini_test

import (
	"testing"

	"thalas/internal/provider"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	usage := func(prompt, cached, output int) provider.Usage {
		return provider.Usage{Known: true, InputTokens: prompt, CachedTokens: cached, OutputTokens: output, CostUSD: providertest.USD(float64(prompt)*0.30e-6 + float64(output)*2.50e-6)}
	}
	used, thoughtOnly, promptOnly := usage(2050, 1000, 145), usage(2050, 1000, 30), usage(2050, 0, 0)
	providertest.Run(t, providertest.Spec{
		Name:      gemini.Name,
		New:       gemini.New,
		Version:   "/v1beta",
		AskPath:   "/v1beta/models/gemini-3.5-flash-lite:generateContent",
		CheckPath: "/v1beta/models",
		Header:    map[string]string{"X-Goog-Api-Key": providertest.Key, "Authorization": ""},
		Unknown:   "gemini-unheard-of",
		Answer:    provider.Answer{Model: "gemini-3.5-flash-lite", Usage: used},
		Answers: []providertest.Answer{
			{File: "answer_thinking.json", Usage: usage(2050, 1000, 815)},
			{File: "answer_no_usage.json"},
			{File: "answer_truncated.json", Kind: "truncated", Says: "raise GEMINI_MAX_TOKENS", Usage: used},
			{File: "answer_safety.json", Kind: "refusal", Says: "SAFETY", Usage: thoughtOnly},
			{File: "answer_recitation.json", Kind: "refusal", Says: "RECITATION", Usage: thoughtOnly},
			{File: "answer_prohibited.json", Kind: "refusal", Says: "PROHIBITED_CONTENT", Usage: thoughtOnly},
			{File: "answer_blocked.json", Kind: "refusal", Says: "PROHIBITED_CONTENT", Usage: promptOnly},
			{File: "answer_no_candidates.json", Kind: "refusal", Says: "no candidates", Usage: promptOnly},
			{File: "answer_unknown_stop.json", Kind: "invalid_response", Says: "OTHER", Usage: thoughtOnly},
		},
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, gemini.New, "") }
