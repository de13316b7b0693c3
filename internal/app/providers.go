package app

// The providers, one line each.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"thalas/internal/config"
	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/openai"
	"thalas/internal/secrets"
)

var providers = []struct {
	config.Known
	construct func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)
}{
	{config.Known{Name: "anthropic", Enabled: true, Weight: 1.0}, anthropic.New},
	{config.Known{Name: "openai", Enabled: true, Weight: 0.9}, openai.New},
	{config.Known{Name: "gemini", Enabled: true, Weight: 0.8}, gemini.New},
	{config.Known{Name: "grok", Enabled: false, Weight: 0.7}, openai.NewGrok},
}

// constructorOf gives how a provider is made: a built-in one by its line in the table, a
// further one by that of its preset or else by its dialect.
func constructorOf(c config.Provider) func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error) {
	maker := wireName(c)
	for _, p := range providers {
		if p.Name == maker {
			return p.construct
		}
	}
	return func(s provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
		return openai.NewCompatible(c.Further.Preset, c.Further.Dialect, s, catalog, client)
	}
}

// compatible is the name that the simulator has for a server without a preset.
const compatible = "compatible"

// wireName is the name of a provider's wire format: that of a built-in provider or of a
// preset.
func wireName(c config.Provider) string {
	switch {
	case c.Further == nil:
		return c.Name
	case c.Further.Preset == "":
		return compatible
	}
	return c.Further.Preset
}

// owner is the name under which the secret has a provider's key.
func owner(c config.Provider) string {
	return strings.ToLower(strings.TrimSuffix(c.KeyVariable(), "_API_KEY"))
}

// ownedKeys asks for a key under the name of its owner, which several providers may share.
type ownedKeys struct {
	*secrets.Source
	owner string
}

// Refresh implements [provider.KeySource].
func (k ownedKeys) Refresh(ctx context.Context, _ string, refused provider.Key) (provider.Key, error) {
	return k.Source.Refresh(ctx, k.owner, refused)
}

// keyedProvider is a provider whose key is in the secret.
type keyedProvider struct {
	*provider.Keyed
	owner string
}

// priced refuses a provider whose calls have no known price if there is a budget, because
// nobody could say what a run costs. Without a budget it warns.
func (a *App) priced(c config.Provider, p provider.Provider) (mistake string) {
	listed, is := p.(interface{ ListPrice() (provider.Price, bool) })
	if c.Further == nil || !c.Enabled || a.Simulated || !is {
		return ""
	}
	if _, known := listed.ListPrice(); known {
		return ""
	}
	text := fmt.Sprintf("%s.price is missing, and no price of model %s is known", c.Further.Place, p.Model())
	for _, budget := range [...]struct {
		variable string
		usd      float64
	}{{"DAILY_BUDGET_USD", a.Config.DailyBudget}, {"REQUEST_BUDGET_USD", a.Config.RequestBudget}} {
		if budget.usd > 0 {
			return fmt.Sprintf(`PROVIDERS_FILE: %s: give one such as {"input": 0.5, "output": 1.5}, USD for a million tokens, because %s limits what is spent`, text, budget.variable)
		}
	}
	a.Log.Warn("Configuration:", slog.String("warning", text+": what it costs is not counted"))
	return ""
}

// Known lists the providers with the defaults of their configuration.
func Known() []config.Known {
	known := make([]config.Known, len(providers))
	for i, p := range providers {
		known[i] = p.Known
	}
	return known
}
