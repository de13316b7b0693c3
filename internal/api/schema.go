package api

// The schemas of questions, and what the Go types of the answers do not say: units, ranges,
// closed lists of words, and which fields may be null.

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/outcome"
	"thalas/internal/signal"
)

func weightsSchema(description string) huma.Schema {
	return huma.Schema{Type: huma.TypeObject, Nullable: true, Description: description}
}

// shareSchema is the schema of a number from 0 to 1.
func shareSchema(description string) huma.Schema {
	return huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: new(0.0), Maximum: new(1.0), Description: description}
}

func marketDataSchema(maxText int) huma.Schema {
	number := &huma.Schema{Type: huma.TypeNumber, Nullable: true}
	return huma.Schema{
		Type: huma.TypeObject, MinProperties: new(1), MaxProperties: new(signal.MaxIndicators),
		Description: "Indicators by any name, and recent candles. `null` is an unknown value: the models see it as unknown, and never as 0.",
		Properties: map[string]*huma.Schema{
			"recent_candles": {Description: "Oldest or newest first, with different times. Either all candles have a time or none has. " +
				"rsi, atr, ema_20, ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio and price_change_24h are computed from the candles if they are not sent; the warning `indicators_computed` says so.", AnyOf: []*huma.Schema{
				{Type: huma.TypeArray, MaxItems: new(signal.MaxCandles), Items: candleSchema(true)},
				{Type: huma.TypeArray, MaxItems: new(signal.MaxCandles), Items: candleSchema(false)},
				{Type: "null"},
			}},
		},
		AdditionalProperties: &huma.Schema{AnyOf: []*huma.Schema{
			number, {Type: huma.TypeBoolean}, {Type: huma.TypeString, MaxLength: new(maxText)},
			{Type: huma.TypeArray, MaxItems: new(signal.MaxListNumbers), Items: number},
		}},
		// If there are only candles, there must be at least one.
		Not:        &huma.Schema{Required: []string{"recent_candles"}, MaxProperties: new(1), Properties: map[string]*huma.Schema{"recent_candles": {MaxItems: new(0)}}},
		Extensions: map[string]any{"propertyNames": map[string]any{"minLength": 1, "maxLength": 100}},
	}
}

// candleSchema is the schema of a candle with or without its time.
func candleSchema(timed bool) *huma.Schema {
	positive := func() *huma.Schema { return &huma.Schema{Type: huma.TypeNumber, ExclusiveMinimum: new(0.0)} }
	candle := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"open", "high", "low", "close"}, Properties: map[string]*huma.Schema{
		"open": positive(), "high": positive(), "low": positive(), "close": positive(),
		"volume": {Type: huma.TypeNumber, Nullable: true, Minimum: new(0.0)},
	}}
	if timed {
		candle.Required = append(candle.Required, "time")
		candle.Properties["time"] = &huma.Schema{Description: "When the candle opened, from 1970 to 2199: RFC 3339, or seconds or milliseconds since 1970.",
			AnyOf: momentSchemas(huma.TypeNumber)}
	}
	return candle
}

// words are the fields that have one of a closed list of words.
var words = map[string][]any{
	"Consensus.status":       enum(signal.Complete, signal.Degraded),
	"Consensus.hold_reason":  holdReasons,
	"Consensus.cache":        enum(signal.CacheMiss, signal.CacheCoalesced, signal.CacheHit, signal.CacheReplay),
	"Consensus.decision":     decisions,
	"Consensus.raw_decision": decisions, "Vote.decision": decisions, "Dissent.decision": decisions, "Contribution.decision_without": decisions,
	"Verdict.decision": decisions, "Verdict.raw_decision": decisions,
	"Verdict.hold_reason":      holdReasons,
	"CompatConsensus.decision": decisions, "CompatResponse.decision": decisions,
	"Consensus.risk_level": riskLevels, "Vote.risk_level": riskLevels, "CompatConsensus.risk_level": riskLevels,
	"Failure.error": enum(signal.FailureAuthentication, signal.FailureRateLimit, signal.FailureTimeout, signal.FailureProvider,
		signal.FailureInvalidResponse, signal.FailureRefusal, signal.FailureTruncated, signal.FailureNotNeeded, signal.FailureLeftOut),
	"Failure.reason":        enum(signal.LeftOutFailing, signal.LeftOutKeyRefused, signal.LeftOutAccessDenied, signal.LeftOutNoCredit, signal.LeftOutAskedToWait),
	"Probability.reason":    enum(signal.ProbabilityTooFew, signal.ProbabilityHold, signal.ProbabilityUnavailable),
	"Outcome.status":        enum(outcome.Settled, outcome.Unresolved),
	"PendingOutcome.status": enum(outcome.Pending),
	"Outcome.reason":        enum(outcome.NoMarket, outcome.Late, outcome.Gap, outcome.PriceMismatch, outcome.NoCandles),
	"Outcome.class":         enum(outcome.Up, outcome.Down, outcome.Flat),
	"Outcome.decision":      decisions, "Outcome.raw_decision": decisions, "VoteOutcome.decision": decisions,
	"Score.verdict": enum(outcome.TooFew, outcome.BeatsCosts, outcome.BetterThanChance, outcome.WorseThanChance, outcome.NotDistinguishable),
	"Value.verdict": enum(outcome.TooFew, outcome.Helps, outcome.Hurts, outcome.NotDistinguishable),
}

var (
	decisions   = enum(signal.Decisions[:]...)
	holdReasons = enum(signal.HoldVoted, signal.HoldTie, signal.HoldNoConviction, signal.HoldBelowMinConfidence, signal.HoldBelowMinAgreement)
	riskLevels  = enum(signal.RiskLevels...)
)

// enum lists words as a schema has them.
func enum[T ~string](words ...T) []any {
	list := make([]any, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return list
}

// schemas.json has what a reader of an answer should know of its fields, and their ranges.
//
//go:embed schemas.json
var schemasJSON []byte

// documentSchemas adds the above to the schemas that huma made.
func documentSchemas(registry huma.Registry) {
	at := func(name, field string) *huma.Schema {
		schema := registry.Map()[name]
		if schema == nil || schema.Properties[field] == nil {
			panic(fmt.Sprintf("api: no field %s.%s in the contract", name, field)) // every test of this package builds the contract
		}
		return schema.Properties[field]
	}
	var more map[string]map[string]json.RawMessage
	mustRead(schemasJSON, &more)
	for name, fields := range more {
		for field, raw := range fields {
			mustRead(raw, at(name, field))
		}
	}
	for place, list := range words {
		name, field, _ := strings.Cut(place, ".")
		schema := at(name, field)
		if schema.Enum = list; schema.Nullable {
			schema.Enum = append(slices.Clip(list), nil)
		}
	}
	for _, schema := range []*huma.Schema{at("Explanation", "dissent"), at("ProviderHealth", "last_error"), at("ProviderHealth", "left_out"), at("Health", "budget"), at("Score", "value"), at("Series", "last_error")} {
		schema.AnyOf, schema.Ref = []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}}, "" // how a reference may be null
	}
	consensus := registry.Map()["Consensus"] // one that was stored before has no such field
	consensus.Required = slices.DeleteFunc(consensus.Required, func(field string) bool { return field == "shared_from" })
	for _, name := range []string{"Consensus", "Vote", "Failure", "Explanation", "Contribution", "Dissent", "Policy", "Probability", "Warning", "Outcome", "PendingOutcome", "VoteOutcome", "Scoreboard", "Board", "Score", "Estimate", "Value", "Reliability", "Replay", "Change", "Verdict", "Health", "DayBudget", "ProviderHealth", "Metrics", "DayMetrics", "ProviderMetrics", "Series", "SeriesError", "Problem"} {
		registry.Map()[name].AdditionalProperties = true // answers may gain fields, which readers ignore
	}
}
