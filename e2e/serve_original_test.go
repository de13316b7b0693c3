package e2e

// The original system's client, as its users have it: it sends what Python's
// json module makes of its dictionaries, and reads the keys that it knows.

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const originalPath = "/api/v1/strategies/llm-consensus"

// originalSignal is what the client reads of a decision. A key that is not there
// is a KeyError to it.
var originalSignal = map[string][]string{
	"": {"decision", "confidence", "reasoning", "risk_level", "suggested_stop_loss", "suggested_take_profit", "consensus_metadata", "provider_responses"},
	"consensus_metadata": {"total_providers", "participating_providers", "agreement_score", "weighted_confidence", "vote_breakdown", "weighted_votes",
		"total_latency_ms", "total_cost_usd", "total_tokens", "timestamp"},
}

// askOriginal sends a question as the client does: requests.post(url, json=payload).
func (s *server) askOriginal(ctx context.Context, payload string) reply {
	return s.do(ctx, http.MethodPost, originalPath, payload, "User-Agent", "python-requests/2.32.3", "Accept", "*/*", "Accept-Encoding", "gzip, deflate", "Connection", "keep-alive")
}

// readOriginal reads a decision as the client does.
func readOriginal(t *testing.T, r reply) (document map[string]any) {
	t.Helper()
	if r.err != nil || r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Fatalf("%v %d %v %s", r.err, r.status, r.header, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &document); err != nil {
		t.Fatal(err)
	}
	metadata, _ := document["consensus_metadata"].(map[string]any)
	for part, keys := range originalSignal {
		in := document
		if part != "" {
			in = metadata
		}
		for _, key := range keys {
			if _, there := in[key]; !there {
				t.Errorf("%s has no %q: %s", part, key, r.body)
			}
		}
	}
	if _, extra := document["simulated"]; extra {
		t.Errorf("a real answer says that it is simulated or not: %s", r.body)
	}
	return document
}

func TestOriginalClient(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	for name, payload := range map[string]string{
		"as documented": `{"pair": "BTC/USDT", "timeframe": "5m", "current_price": 50000.0, "market_data": {"rsi": 65.5, "macd": 150.0, "volume": 1000000, "price_change_24h": 2.5,
			"recent_candles": [{"open": 49900, "high": 50100, "low": 49800, "close": 50000, "volume": 12.5}]}, "provider_weights": {"anthropic": 1.0, "openai": 0.9, "gemini": 0.8}}`,
		"capitalised weight names":       `{"pair": "BTC/USDT", "current_price": 50000.0, "market_data": {"rsi": 65.5}, "provider_weights": {"Anthropic": 1.0, "OpenAI": 0.9, "Gemini": 0.8}}`,
		"weights of unknown providers":   `{"pair": "BTC/USDT", "current_price": 50000.0, "market_data": {"rsi": 65.5}, "provider_weights": {"Mistral": 1.0, "openai": 0.9}}`,
		"unknown keys":                   `{"pair": "BTC/USDT", "current_price": 50000.0, "market_data": {"rsi": 65.5, "vibe": "up"}, "strategy": "momentum", "user": {"id": 7, "tags": []}, "min_providers": "all"}`,
		"nulls":                          `{"pair": "BTC/USDT", "timeframe": null, "current_price": 50000.0, "market_data": {"rsi": null, "macd": 150.0}, "provider_weights": null}`,
		"a question of a market":         `{"pair": "Will Bitcoin reach $100k by December?", "timeframe": "1h", "current_price": 0.62, "market_data": {"volume": 120000, "question": "Will Bitcoin reach $100k by December?"}}`,
		"a long text":                    `{"pair": "BTC/USDT", "current_price": 1, "market_data": {"news": "` + strings.Repeat("long ", 190) + `"}}`,
		"not ASCII, escaped by Python":   `{"pair": "Gewinnt M\u00fcller \ud83d\ude00?", "current_price": 0.5, "market_data": {"volume": 1}}`,
		"a price that is a whole number": `{"pair": "BTC/USDT", "current_price": 50000, "market_data": {"rsi": 1}}`,
	} {
		document := readOriginal(t, s.askOriginal(t.Context(), payload))
		if !slices.Contains([]any{"BUY", "SELL", "HOLD"}, document["decision"]) {
			t.Errorf("%s: %v", name, document["decision"])
		}
	}
	asked := maps.Clone(p.Requests())

	// Twelve at once, as a scanner of markets does.
	for _, r := range many(12, func(int) reply {
		return s.askOriginal(t.Context(), `{"pair": "Will it rain?", "current_price": 0.5, "market_data": {"volume": null, "spread": 0.01}}`)
	}) {
		readOriginal(t, r)
	}
	for provider, before := range asked {
		if now := p.Requests()[provider]; now != before+12 {
			t.Errorf("%s was asked %d times for twelve questions", provider, now-before)
		}
	}

	// Its health check pays nothing.
	asked = maps.Clone(p.Requests())
	r := s.get(t, originalPath)
	var health struct {
		Status             string
		AvailableProviders int             `json:"available_providers"`
		RequiredProviders  int             `json:"required_providers"`
		ProviderHealth     map[string]bool `json:"provider_health"`
		Timestamp          string
		Metrics            struct {
			Total          int            `json:"total_requests"`
			Successful     int            `json:"successful_requests"`
			Failed         int            `json:"failed_requests"`
			SuccessRate    float64        `json:"success_rate"`
			RegistryStatus map[string]any `json:"registry_status"`
			Configuration  map[string]any
		}
	}
	if err := json.Unmarshal([]byte(r.body), &health); err != nil || r.status != 200 {
		t.Fatalf("%v %d %s", err, r.status, r.body)
	}
	if health.Status != "healthy" || health.AvailableProviders != 4 || health.RequiredProviders != 1 || len(health.ProviderHealth) != 4 || health.Timestamp == "" ||
		health.Metrics.Total != 21 || health.Metrics.Successful != 21 || health.Metrics.SuccessRate != 1 || health.Metrics.RegistryStatus == nil || health.Metrics.Configuration == nil {
		t.Errorf("health: %s", r.body)
	}
	if !maps.Equal(asked, p.Requests()) {
		t.Errorf("health asks: %v, then %v", asked, p.Requests())
	}
	s.terminate(t, sigterm)
}

func TestOriginalErrors(t *testing.T) {
	t.Parallel()
	p := simulated(t, "anthropic=unavailable*;openai=unavailable*;gemini=hang*;grok=unavailable*")
	s := startServer(t, storeFile(t), append(p.Env(), "TIMEOUT_SECONDS=0.5", "MAX_ATTEMPTS=1")...)
	for name, tt := range map[string]struct {
		method, payload string
		status          int
		fields          []string // in details; nil: there is detail instead
	}{
		"no price":         {"POST", `{"pair": "BTC/USDT", "market_data": {"rsi": 1}}`, 400, []string{"current_price"}},
		"three mistakes":   {"POST", `{"pair": "", "current_price": -1, "market_data": {}}`, 400, []string{"current_price", "market_data", "pair"}},
		"weight too large": {"POST", `{"pair": "BTC/USDT", "current_price": 1, "market_data": {"rsi": 1}, "provider_weights": {"openai": 2}}`, 400, []string{"provider_weights"}},
		"NaN of Python":    {"POST", `{"pair": "BTC/USDT", "current_price": NaN, "market_data": {"rsi": 1}}`, 400, []string{"current_price"}},
		"nobody answers":   {"POST", `{"pair": "BTC/USDT", "current_price": 1, "market_data": {"rsi": 1}}`, 503, nil},
		"another method":   {"PUT", `{}`, 405, nil},
		"too large":        {"POST", `{"pair": "` + strings.Repeat("x", 300<<10) + `"}`, 413, nil},
	} {
		// Who asks first whether it may send its body never has the connection closed
		// on it in the middle.
		r := s.do(t.Context(), tt.method, originalPath, tt.payload, "Expect", "100-continue")
		var document struct {
			Error   string
			Detail  string
			Details map[string][]string
		}
		if err := json.Unmarshal([]byte(r.body), &document); err != nil || r.status != tt.status || document.Error == "" {
			t.Errorf("%s: %v %v %d %s", name, r.err, err, r.status, r.body)
			continue
		}
		if got := slices.Sorted(maps.Keys(document.Details)); !slices.Equal(got, tt.fields) {
			t.Errorf("%s: details of %q, want %q: %s", name, got, tt.fields, r.body)
		}
		if (document.Detail == "") != (tt.fields != nil) || (tt.status == 400 && document.Error != "Invalid request data") {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	s.terminate(t, sigterm)
}
