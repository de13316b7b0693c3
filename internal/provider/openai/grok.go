package openai

// What is different about Grok: the address and the usage.

import (
	"net/http"

	"thalas/internal/provider"
)

// NewGrok makes Grok's provider. Errors are those of provider.New.
func NewGrok(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(GrokName, grok{}, settings, catalog, client)
}

type grok struct{ wire }

func (grok) BaseURL() string { return "https://api.x.ai" }

// ticksPerUSD is the unit of the cost that xAI sends.
const ticksPerUSD = 1e10

func (grok) Answer(body []byte) (provider.Reply, error) {
	reply, r, err := answer(body)
	// Reasoning tokens are billed but counted beside completion_tokens, so the
	// output is what the total has more than the prompt.
	u := r.Usage
	prompt := u.At("prompt_tokens").Number()
	reply.Usage = provider.TokenUsage(prompt, u.At("prompt_tokens_details.cached_tokens").Count(), u.At("total_tokens").Number()-prompt)
	if usd := u.At("cost_in_usd_ticks").Number() / ticksPerUSD; usd >= 0 {
		reply.Usage.CostUSD = &usd
	}
	return reply, err
}
