package signal

// What came of asking one provider: its vote, or why it gave none.

import "time"

// Vote is the vote of one provider.
type Vote struct {
	Provider     string     `json:"provider"`      // the registered name, lower case
	Model        string     `json:"model"`         // the model that answered
	Decision     Decision   `json:"decision"`      //
	Confidence   float64    `json:"confidence"`    // 0…1, as the model stated it: a vote's strength, not a probability
	Weight       float64    `json:"weight"`        // 0…1: from the request, else from the configuration, else 1
	Reasoning    string     `json:"reasoning"`     // without control characters, and without anything that looks like a key
	RiskLevel    *RiskLevel `json:"risk_level"`    // nil: none
	StopLoss     *float64   `json:"stop_loss"`     // as the model gave it, even if it is not valid
	TakeProfit   *float64   `json:"take_profit"`   // likewise
	LatencyMS    float64    `json:"latency_ms"`    // from the first attempt's start to the answer
	Attempts     int        `json:"attempts"`      // calls made, including the one with the answer
	InputTokens  int        `json:"input_tokens"`  // of all attempts whose usage is known
	OutputTokens int        `json:"output_tokens"` // likewise, including thinking
	CostUSD      *float64   `json:"cost_usd"`      // likewise; nil: an attempt has no known price
	BillsUnknown int        `json:"-"`             // attempts that may be billed although their usage is not known
}

// FailureKind says why a provider gave no vote.
type FailureKind string

// The kinds of failure.
const (
	FailureAuthentication  FailureKind = "authentication"   // the key is wrong, or is not allowed to do this
	FailureRateLimit       FailureKind = "rate_limit"       // too many requests, overload, or no credit left
	FailureTimeout         FailureKind = "timeout"          // no answer within the time
	FailureProvider        FailureKind = "provider"         // any other failure of the provider, including a panic
	FailureInvalidResponse FailureKind = "invalid_response" // the answer is not a vote
	FailureRefusal         FailureKind = "refusal"          // the model refused to answer
	FailureTruncated       FailureKind = "truncated"        // the answer reached the output limit
	FailureNotNeeded       FailureKind = "not_needed"       // not asked or cancelled: its vote could not change the outcome
	FailureLeftOut         FailureKind = "left_out"         // not asked, for a LeftOutReason
)

// IsFault reports whether the provider failed, and not whether the run did without it.
func (k FailureKind) IsFault() bool { return k != FailureNotNeeded && k != FailureLeftOut }

// LeftOutReason says why a provider was not asked.
type LeftOutReason string

// The reasons for leaving a provider out.
const (
	LeftOutFailing      LeftOutReason = "failing"       // its last calls all failed
	LeftOutKeyRefused   LeftOutReason = "key_refused"   // it refused its key
	LeftOutAccessDenied LeftOutReason = "access_denied" // it serves no request of this account, or from this place
	LeftOutNoCredit     LeftOutReason = "no_credit"     // its credit or quota is used up
	LeftOutAskedToWait  LeftOutReason = "asked_to_wait" // the wait that it asked for is not over
)

// Failure says why a provider gave no vote.
type Failure struct {
	Provider  string      `json:"provider"`
	Error     FailureKind `json:"error"`
	Message   string      `json:"message"`    // what happened and what to do, free of keys
	Retryable bool        `json:"retryable"`  // whether asking again later may help
	Attempts  int         `json:"attempts"`   // calls made; 0 if the provider was not asked
	LatencyMS float64     `json:"latency_ms"` // from the first attempt's start to giving up

	// Only for [FailureLeftOut]: the reason, and when the provider is tried again.
	Reason LeftOutReason `json:"reason,omitempty"`
	Until  *time.Time    `json:"until,omitempty"`

	// What the failed attempts used. The totals of the Consensus include it.
	InputTokens  int      `json:"-"`
	OutputTokens int      `json:"-"`
	CostUSD      *float64 `json:"-"` // nil: unknown
	Model        string   `json:"-"` // the model that was asked
	BillsUnknown int      `json:"-"` // attempts that may be billed although their usage is not known
}
