package provider

// What an answer costs.

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Price is what a model costs, in USD for a million tokens.
type Price struct {
	Input  float64
	Output float64 // thinking included
	Cached float64 // input read from the provider's cache; as Input where the table has no price for it
}

// priceEntry is a price under conditions: for prompts of a size, and until a
// day. Of those that apply, the one for the largest prompts counts, and of
// several the one that ends first.
type priceEntry struct {
	Input  *float64 `json:"input"`
	Output *float64 `json:"output"`
	Cached *float64 `json:"cached_input"`
	Over   int      `json:"over"`  // for prompts of more tokens than that
	From   int      `json:"from"`  // for prompts of that many tokens or more
	Until  string   `json:"until"` // last day, in UTC
}

func (p priceEntry) check() error {
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

// least is the smallest prompt that p is for.
func (p priceEntry) least() int {
	if p.Over > 0 {
		return p.Over + 1
	}
	return p.From
}

// ends is when p stops to count; zero: never. Until was checked to be a day.
func (p priceEntry) ends() time.Time {
	if p.Until == "" {
		return time.Time{}
	}
	day, _ := time.Parse(time.DateOnly, p.Until)
	return day.AddDate(0, 0, 1)
}

// over reports whether p takes precedence over other, both applying.
func (p priceEntry) over(other priceEntry) bool {
	if p.least() != other.least() {
		return p.least() > other.least()
	}
	return p.Until != "" && (other.Until == "" || p.Until < other.Until)
}

// Price gives what the model costs for a prompt of that many tokens at that
// time; false where it is not known.
func (c *Catalog) Price(provider, model string, promptTokens int, at time.Time) (Price, bool) {
	var best priceEntry
	found := false
	for _, p := range c.makers[provider].Models[model].Prices {
		if ends := p.ends(); promptTokens < p.least() || (!ends.IsZero() && !at.Before(ends)) {
			continue
		}
		if !found || p.over(best) {
			best, found = p, true
		}
	}
	if !found {
		return Price{}, false
	}
	price := Price{Input: *best.Input, Output: *best.Output, Cached: *best.Input}
	if best.Cached != nil {
		price.Cached = *best.Cached
	}
	return price, true
}

// Cost gives what an answer cost in USD: by the price of the model that answered
// or, where that is a dated snapshot of the one that was asked
// (claude-haiku-5-5-20261001), by that one's. It is nil where the usage or the
// price is not known: never another model's price. Cached tokens cost as much as
// others unless the table has a price for them, so it is an upper bound.
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
	usd := (float64(usage.InputTokens-usage.CachedTokens)*price.Input +
		float64(usage.CachedTokens)*price.Cached +
		float64(usage.OutputTokens)*price.Output) / 1e6
	return &usd
}

// isSnapshot reports whether id is asked with a date (20261001, 2026-10-01), a
// number of three or more digits (001) or "latest" behind. Fewer digits may be
// another version: claude-opus-4-1-20250805 is no snapshot of claude-opus-4.
func isSnapshot(id, asked string) bool {
	rest, ok := strings.CutPrefix(id, asked+"-")
	if !ok || asked == "" {
		return false
	}
	first, _, _ := strings.Cut(rest, "-")
	return rest == "latest" || (len(first) >= 3 && strings.Trim(rest, "0123456789-") == "")
}
