package provider

// What one attempt may cost at the most, before it is made.

import "time"

// Priced is a Provider that knows its price.
type Priced interface {
	// WorstCaseUSD bounds the cost of one attempt; false where no price is known.
	WorstCaseUSD(prompt Prompt) (usd float64, known bool)
}

var _ Priced = (*Remote)(nil)

// frameTokens is more than what any format adds around the texts.
const frameTokens = 200

// WorstCaseUSD counts a token for every byte of the texts and the schema, which
// no tokenizer exceeds, and an answer as long as it may be.
func (r *Remote) WorstCaseUSD(prompt Prompt) (usd float64, known bool) {
	cost := r.catalog.Cost(r.name, r.model.ID, r.model.ID, Usage{
		Known:        true,
		InputTokens:  len(prompt.System) + len(prompt.User) + len(Schema) + frameTokens,
		OutputTokens: r.model.MaxTokens,
	}, time.Now())
	if cost == nil {
		return 0, false
	}
	return *cost, true
}
