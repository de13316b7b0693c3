package app

// The providers, one line each.

import (
	"net/http"

	"thalas/internal/config"
	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/openai"
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

// Known lists the providers with the defaults of their configuration.
func Known() []config.Known {
	known := make([]config.Known, len(providers))
	for i, p := range providers {
		known[i] = p.Known
	}
	return known
}
