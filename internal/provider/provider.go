package provider

// A Provider is one language model that can be asked.

import (
	"context"

	"thalas/internal/signal"
)

// Provider asks one model. Implementations are safe for concurrent use.
type Provider interface {
	// Name is the name under which votes, weights and failures are reported:
	// lower case letters, digits, - and _.
	Name() string

	// Model is the model that is asked, as the provider calls it.
	Model() string

	// Ask makes one attempt to get a vote. It returns when ctx ends, at the
	// latest, and then an error that wraps ctx's. Every other error should be
	// an *Error, so that its kind, and whether to try again, are known; one
	// that is not counts as ErrProvider and is not retried.
	Ask(ctx context.Context, prompt Prompt) (Answer, error)

	// Check makes a free call that proves the key: nil, or an error as of Ask.
	Check(ctx context.Context) error
}

// Answer is a vote as one attempt brought it.
type Answer struct {
	Ballot
	Model string // the model that answered; empty: the one that was asked
	Usage Usage
}

// Ballot is what a model says when it is asked, checked by ParseBallot.
type Ballot struct {
	Decision   signal.Decision
	Confidence float64 // 0…1
	Reasoning  string
	RiskLevel  *signal.RiskLevel // nil: none that is known
	StopLoss   *float64          // nil: none; finite, but not held against the price
	TakeProfit *float64          // likewise
}

// Usage is what an attempt used. The zero Usage is unknown; it is never estimated.
type Usage struct {
	Known        bool // the provider told the tokens
	InputTokens  int  // cached ones included
	CachedTokens int  // the part of InputTokens that was read from the provider's cache
	OutputTokens int  // thinking included
	// CostUSD is the provider's own figure where it sends one, else computed
	// from the price table; nil: the model has no known price.
	CostUSD *float64
}
