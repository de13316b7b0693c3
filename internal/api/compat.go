package api

// The original system's route. Its clients work unchanged: questions, answers and errors have
// the original's shapes, and keys that it did not know are ignored.

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

const compatPath = "/api/v1/strategies/llm-consensus"

// CompatConsensus is a decision in the original's shape.
type CompatConsensus struct {
	Decision            signal.Decision  `json:"decision"`
	Confidence          float64          `json:"confidence" minimum:"0" maximum:"1"`
	Reasoning           string           `json:"reasoning"`
	RiskLevel           signal.RiskLevel `json:"risk_level"`
	SuggestedStopLoss   *float64         `json:"suggested_stop_loss" doc:"null for HOLD, or if no provider suggested one."`
	SuggestedTakeProfit *float64         `json:"suggested_take_profit" doc:"Likewise."`
	Metadata            CompatMetadata   `json:"consensus_metadata"`
	Responses           []CompatResponse `json:"provider_responses"`
	Simulated           bool             `json:"simulated,omitempty" doc:"true if the votes came from the built-in simulator; otherwise absent."`
}

// CompatMetadata says how the decision was reached.
type CompatMetadata struct {
	TotalProviders         int                   `json:"total_providers"`
	ParticipatingProviders int                   `json:"participating_providers"`
	AgreementScore         float64               `json:"agreement_score" minimum:"0" maximum:"1"`
	WeightedConfidence     float64               `json:"weighted_confidence" minimum:"0" maximum:"1"`
	VoteBreakdown          signal.Tally[int]     `json:"vote_breakdown"`
	WeightedVotes          signal.Tally[float64] `json:"weighted_votes"`
	TotalLatencyMS         float64               `json:"total_latency_ms"`
	TotalCostUSD           float64               `json:"total_cost_usd"`
	TotalTokens            int                   `json:"total_tokens"`
	Timestamp              time.Time             `json:"timestamp"`
}

// CompatResponse is one provider's vote.
type CompatResponse struct {
	Provider   string          `json:"provider"`
	Decision   signal.Decision `json:"decision"`
	Confidence float64         `json:"confidence" minimum:"0" maximum:"1"`
	Reasoning  string          `json:"reasoning"`
}

func compatOf(c *signal.Consensus) CompatConsensus {
	answer := CompatConsensus{
		Decision: c.Decision, Confidence: c.Confidence, Reasoning: c.Reasoning, RiskLevel: c.RiskLevel,
		SuggestedStopLoss: c.SuggestedStopLoss, SuggestedTakeProfit: c.SuggestedTakeProfit,
		Metadata: CompatMetadata{
			TotalProviders: c.TotalProviders, ParticipatingProviders: c.ParticipatingProviders,
			AgreementScore: c.AgreementScore, WeightedConfidence: c.WeightedConfidence,
			VoteBreakdown: c.VoteBreakdown, WeightedVotes: c.WeightedVotes,
			TotalLatencyMS: c.TotalLatencyMS, TotalCostUSD: c.TotalCostUSD, TotalTokens: c.TotalTokens, Timestamp: c.Timestamp,
		},
		Responses: make([]CompatResponse, len(c.Responses)),
		Simulated: c.Simulated,
	}
	for i, v := range c.Responses {
		answer.Responses[i] = CompatResponse{v.Provider, v.Decision, v.Confidence, v.Reasoning}
	}
	return answer
}

func (s *server) compatAsk(ctx context.Context, in *askInput) (*jsonOutput, error) {
	// The same body is another question here, where unknown fields are ignored. The space
	// keeps its route apart from any other.
	answer, err := s.answer(ctx, in, parseCompat(in.document, s.service.Registry), " "+compatPath)
	if err != nil {
		return nil, err
	}
	return exchangeOf(ctx).answered(answer, compatOf(answer.Consensus))
}

// CompatHealth has health and metrics in the original's shape.
type CompatHealth struct {
	Status             string          `json:"status" enum:"healthy,degraded"`
	AvailableProviders int             `json:"available_providers"`
	RequiredProviders  int             `json:"required_providers"`
	ProviderHealth     map[string]bool `json:"provider_health" doc:"For every enabled provider, by name: whether it can be asked and its last call did not fail."`
	Timestamp          time.Time       `json:"timestamp"`
	Metrics            CompatMetrics   `json:"metrics"`
}

// CompatMetrics are the counts of the current UTC day.
type CompatMetrics orchestrator.Metrics

func (s *server) compatHealth(ctx context.Context, _ *struct{}) (*jsonOutput, error) {
	health := s.service.Health(ctx, false)
	answer := CompatHealth{
		Status: string(service.Healthy), AvailableProviders: health.AvailableProviders, RequiredProviders: health.RequiredProviders,
		ProviderHealth: health.ProviderHealth, Timestamp: time.Now().UTC().Truncate(time.Millisecond),
		Metrics: CompatMetrics(s.service.Orchestrator.Metrics()), // of this process, which is better than none
	}
	if health.Status != service.Healthy {
		answer.Status = string(service.Degraded)
	}
	if day, err := s.service.Metrics(ctx, service.WindowDay, time.Time{}, time.Time{}); err == nil {
		answer.Metrics.RegistryStatus = day.RegistryStatus
		answer.Metrics.TotalRequests, answer.Metrics.SuccessfulRequests = day.TotalRequests, day.SuccessfulRequests
		answer.Metrics.FailedRequests, answer.Metrics.SuccessRate = day.FailedRequests, day.SuccessRate
	}
	return exchangeOf(ctx).asJSON(http.StatusOK, answer)
}

// CompatError is an error of the compatibility route. It has Details for wrong input, and
// otherwise Detail.
type CompatError struct {
	Message string              `json:"error" doc:"What went wrong."`
	Detail  string              `json:"detail,omitempty" doc:"More about it, except for wrong input."`
	Details map[string][]string `json:"details,omitempty" doc:"For wrong input: messages by top-level field, or under non_field_errors."`

	status  int
	headers http.Header
}

func (e *CompatError) Error() string { return e.Message }

// GetStatus is read by huma.
func (e *CompatError) GetStatus() int { return e.status }

// ContentType is read by huma.
func (e *CompatError) ContentType(string) string { return jsonType }

// GetHeaders is read by huma.
func (e *CompatError) GetHeaders() http.Header { return e.headers }

// compatErrorOf gives a problem the original's shape. Wrong input is a 400 with messages by
// field. A run that had no time left is a 503, as is every other missing quorum.
func compatErrorOf(p *Problem) *CompatError {
	e := &CompatError{Message: p.Detail, Detail: p.Detail, status: p.Status, headers: p.GetHeaders()}
	switch {
	case p.kind == invalidRequest || p.kind == unreadableBody:
		e.Message, e.Detail, e.status = "Invalid request data", "", http.StatusBadRequest
		e.Details = map[string][]string{}
		for _, m := range p.Errors {
			name, message := topLevel(m)
			e.Details[name] = append(e.Details[name], message)
		}
		return e
	case p.Status == http.StatusGatewayTimeout:
		e.status = http.StatusServiceUnavailable
	case p.kind == internalError:
		e.Message = p.Title
	}
	for _, f := range p.Failures {
		e.Detail = strings.TrimSuffix(e.Detail, ".") + fmt.Sprintf(". %s: %s: %s", f.Provider, f.Error, f.Message)
	}
	e.Detail = strings.TrimSuffix(e.Detail, ".") + ". Request id " + p.RequestID
	return e
}

// topLevel gives the top-level field of a mistake. The rest of its place is in the message.
func topLevel(m Mistake) (name, message string) {
	if header, inHeader := strings.CutPrefix(m.Location, "header."); inHeader { // the original's errors name no headers
		return "non_field_errors", header + " " + m.Message
	}
	place, inBody := strings.CutPrefix(m.Location, "body.")
	if !inBody {
		return "non_field_errors", m.Message
	}
	if i := strings.IndexAny(place, ".["); i >= 0 {
		return place[:i], strings.TrimPrefix(place[i:], ".") + ": " + m.Message
	}
	return place, m.Message
}

func (s *server) compatAskOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "compatAsk", Method: http.MethodPost, Path: compatPath, Tags: []string{"Compatibility"},
		Summary: "Ask the models now, as clients of the original system do",
		Description: "Unknown fields are ignored, and so are weights of unknown and disabled providers. " +
			"`pair` may be any text of at most 300 characters, such as the question of a prediction market with its probability as `current_price`.",
		SkipValidateParams: true, // keyOf checks the key
		RequestBody:        jsonBody("The question.", s.objectSchema("CompatQuestion", compatFields, true, "pair", "current_price", "market_data"), examples["compat_question"]),
	}
	ok := askResponse("The decision.", refTo[CompatConsensus](s), compatOf(exampleConsensus()))
	return s.documented(op, ok, unreadableBody, invalidRequest, crossOrigin, bodyTooLarge, wrongMediaType,
		inFlight, otherBody, storeUnreachable, requestBudget, dailyBudget, noProviders, insufficientProviders, insufficientResponses, tooLate, stillAsked, tooManyRuns, budgetUnknown, keysUnavailable, aggregationFailed)
}

func (s *server) compatHealthOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "compatHealth", Method: http.MethodGet, Path: compatPath, Tags: []string{"Compatibility"},
		Summary:     "Health and metrics, as clients of the original system read them",
		Description: "No provider is called and nothing is paid.",
	}
	return s.documented(op, jsonResponse("Health, with the counts of the current UTC day.", refTo[CompatHealth](s), examples["compat_health"]))
}

// compatFields are the keys of the compatibility route.
var compatFields = []field{
	marketField("A pair in any notation, or any text.", "Will Bitcoin reach $100k?"),
	timeframeField("The length of a candle."),
	priceField,
	marketDataField(signal.MaxCompatText),
	{weightsKey, (*fields).compatWeights, weightsSchema("Weights of votes in this run by provider, in any case. Default: the server's configuration.")},
}

// marketField is a pair, or the question of a prediction market.
func marketField(description, example string) field {
	return field{"pair", func(f *fields, raw strictjson.Value) {
		readText(f, "pair", raw, "a pair such as BTC/USDT, or a question", signal.ParseMarket, &f.request.Pair)
	}, huma.Schema{Type: huma.TypeString, Format: "market", MinLength: new(1), MaxLength: new(300), Description: description, Examples: []any{example}}}
}

// parseCompat reads a body as parseQuestion does, by the rules of the compatibility route.
func parseCompat(body strictjson.Value, registry *provider.Registry) *fields {
	f := &fields{values: map[string]strictjson.Value{}, registry: registry}
	list, isObject := body.Members()
	if !isObject {
		f.mistakes, f.unread = []Mistake{{Location: "body", Message: "is not an object: send one with pair, current_price and market_data"}}, true
		return f
	}
	for _, m := range list { // the last of two equal keys counts, as in Python
		f.values[m.Name] = m.Value
	}
	for _, known := range compatFields { // in the documented order
		if v := f.values[known.name]; !v.IsNull() {
			known.read(f, v)
		}
	}
	return f
}

// compatWeights reads weights of enabled providers and ignores all others.
func (f *fields) compatWeights(raw strictjson.Value) {
	list, isObject := raw.Members()
	if !isObject {
		f.wrong("provider_weights", `is not an object: send one such as {"anthropic": 1.0}, or null`, raw)
		return
	}
	weights := make(map[string]float64, len(list))
	for _, m := range list {
		entry, known := f.registry.Find(m.Name)
		if !known || entry.Disabled || m.Value.IsNull() {
			continue
		}
		place := "provider_weights." + strictjson.Cut(m.Name, maxValue)
		f.values[place] = m.Value
		if n, ok := f.number(place, m.Value, "a weight from 0 to 1"); ok {
			weights[m.Name] = n.Float64()
		}
	}
	f.request.Weights = weights
}
