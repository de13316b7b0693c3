package openai

// What is different about Grok: the address, the error bodies, the usage.

import (
	"net/http"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/signal"
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
	if u := r.Usage; u.Prompt != nil && u.Total != nil {
		reply.Usage = provider.Usage{Known: true, InputTokens: *u.Prompt, CachedTokens: u.Details.Cached, OutputTokens: *u.Total - *u.Prompt}
	}
	if ticks := r.Usage.CostTicks; ticks != nil && *ticks >= 0 {
		usd := *ticks / ticksPerUSD
		reply.Usage.CostUSD = &usd
	}
	return reply, err
}

func (grok) Problem(status int, body []byte) provider.Problem {
	e := readError(body)
	problem := provider.Problem{Message: e.Message}
	words := strings.ToLower(e.Message)
	switch {
	// xAI answers 400 to a wrong key.
	case strings.Contains(words, "incorrect api key"), strings.Contains(words, "invalid api key"):
		problem.Kind = signal.FailureAuthentication
	case status == http.StatusTooManyRequests && (strings.Contains(words, "credits") || strings.Contains(words, "spending limit")):
		problem.Final = true
	}
	return problem
}
