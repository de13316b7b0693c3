package provider

// What an answer costs, and what it may cost.

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Price is the price of a model in USD for a million tokens.
type Price struct {
	Input  float64
	Output float64 // thinking included
	Cached float64 // input read from the provider's cache; equal to Input if the table has no price for it
}

// priceEntry is a price under conditions: for prompts of some size, and until some day.
// Of the entries that apply to a call, the one for the largest prompts counts, and of
// several for the same size the one that ends first.
type priceEntry struct {
	Input  *float64 `json:"input"`
	Output *float64 `json:"output"`
	Cached *float64 `json:"cached_input"`
	Over   int      `json:"over"`  // for prompts of more tokens than that
	From   int      `json:"from"`  // for prompts of that many tokens or more
	Until  string   `json:"until"` // last day, in UTC
}

func (p priceEntry) validate() error {
	if p.Input == nil || p.Output == nil {
		return errors.New("input or output is missing: leave the whole price out if it is not known")
	}
	for _, usd := range []*float64{p.Input, p.Output, p.Cached} {
		if usd != nil && (*usd < 0 || *usd > 10_000) {
			return fmt.Errorf("%v is not a price of 0…10000 USD for a million tokens", *usd)
		}
	}
	switch {
	case p.Over < 0 || p.From < 0 || (p.Over > 0 && p.From > 0):
		return errors.New("over and from are numbers of tokens above 0, and only one of them is given")
	case p.Until != "" && !isDate(p.Until, time.DateOnly):
		return fmt.Errorf("until %q is not a day such as 2026-12-31", p.Until)
	}
	return nil
}

// least is the number of tokens of the smallest prompt that p applies to.
func (p priceEntry) least() int {
	if p.Over > 0 {
		return p.Over + 1
	}
	return p.From
}

// applies reports whether p is a price for that many tokens at that time. Until is a
// valid day: validate has tested it.
func (p priceEntry) applies(tokens int, at time.Time) bool {
	last, _ := time.Parse(time.DateOnly, p.Until)
	return tokens >= p.least() && (p.Until == "" || at.Before(last.AddDate(0, 0, 1)))
}

// precedes orders two entries that apply: p counts and other does not.
func (p priceEntry) precedes(other priceEntry) bool {
	if p.least() != other.least() {
		return p.least() > other.least()
	}
	return p.Until != "" && (other.Until == "" || p.Until < other.Until)
}

// Price gives what the model costs for a prompt of that many tokens at that time. It
// reports false if that is not known.
func (c *Catalog) Price(provider, model string, promptTokens int, at time.Time) (Price, bool) {
	var best *priceEntry
	for _, p := range c.Providers[provider].Models[model].Prices {
		if p.applies(promptTokens, at) && (best == nil || p.precedes(*best)) {
			best = &p
		}
	}
	if best == nil {
		return Price{}, false
	}
	return Price{Input: *best.Input, Output: *best.Output, Cached: *cmp.Or(best.Cached, best.Input)}, true
}

// Cost gives the cost of an answer in USD. The price is that of the model that answered
// or, if that is a dated snapshot of the model that was asked
// (claude-haiku-5-5-20261001), that of the model that was asked; never another one's. It
// is nil if the usage or the price is not known. Cached tokens have the price of other
// input unless the table has one for them, so the cost is an upper bound.
func (c *Catalog) Cost(provider, answered, asked string, usage Usage, at time.Time) *float64 {
	if !usage.Known {
		return nil
	}
	price, ok := c.Price(provider, answered, usage.InputTokens, at)
	if !ok && (answered == "" || isSnapshot(answered, asked)) {
		price, ok = c.Price(provider, asked, usage.InputTokens, at)
	}
	if !ok {
		return nil
	}
	return price.cost(usage)
}

func (p Price) cost(usage Usage) *float64 {
	usd := (float64(usage.InputTokens-usage.CachedTokens)*p.Input +
		float64(usage.CachedTokens)*p.Cached +
		float64(usage.OutputTokens)*p.Output) / 1e6
	return &usd
}

// cost gives the cost of an answer in USD, by the configured price or else by the table.
func (r *Remote) cost(answered string, usage Usage) *float64 {
	switch own := r.settings.Price; {
	case own == nil:
		return r.catalog.Cost(r.maker, answered, r.model.ID, usage, time.Now())
	case usage.Known:
		return own.cost(usage)
	}
	return nil
}

// isSnapshot reports whether id is the asked model with a date (20261001, 2026-10-01), a
// number of three or more digits (001) or "latest" appended. Fewer digits may be another
// version: claude-opus-4-1-20250805 is no snapshot of claude-opus-4.
func isSnapshot(id, asked string) bool {
	rest, ok := strings.CutPrefix(id, asked+"-")
	if !ok || asked == "" {
		return false
	}
	first, _, _ := strings.Cut(rest, "-")
	return rest == "latest" || (len(first) >= 3 && strings.Trim(rest, "0123456789-") == "")
}

// Priced is a [Provider] that knows its price.
type Priced interface {
	// WorstCaseUSD is an upper bound of the cost of one attempt. It reports false if
	// no price is known.
	WorstCaseUSD(prompt Prompt) (usd float64, known bool)
}

// Identified is a [Provider] that says whom it asks, and how.
type Identified interface {
	// WriteIdentity writes everything that decides how a question is answered, but for the
	// user text: the address and the request. The key is no part of it.
	WriteIdentity(w io.Writer)
}

var (
	_ Priced     = (*Remote)(nil)
	_ Identified = (*Remote)(nil)
)

// frameTokens is more than any wire format adds around the texts.
const frameTokens = 200

// WorstCaseUSD assumes one token for every byte of the texts and the schema, which is
// more than any tokenizer makes of them, and the longest answer that is allowed.
func (r *Remote) WorstCaseUSD(prompt Prompt) (usd float64, known bool) {
	cost := r.cost(r.model.ID, Usage{
		Known:        true,
		InputTokens:  len(prompt.System) + len(prompt.User) + len(Schema) + frameTokens,
		OutputTokens: r.model.MaxTokens,
	})
	if cost == nil {
		return 0, false
	}
	return *cost, true
}

// ListPrice is today's price of a short prompt. It reports false if that is not known.
func (r *Remote) ListPrice() (Price, bool) {
	if r.settings.Price != nil {
		return *r.settings.Price, true
	}
	return r.catalog.Price(r.maker, r.model.ID, 0, time.Now())
}
