package openai_test

import (
	"net/http"
	"strings"
	"testing"

	"thalas/internal/provider"
	"thalas/internal/provider/openai"
)

// What is sent where identifies a provider, and its key does not.
func TestIdentity(t *testing.T) {
	of := func(s provider.Settings) string {
		t.Helper()
		p, err := openai.New(s, provider.DefaultCatalog(), &http.Client{})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		p.(provider.Identified).WriteIdentity(&b)
		return b.String()
	}
	first := of(provider.Settings{Key: provider.NewKey("planted-test-key")})
	if first != of(provider.Settings{Key: provider.NewKey("another-test-key")}) || strings.Contains(first, "planted") {
		t.Errorf("the key is part of %s", first)
	}
	for name, s := range map[string]provider.Settings{
		"model": {Model: "other"}, "address": {BaseURL: "http://h"}, "output cap": {MaxTokens: 77}, "profile": {Profile: provider.ProfileFlagship},
	} {
		if of(s) == first {
			t.Errorf("another %s is the same provider", name)
		}
	}
}
