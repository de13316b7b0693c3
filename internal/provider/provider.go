// Package provider asks language models over their own wire formats. It holds what all of
// them share: the [Provider] interface and the [Registry], the prompt and the JSON schema
// of an answer, typed errors, the one HTTP client and the one retry loop, and the table of
// models and prices.
//
// Each wire format is a sub-package, which implements [Wire]; package
// providertest is their conformance suite. Nothing here knows how votes are counted, or
// who asks.
package provider

import "context"

// Provider asks one model. Implementations are safe for concurrent use.
type Provider interface {
	// Name is the name of the provider in votes, weights and failures: lower case
	// letters, digits, - and _.
	Name() string

	// Model is the model that is asked, in the provider's words.
	Model() string

	// Ask makes one attempt to get a vote. It returns at the latest when ctx ends,
	// then with an error that wraps ctx's. Every other error should be an [Error],
	// which tells its kind and whether to try again; one of another type counts as
	// ErrProvider and is not retried.
	Ask(ctx context.Context, prompt Prompt) (Answer, error)

	// Check makes a free call that proves the key. Its errors are those of Ask.
	Check(ctx context.Context) error
}

// Answer is the vote that one attempt brought.
type Answer struct {
	Ballot
	Model string // the model that answered; empty: the one that was asked
	Usage Usage
}

// Usage is what an attempt used. The zero Usage is unknown; usage is never estimated.
type Usage struct {
	Known        bool // the provider reported the tokens
	InputTokens  int  // cached ones included
	CachedTokens int  // the part of InputTokens that was read from the provider's cache
	OutputTokens int  // thinking included
	// CostUSD is the provider's own figure if it sends one, and otherwise computed from
	// the price table; nil: the model has no known price.
	CostUSD *float64
}

// Bounds of possible figures. A vote has some 2,000 tokens and costs a fraction of a cent.
const (
	maxTokens = 1 << 30
	maxCost   = 1e6 // USD
)

// possible gives u without impossible figures: one such count makes the usage unknown,
// and such a cost the cost.
func (u Usage) possible() Usage {
	for _, tokens := range [...]int{u.InputTokens, u.OutputTokens, u.CachedTokens, u.InputTokens - u.CachedTokens} {
		if tokens < 0 || tokens > maxTokens {
			return Usage{}
		}
	}
	if u.CostUSD != nil && !(*u.CostUSD >= 0 && *u.CostUSD <= maxCost) {
		u.CostUSD = nil
	}
	return u
}

// add adds the usage of an attempt. The cost of the sum is known if that of every part is.
func (u *Usage) add(attempt Usage) {
	if !attempt.Known && attempt.CostUSD == nil {
		return
	}
	switch {
	case !u.Known:
		u.CostUSD = attempt.CostUSD
	case u.CostUSD != nil && attempt.CostUSD != nil:
		u.CostUSD = new(*u.CostUSD + *attempt.CostUSD)
	default:
		u.CostUSD = nil
	}
	u.Known = true
	u.InputTokens += attempt.InputTokens
	u.CachedTokens += attempt.CachedTokens
	u.OutputTokens += attempt.OutputTokens
}
