package api

// The examples of the contract, as values of the types that are sent and answered.

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

const exampleID = "019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"

func exampleQuestion() any {
	return map[string]any{
		"pair": "BTC/USDT", "timeframe": "5m", "current_price": 50000.0,
		"market_data": map[string]any{
			"rsi": 65.5, "macd": 150.0, "volume": 1000000, "price_change_24h": 2.5, "adx": nil,
			"recent_candles": []any{map[string]any{"time": "2026-11-23T04:55:00Z", "open": 49900, "high": 50100, "low": 49800, "close": 50000, "volume": 12.5}},
		},
		"min_confidence": 0.5,
	}
}

func exampleCompatQuestion() any {
	return map[string]any{"pair": "Will Bitcoin reach $100k?", "current_price": 0.62, "market_data": map[string]any{"volume": 125000, "days_left": 12}, "provider_weights": nil}
}

var exampleTime = time.Date(2026, 11, 23, 5, 0, 1, 250e6, time.UTC)

// exampleConsensus is BUY by two of three votes, with one provider failed.
func exampleConsensus() *signal.Consensus {
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		panic(err) // not reached
	}
	candle := exampleTime.Truncate(5 * time.Minute).Add(-5 * time.Minute)
	buy := signal.Buy
	return &signal.Consensus{
		ID: exampleID, Status: signal.Degraded, Pair: pair, Timeframe: "5m", CurrentPrice: 50000,
		Decision: buy, RawDecision: buy, Confidence: 0.7436842105263158, WeightedConfidence: 0.7436842105263158, AgreementScore: 0.7235023041474654,
		Reasoning: "Consensus (2/3 providers agree): RSI rises above 60", RiskLevel: signal.Medium, SuggestedStopLoss: new(48750.0), SuggestedTakeProfit: new(52250.0),
		TotalProviders: 4, ParticipatingProviders: 3,
		VoteBreakdown: signal.Tally[int]{Buy: 2, Hold: 1}, WeightedVotes: signal.Tally[float64]{Buy: 1.57, Hold: 0.6},
		Responses: []signal.Vote{
			{Provider: "anthropic", Model: "claude-haiku-5-5", Decision: buy, Confidence: 0.85, Weight: 1, Reasoning: "RSI rises above 60", RiskLevel: new(signal.Low),
				StopLoss: new(49000.0), TakeProfit: new(52000.0), LatencyMS: 812.4, Attempts: 1, InputTokens: 1900, OutputTokens: 140, CostUSD: new(0.0003)},
		},
		Failures: []signal.Failure{{Provider: "grok", Error: signal.FailureTimeout, Message: "no answer within 20s", Retryable: true, Attempts: 1, LatencyMS: 20000}},
		Explanation: signal.Explanation{
			Contributions: []signal.Contribution{{Provider: "anthropic", Share: 0.391705, Supports: true, DecisionWithout: &buy}},
			Margin:        0.97, Stability: 1, Dissent: &signal.Dissent{Provider: "gemini", Decision: signal.Hold, Confidence: 0.75, Reasoning: "no clear trend"},
		},
		Warnings:       []signal.Warning{{Code: signal.WarnStopLossWrongSide, Provider: "openai", Message: "its stop loss 51000 is above the price: left out"}},
		TotalLatencyMS: 20000.9, OverheadMS: 0.9, TotalCostUSD: 0.0085, TotalTokens: 6120,
		Timestamp: exampleTime, CandleTime: candle, ValidUntil: candle.Add(10 * time.Minute), PromptVersion: "3f6c1f0a", Cache: signal.CacheMiss,
		Policy: &signal.Policy{MinProviders: 2, MinConfidence: 0.5},
	}
}

const exampleCSV = "id,timestamp,candle_time,valid_until,pair,timeframe,current_price,decision,raw_decision,hold_reason,confidence,agreement_score,risk_level,suggested_stop_loss,suggested_take_profit,status,simulated,total_cost_usd\n" +
	exampleID + ",2026-11-23T05:00:01.25Z,2026-11-23T04:55:00Z,2026-11-23T05:05:00Z,BTC/USDT,5m,50000,BUY,BUY,,0.7436842105263158,0.7235023041474654,medium,48750,52250,degraded,false,0.0085\n"

func exampleReplayRequest() any {
	return map[string]any{
		"pair": "BTC/USDT", "timeframe": "5m", "from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z",
		"provider_weights": map[string]any{}, "min_confidence": 0.75,
	}
}

// exampleReplay is a day of which one BUY would have been held.
func exampleReplay() Replay {
	c := exampleConsensus()
	was := service.Verdict{Decision: c.Decision, RawDecision: c.RawDecision, Confidence: c.Confidence, AgreementScore: c.AgreementScore,
		SuggestedStopLoss: c.SuggestedStopLoss, SuggestedTakeProfit: c.SuggestedTakeProfit}
	now := was
	now.Decision, now.HoldReason, now.SuggestedStopLoss, now.SuggestedTakeProfit = signal.Hold, new(signal.HoldBelowMinConfidence), nil, nil
	return Replay{Replayed: service.Replayed{Runs: 288, Changed: 1, Items: []service.Change{{ID: c.ID, CandleTime: c.CandleTime, Was: was, Now: now}}}}
}

func exampleHealth(status service.HealthStatus) service.Health {
	h := service.Health{
		Status: status, AvailableProviders: 1, RequiredProviders: 1, ProviderHealth: map[string]bool{"anthropic": true}, Store: "ok", Version: "v1.0.0",
		Budget: &service.DayBudget{LimitUSD: 10, SpentUSD: new(2.448), ReservedUSD: new(0.189)},
		Providers: []service.ProviderHealth{{Name: "anthropic", Enabled: true, Configured: true, Model: "claude-haiku-5-5", Weight: 1, Breaker: "closed",
			LastSuccess: &exampleTime, ErrorRate: 0.01, LatencyP50MS: new(812.5)}},
	}
	if status == service.Unavailable {
		h.AvailableProviders, h.ProviderHealth["anthropic"] = 0, false
		p := &h.Providers[0]
		p.Configured, p.Reason, p.LastSuccess, p.LatencyP50MS, p.ErrorRate = false, "no API key: set ANTHROPIC_API_KEY", nil, nil, 0
	}
	return h
}

func exampleRegistry() orchestrator.RegistryStatus {
	return orchestrator.RegistryStatus{TotalProviders: 1, AvailableProviders: 1, Providers: map[string]orchestrator.ProviderStatus{
		"anthropic": {Model: "claude-haiku-5-5", Weight: 1, Enabled: true, Available: true},
	}}
}

func exampleMetrics() service.Metrics {
	day := exampleTime.Truncate(24 * time.Hour)
	return service.Metrics{
		TotalRequests: 288, SuccessfulRequests: 287, FailedRequests: 1, SuccessRate: 287.0 / 288, CostUSD: 2.448, Tokens: 1762560, RegistryStatus: exampleRegistry(),
		Providers: []service.ProviderMetrics{{Provider: "anthropic", Requests: 288, Successes: 286, Failures: map[string]int64{"timeout": 2}, SuccessRate: 286.0 / 288,
			InputTokens: 547200, OutputTokens: 40320, CostUSD: 0.0864, LatencyMS: service.Percentiles{P50: new(812.5), P95: new(1900.0)}}},
		Window: service.WindowDay, From: day, To: day.Add(24 * time.Hour),
	}
}

func exampleCompatHealth() CompatHealth {
	return CompatHealth{
		Status: "healthy", AvailableProviders: 1, RequiredProviders: 1, ProviderHealth: map[string]bool{"anthropic": true}, Timestamp: exampleTime,
		Metrics: CompatMetrics{TotalRequests: 288, SuccessfulRequests: 287, FailedRequests: 1, SuccessRate: 287.0 / 288, RegistryStatus: exampleRegistry(),
			Configuration: orchestrator.Configuration{MinProviders: 1, MinConfidence: 0.5, TimeoutSeconds: 25}},
	}
}

// exampleProblem is a problem of the kind as the operation would answer it.
func (s *server) exampleProblem(k *kind, op huma.Operation) *Problem {
	p := k.problem("")
	p.Instance, p.RequestID = op.Path, "6f1c2c0e-8f0a-4b3e-9d7a-0f3d5f6f4a11"
	if op.Path == consensusPath+"/{id}" {
		p.Instance = consensusPath + "/" + exampleID
	}
	switch k {
	case invalidRequest:
		mistakes := []Mistake{{Location: "query.limit", Message: "is not as expected: number <= 500", Value: json.RawMessage("1000")}}
		switch {
		case op.Path == replayPath:
			mistakes = []Mistake{{Location: "body.min_confidence", Message: "is outside 0…1", Value: json.RawMessage("75")}}
		case op.RequestBody != nil:
			mistakes = []Mistake{{Location: "body.current_price", Message: "is not above 0: send a price above 0", Value: json.RawMessage("-1")}}
		}
		p = invalid(mistakes)
		p.Instance, p.RequestID = op.Path, "6f1c2c0e-8f0a-4b3e-9d7a-0f3d5f6f4a11"
	case unreadableBody:
		p.Errors = []Mistake{{Location: "body.market_data.rsi", Message: strictjson.NoNaN}}
	case insufficientResponses:
		p.Detail = "Insufficient successful provider responses: 0 < 2"
		p.Failures = []signal.Failure{{Provider: "anthropic", Error: signal.FailureAuthentication, Message: "anthropic refused the key", Attempts: 1, LatencyMS: 80.5}}
	case tooLate:
		p.Detail = "Insufficient successful provider responses: 0 < 2"
		p.Failures = exampleConsensus().Failures
	}
	return p
}
