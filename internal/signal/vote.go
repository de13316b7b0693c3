package signal

// What one provider contributed to a run: a Vote, or the Failure to give one.

import "time"

// Vote is one provider's answer, as it counts in the aggregation.
type Vote struct {
	Provider     string     `json:"provider"`      // the registered name, lower case
	Model        string     `json:"model"`         // the model that answered
	Decision     Decision   `json:"decision"`      //
	Confidence   float64    `json:"confidence"`    // 0…1, as the model stated it: a vote's strength, not a probability
	Weight       float64    `json:"weight"`        // 0…1: of the request, else of the configuration, else 1
	Reasoning    string     `json:"reasoning"`     // cleaned of control characters and of anything like a key
	RiskLevel    *RiskLevel `json:"risk_level"`    // nil: none given
	StopLoss     *float64   `json:"stop_loss"`     // as the model said it, also where it is not counted
	TakeProfit   *float64   `json:"take_profit"`   // likewise
	LatencyMS    float64    `json:"latency_ms"`    // from the first attempt's start to the answer
	Attempts     int        `json:"attempts"`      // calls made, the answered one included
	InputTokens  int        `json:"input_tokens"`  // over all attempts whose usage is known
	OutputTokens int        `json:"output_tokens"` // likewise, thinking included
	CostUSD      *float64   `json:"cost_usd"`      // likewise; nil: the model has no known price
	BillsUnknown int        `json:"-"`             // attempts that may be billed although nobody told their usage
}

// FailureKind says why a provider gave no vote.
type FailureKind string

// The kinds of failure.
const (
	FailureAuthentication  FailureKind = "authentication"   // the key is wrong or may not do this
	FailureRateLimit       FailureKind = "rate_limit"       // too many requests, overloaded, or no money left
	FailureTimeout         FailureKind = "timeout"          // no answer within the time
	FailureProvider        FailureKind = "provider"         // anything else on the provider's side, a panic too
	FailureInvalidResponse FailureKind = "invalid_response" // an answer that is not a vote
	FailureRefusal         FailureKind = "refusal"          // the model would not answer
	FailureTruncated       FailureKind = "truncated"        // the answer hit the output limit
	FailureNotNeeded       FailureKind = "not_needed"       // cancelled by us: the decision stood without it
	FailureLeftOut         FailureKind = "left_out"         // not asked: its breaker, key, account or own wait keeps it out
)

// IsFault reports whether the provider was asked, waited for, and gave no vote.
func (k FailureKind) IsFault() bool { return k != FailureNotNeeded && k != FailureLeftOut }

// LeftOutReason says why a provider was not asked.
type LeftOutReason string

// The reasons for leaving a provider out.
const (
	LeftOutFailing      LeftOutReason = "failing"       // its last calls failed, one after the other
	LeftOutKeyRefused   LeftOutReason = "key_refused"   // it refused its key
	LeftOutAccessDenied LeftOutReason = "access_denied" // it serves nobody with this account, from this place or of this kind
	LeftOutNoCredit     LeftOutReason = "no_credit"     // money or a quota is used up
	LeftOutAskedToWait  LeftOutReason = "asked_to_wait" // its own wait still runs
)

// Failure is a provider that gave no vote: it was asked in vain, or left out.
type Failure struct {
	Provider  string      `json:"provider"`
	Error     FailureKind `json:"error"`
	Message   string      `json:"message"`    // what happened and what to do, free of keys
	Retryable bool        `json:"retryable"`  // whether asking again later may help
	Attempts  int         `json:"attempts"`   // calls made; 0 where the provider was left out
	LatencyMS float64     `json:"latency_ms"` // from the first attempt's start to giving up

	// Of a provider that was left out: why, and when it is tried again.
	Reason LeftOutReason `json:"reason,omitempty"`
	Until  *time.Time    `json:"until,omitempty"`

	// What the failed attempts used. It is in the totals of the Consensus, and
	// here for accounting by provider.
	InputTokens  int      `json:"-"`
	OutputTokens int      `json:"-"`
	CostUSD      *float64 `json:"-"` // nil: unknown
	Model        string   `json:"-"` // the model that was asked
	BillsUnknown int      `json:"-"` // attempts that may be billed although nobody told their usage
}
