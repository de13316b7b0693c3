package api

// Schemas of what is sent, and what the Go types of the answers do not say:
// units, ranges, closed lists of words, and what may be null.

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/signal"
)

func timeframeSchema(description string, nullable bool) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString, Nullable: nullable, Description: description}
	for _, t := range signal.Timeframes() {
		schema.Enum = append(schema.Enum, string(t))
	}
	if nullable {
		schema.Enum, schema.Default = append(schema.Enum, nil), string(signal.DefaultTimeframe)
	}
	return schema
}

func (s *server) weightsSchema() *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: false, Properties: map[string]*huma.Schema{},
		Description: "Weights of votes in this run by provider, in any case. Default: the server's configuration."}
	for _, name := range s.service.Registry.Names() {
		schema.Properties[name] = &huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: new(0.0), Maximum: new(1.0)}
	}
	return schema
}

func marketDataSchema(maxText int) *huma.Schema {
	number := &huma.Schema{Type: huma.TypeNumber, Nullable: true}
	return &huma.Schema{
		Type: huma.TypeObject, MinProperties: new(1), MaxProperties: new(signal.MaxIndicators),
		Description: "Indicators by any name, and recent candles. `null` is an unknown value: the models are told so, never 0.",
		Properties: map[string]*huma.Schema{
			"recent_candles": {Description: "Oldest or newest first, each time once. Times are on all candles or on none. " +
				"rsi, atr, ema_20, ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio and price_change_24h are computed from them where they are not sent, which the warning `indicators_computed` tells.", AnyOf: []*huma.Schema{
				{Type: huma.TypeArray, MaxItems: new(signal.MaxCandles), Items: candleSchema(true)},
				{Type: huma.TypeArray, MaxItems: new(signal.MaxCandles), Items: candleSchema(false)},
				{Type: "null"},
			}},
		},
		AdditionalProperties: &huma.Schema{AnyOf: []*huma.Schema{
			number, {Type: huma.TypeBoolean}, {Type: huma.TypeString, MaxLength: new(maxText)},
			{Type: huma.TypeArray, MaxItems: new(signal.MaxListNumbers), Items: number},
		}},
		// Candles alone must be some.
		Not:        &huma.Schema{Required: []string{"recent_candles"}, MaxProperties: new(1), Properties: map[string]*huma.Schema{"recent_candles": {MaxItems: new(0)}}},
		Extensions: map[string]any{"propertyNames": map[string]any{"minLength": 1, "maxLength": 100}},
	}
}

// candleSchema is a candle with its time, or without.
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

// shares are the fields from 0 to 1.
var shares = []string{
	"Consensus.confidence", "Consensus.weighted_confidence", "Consensus.agreement_score", "Vote.confidence", "Vote.weight",
	"Contribution.share", "Explanation.stability", "Dissent.confidence", "Policy.min_confidence", "Policy.min_agreement",
	"Verdict.confidence", "Verdict.agreement_score",
	"ProviderHealth.weight", "ProviderHealth.error_rate", "Metrics.success_rate", "ProviderMetrics.success_rate",
}

// words are the fields with a closed list of words.
var words = map[string][]string{
	"Consensus.status":       {string(signal.Complete), string(signal.Degraded)},
	"Consensus.hold_reason":  holdReasons,
	"Consensus.cache":        {string(signal.CacheMiss), string(signal.CacheReplay)},
	"Consensus.decision":     decisions,
	"Consensus.raw_decision": decisions, "Vote.decision": decisions, "Dissent.decision": decisions, "Contribution.decision_without": decisions,
	"Verdict.decision": decisions, "Verdict.raw_decision": decisions,
	"Verdict.hold_reason":      holdReasons,
	"CompatConsensus.decision": decisions, "CompatResponse.decision": decisions,
	"Consensus.risk_level": riskLevels, "Vote.risk_level": riskLevels, "CompatConsensus.risk_level": riskLevels,
	"Failure.error": {string(signal.FailureAuthentication), string(signal.FailureRateLimit), string(signal.FailureTimeout), string(signal.FailureProvider),
		string(signal.FailureInvalidResponse), string(signal.FailureRefusal), string(signal.FailureTruncated), string(signal.FailureNotNeeded), string(signal.FailureLeftOut)},
	"Failure.reason": leftOutReasons,
}

var (
	decisions   = []string{string(signal.Buy), string(signal.Sell), string(signal.Hold)}
	holdReasons = []string{string(signal.HoldVoted), string(signal.HoldTie), string(signal.HoldNoConviction),
		string(signal.HoldBelowMinConfidence), string(signal.HoldBelowMinAgreement)}
	leftOutReasons = []string{string(signal.LeftOutFailing), string(signal.LeftOutKeyRefused), string(signal.LeftOutAccessDenied),
		string(signal.LeftOutNoCredit), string(signal.LeftOutAskedToWait)}
	riskLevels = []string{string(signal.Low), string(signal.Medium), string(signal.High)}
)

// descriptions are what a reader of an answer should know of a field.
var descriptions = map[string]string{
	"Consensus.id":                    "UUIDv7: ordered by time.",
	"Consensus.status":                "`complete`: every available provider answered or was not needed; `degraded`: some failed and the quorum held.",
	"Consensus.simulated":             "The votes came from the built-in simulator: nothing to act on.",
	"Consensus.pair":                  "`BASE/QUOTE[:SETTLE]`, or the text of a prediction market.",
	"Consensus.decision":              "What to act on.",
	"Consensus.raw_decision":          "What the vote said before min_confidence and min_agreement.",
	"Consensus.hold_reason":           "Why decision is HOLD; null unless it is.",
	"Consensus.confidence":            "The strength of the votes, not a probability: language models nearly always state 0.85 to 0.95.",
	"Consensus.weighted_confidence":   "The same number, for clients of the original system.",
	"Consensus.risk_level":            "The highest of all votes.",
	"Consensus.suggested_stop_loss":   "null for HOLD, or where nobody gave a usable one.",
	"Consensus.suggested_take_profit": "Likewise.",
	"Consensus.total_providers":       "Enabled and with a key, those that were left out too.",
	"Consensus.vote_breakdown":        "Votes by decision.",
	"Consensus.weighted_votes":        "Sums of weight × confidence by decision.",
	"Consensus.provider_responses":    "With failures, every available provider once, by name.",
	"Consensus.total_latency_ms":      "Wall time in milliseconds.",
	"Consensus.overhead_ms":           "Wall time less the time spent waiting for providers, in milliseconds.",
	"Consensus.total_cost_usd":        "Every attempt whose usage and price are known, failed ones too.",
	"Consensus.candle_time":           "When the last closed candle opened.",
	"Consensus.valid_until":           "The end of the candle that is forming now: candle_time + 2 timeframes.",
	"Consensus.cache":                 "`replay`: the stored answer to the same Idempotency-Key.",
	"Consensus.decided_early":         "Providers that could not change the decision any more were not waited for.",
	"Consensus.confidence_range":      "Where it was decided early: the lowest and highest confidence that the rest could have made.",
	"Consensus.policy":                "What it was decided under; the weights are those of provider_responses. Absent in results that were stored before it was kept.",
	"Policy.min_providers":            "Votes that a decision needed.",
	"Policy.min_confidence":           "Below it, a BUY or SELL became HOLD.",
	"Policy.min_agreement":            "Likewise.",
	"Replay.simulated":                "The votes came from the built-in simulator.",
	"Replay.runs":                     "Stored runs of this page, all of them replayed.",
	"Replay.changed":                  "Runs of this page with another decision.",
	"Replay.policy_assumed":           "Runs of this page that were stored before policy was kept and are held against the server's configuration of now, since the request leaves min_confidence or min_agreement out.",
	"Replay.items":                    "The runs with another decision, newest first.",
	"Replay.next_cursor":              "Send it as cursor for the next page; null where there is none.",
	"Change.decided_early":            "Not all votes were waited for: those that are missing may have changed what is now.",
	"Change.was":                      "As it was answered.",
	"Change.now":                      "The same votes under the policy of the request.",
	"Verdict.hold_reason":             "null unless decision is HOLD.",
	"Verdict.suggested_stop_loss":     "null for HOLD, or where nobody gave a usable one.",
	"Verdict.suggested_take_profit":   "Likewise.",
	"Vote.confidence":                 "As the model stated it.",
	"Vote.stop_loss":                  "As the model said it, also on the wrong side or too far from the price to be suggested.",
	"Vote.take_profit":                "Likewise.",
	"Vote.latency_ms":                 "From the first attempt's start to the answer.",
	"Vote.cost_usd":                   "null: the model has no known price.",
	"Failure.error":                   "`not_needed`: cancelled, because the decision stood without it. `left_out`: not asked, since it did not work lately, is out of credit or asked to wait; `reason` and `until` tell more.",
	"Failure.reason":                  "Of one that was left out.",
	"Failure.until":                   "Of one that was left out: when it is tried again.",
	"Failure.retryable":               "Whether asking again later may help.",
	"Contribution.share":              "Of the sum of all weighted votes.",
	"Contribution.supports":           "Voted for raw_decision.",
	"Contribution.pivotal":            "Without it the decision were another.",
	"Contribution.decision_without":   "null where there is no other vote.",
	"Explanation.margin":              "Largest less second largest weighted vote.",
	"Explanation.stability":           "Share of votes that are not pivotal.",
	"Explanation.dissent":             "The most confident vote against raw_decision; null where there is none.",
	"Warning.code":                    "Such as `stale_candles`, `timeframe_contradiction`, `indicators_computed`, `indicator_contradiction`. More may come: skip what you don't know.",
	"Warning.provider":                "Absent where it concerns none.",
}

// documentSchemas adds the above to the schemas that huma made.
func documentSchemas(registry huma.Registry) {
	at := func(place string) *huma.Schema {
		name, field, _ := strings.Cut(place, ".")
		schema := registry.Map()[name]
		if schema == nil || schema.Properties[field] == nil {
			panic(fmt.Sprintf("api: no field %s in the contract", place)) // every test of this package builds the contract
		}
		return schema.Properties[field]
	}
	for _, place := range shares {
		at(place).Minimum, at(place).Maximum = new(0.0), new(1.0)
	}
	for place, list := range words {
		schema := at(place)
		schema.Enum = nil
		for _, word := range list {
			schema.Enum = append(schema.Enum, word)
		}
		if schema.Nullable {
			schema.Enum = append(schema.Enum, nil)
		}
	}
	for place, text := range descriptions {
		at(place).Description = text
	}
	at("Consensus.id").Format = "uuid"
	at("Consensus.confidence_range").Nullable = true
	orNull(at("Explanation.dissent"))
	orNull(at("ProviderHealth.last_error"))
	orNull(at("ProviderHealth.left_out"))
	orNull(at("Health.budget"))
	for _, name := range []string{"Consensus", "Vote", "Failure", "Explanation", "Contribution", "Dissent", "Policy", "Warning", "Replay", "Change", "Verdict", "Health", "DayBudget", "ProviderHealth", "Metrics", "ProviderMetrics", "Problem"} {
		registry.Map()[name].AdditionalProperties = true // answers may gain fields: readers skip what they don't know
	}
}

// orNull lets a reference be null.
func orNull(schema *huma.Schema) {
	schema.AnyOf, schema.Ref = []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}}, ""
}
