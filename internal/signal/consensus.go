package signal

// The answer of the service: the decision, its explanation, and what it cost.

import "time"

// Status says whether every provider that was asked has answered.
type Status string

// The statuses.
const (
	Complete Status = "complete" // every available provider voted, or was not needed
	Degraded Status = "degraded" // some failed or were left out, but the quorum was reached
)

// HoldReason says why a decision is HOLD.
type HoldReason string

// The reasons for a HOLD.
const (
	HoldVoted              HoldReason = "voted"
	HoldTie                HoldReason = "tie"
	HoldNoConviction       HoldReason = "no_conviction"
	HoldBelowMinConfidence HoldReason = "below_min_confidence"
	HoldBelowMinAgreement  HoldReason = "below_min_agreement"
)

// Consensus is the result of one run. Its JSON form is the public contract.
type Consensus struct {
	ID           string    `json:"id"` // UUIDv7
	Status       Status    `json:"status"`
	Simulated    bool      `json:"simulated"` // the votes came from the built-in simulator
	Pair         Pair      `json:"pair"`
	Timeframe    Timeframe `json:"timeframe"`
	CurrentPrice float64   `json:"current_price"`

	Decision               Decision       `json:"decision"`              // what to act on
	RawDecision            Decision       `json:"raw_decision"`          // what the vote said before the gates
	HoldReason             *HoldReason    `json:"hold_reason"`           // nil unless Decision is HOLD
	Confidence             float64        `json:"confidence"`            // 0…1
	WeightedConfidence     float64        `json:"weighted_confidence"`   // the same number, for clients of the original system
	AgreementScore         float64        `json:"agreement_score"`       // 0…1
	Reasoning              string         `json:"reasoning"`             //
	RiskLevel              RiskLevel      `json:"risk_level"`            // the highest of all votes
	SuggestedStopLoss      *float64       `json:"suggested_stop_loss"`   // nil for HOLD
	SuggestedTakeProfit    *float64       `json:"suggested_take_profit"` // nil for HOLD
	TotalProviders         int            `json:"total_providers"`       // enabled and with a key, including those left out
	ParticipatingProviders int            `json:"participating_providers"`
	VoteBreakdown          Tally[int]     `json:"vote_breakdown"` // number of votes
	WeightedVotes          Tally[float64] `json:"weighted_votes"` // sums of weight × confidence

	// Responses and Failures together have every available provider once. Both are by name.
	Responses   []Vote      `json:"provider_responses"`
	Failures    []Failure   `json:"failures"`
	Explanation Explanation `json:"explanation"`
	Warnings    []Warning   `json:"warnings"`

	TotalLatencyMS float64 `json:"total_latency_ms"`
	OverheadMS     float64 `json:"overhead_ms"`    // total_latency_ms without the time of waiting for providers
	TotalCostUSD   float64 `json:"total_cost_usd"` // of every attempt whose usage and price are known
	TotalTokens    int     `json:"total_tokens"`   // of every attempt whose usage is known

	Policy *Policy `json:"policy,omitempty"` // nil only in results that were stored before this field existed

	Timestamp     time.Time `json:"timestamp"`
	CandleTime    time.Time `json:"candle_time"` // open time of the last closed candle
	ValidUntil    time.Time `json:"valid_until"` // candle_time + 2 timeframes
	PromptVersion string    `json:"prompt_version"`
	Cache         Cache     `json:"cache"`
	SharedFrom    *string   `json:"shared_from"`       // the id of the run whose votes these are; nil: of this run
	VotesAt       time.Time `json:"votes_at,omitzero"` // when the votes were made; zero only in results that were stored before it was kept

	DecidedEarly    bool        `json:"decided_early"`
	ConfidenceRange *[2]float64 `json:"confidence_range"` // nil unless DecidedEarly: lowest and highest possible confidence

	// Probability is nil only in results that were stored before it was published.
	Probability *Probability `json:"probability,omitempty"`
}

// Probability says how often decisions like the raw one turned out right. Value, Low and
// High are nil where Reason says why.
type Probability struct {
	Value          *float64           `json:"value"`           // that the raw BUY or SELL turns out right, 0…1
	Low            *float64           `json:"low"`             // 95 % credible interval
	High           *float64           `json:"high"`            //
	NEff           *float64           `json:"n_eff"`           // independent windows it rests on; nil: unknown
	Needed         int                `json:"needed"`          // the n_eff from which on there is a Value
	BreakEven      *float64           `json:"break_even"`      // the hit rate that pays for a round trip; nil: unknown
	HorizonCandles int                `json:"horizon_candles"` // the candles after the answer that it is about
	FittedAt       *time.Time         `json:"fitted_at"`       // when the outcomes were read; nil without a Value
	Reason         *ProbabilityReason `json:"reason"`          // nil with a Value
}

// ProbabilityReason says why there is no probability.
type ProbabilityReason string

// The reasons.
const (
	ProbabilityTooFew      ProbabilityReason = "too_few"     // n_eff is below Needed
	ProbabilityHold        ProbabilityReason = "hold"        // the raw decision is HOLD
	ProbabilityUnavailable ProbabilityReason = "unavailable" // the scores could not be read in time
)

// Policy is the policy of a run, without the weights, which are in the votes.
type Policy struct {
	MinProviders  int     `json:"min_providers"`  // votes that a decision needs
	MinConfidence float64 `json:"min_confidence"` // gate, 0…1: a BUY or SELL with less confidence becomes a HOLD
	MinAgreement  float64 `json:"min_agreement"`  // gate, 0…1: a BUY or SELL with less agreement becomes a HOLD; 0 is off
}

// Cache says whether models were asked for this answer.
type Cache string

// The values of Cache.
const (
	CacheMiss   Cache = "miss"   // they were asked
	CacheReplay Cache = "replay" // the stored answer to the same Idempotency-Key
)

// Explanation shows how each vote affected the decision.
type Explanation struct {
	Contributions []Contribution `json:"contributions"` // one for each vote, by provider name
	Margin        float64        `json:"margin"`        // the largest weighted vote minus the second largest
	Stability     float64        `json:"stability"`     // share of votes that are not pivotal
	Dissent       *Dissent       `json:"dissent"`       // nil if every vote is for RawDecision
}

// Contribution is one vote's part in the decision.
type Contribution struct {
	Provider        string    `json:"provider"`
	Share           float64   `json:"share"`            // of the sum of the weighted votes
	Supports        bool      `json:"supports"`         // voted for RawDecision
	Pivotal         bool      `json:"pivotal"`          // without it the decision would be another
	DecisionWithout *Decision `json:"decision_without"` // nil if there is no other vote
}

// Dissent is the most confident vote for another decision than RawDecision.
type Dissent struct {
	Provider   string   `json:"provider"`
	Decision   Decision `json:"decision"`
	Confidence float64  `json:"confidence"`
	Reasoning  string   `json:"reasoning"`
}

// WarningCode names a kind of Warning. Clients must skip codes that they do not know, since
// more may be added.
type WarningCode string

// The warnings.
const (
	WarnStopLossWrongSide   WarningCode = "stop_loss_wrong_side"
	WarnTakeProfitWrongSide WarningCode = "take_profit_wrong_side"
	WarnSingleVote          WarningCode = "single_vote"
	WarnNotStored           WarningCode = "not_stored"
	WarnTimeoutCut          WarningCode = "timeout_cut"
	WarnUnknownPrice        WarningCode = "unknown_price"
	WarnUnknownUsage        WarningCode = "unknown_usage"
	WarnWeightUnused        WarningCode = "weight_unused"
	WarnStaleCandles        WarningCode = "stale_candles"
	WarnBudgetLow           WarningCode = "budget_low"

	WarnIndicatorsComputed     WarningCode = "indicators_computed"
	WarnIndicatorContradiction WarningCode = "indicator_contradiction"
	WarnTimeframeContradiction WarningCode = "timeframe_contradiction"
	WarnFutureCandles          WarningCode = "future_candles"
	WarnCandleContradiction    WarningCode = "candle_contradiction"
	WarnPriceContradiction     WarningCode = "price_contradiction"
)

// Warning is a problem that the caller should know and that did not stop the run.
type Warning struct {
	Code     WarningCode `json:"code"`
	Provider string      `json:"provider,omitempty"` // empty if it is not about one
	Message  string      `json:"message"`
}
