package gemini_test

import (
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	usage := func(prompt, cached, output int) provider.Usage {
		return provider.Usage{Known: true, InputTokens: prompt, CachedTokens: cached, OutputTokens: output, CostUSD: providertest.USD(float64(prompt)*0.30e-6 + float64(output)*2.50e-6)}
	}
	used, thoughtOnly, promptOnly := usage(2050, 1000, 145), usage(2050, 1000, 30), usage(2050, 0, 0)
	problem := func(code, status, message, details string) string {
		return `{"error":{"code":` + code + `,"message":"` + message + `","status":"` + status + `","details":[` + details + `]}}`
	}
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
		Faults: []providertest.Fault{
			{Name: "wrong key", Status: 400, Kind: "authentication", Says: "API key not valid. Please pass a valid API key; check GEMINI_API_KEY",
				Body: problem("400", "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}},{"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"en-US","message":"API key not valid."}`)},
			{Name: "bad request", Status: 400, Kind: "provider", Says: "Unknown name", Body: problem("400", "INVALID_ARGUMENT", "Unknown name", "")},
			{Name: "no permission", Status: 403, Kind: "authentication", Says: "disabled", Body: problem("403", "PERMISSION_DENIED", "API is disabled", "")},
			{Name: "rate", Status: 429, Kind: "rate_limit", Retryable: true, RetryAfter: 17500 * time.Millisecond, Says: "17.5s",
				Body: problem("429", "RESOURCE_EXHAUSTED", "You exceeded your current quota", `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"m"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}`)},
			{Name: "out of credits", Status: 429, Kind: "rate_limit", Says: "add credit",
				Body: problem("429", "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", "")},
			{Name: "out of the day's share", Status: 429, Kind: "rate_limit", Says: "add credit",
				Body: problem("429", "RESOURCE_EXHAUSTED", "You exceeded your current quota", `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}`)},
			{Name: "header before body", Status: 429, Header: map[string]string{"Retry-After": "3"}, Kind: "rate_limit", Retryable: true, RetryAfter: 3 * time.Second,
				Body: problem("429", "RESOURCE_EXHAUSTED", "slower", `{"retryDelay":"17.5s"}`)},
			{Name: "details of another form", Status: 503, Kind: "provider", Retryable: true, Says: "overloaded", Body: problem("503", "UNAVAILABLE", "The model is overloaded.", `"text"`)},
			{Name: "deadline", Status: 504, Kind: "timeout", Retryable: true, Says: "Deadline", Body: problem("504", "DEADLINE_EXCEEDED", "Deadline expired", "")},
		},
	})
}

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, gemini.New, "") }
