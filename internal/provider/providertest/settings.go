package providertest

// What is configured wrongly is refused before anything is sent.

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"thalas/internal/provider"
)

func testSettings(t *testing.T, s Spec, client *http.Client) {
	hot := 7.5
	for _, tt := range []struct {
		name     string
		settings provider.Settings
		variable string // named by the error
		hidden   string // not shown by it
	}{
		{"no scheme", provider.Settings{BaseURL: "localhost:8080"}, "_BASE_URL", ""},
		{"no host", provider.Settings{BaseURL: "http:///v1"}, "_BASE_URL", ""},
		{"other scheme", provider.Settings{BaseURL: "ftp://host"}, "_BASE_URL", ""},
		{"user", provider.Settings{BaseURL: "https://me:hunter2@host"}, "_BASE_URL", "hunter2"},
		{"query", provider.Settings{BaseURL: "https://host/?key=hunter2"}, "_BASE_URL", "hunter2"},
		{"fragment", provider.Settings{BaseURL: "https://host/#hunter2"}, "_BASE_URL", "hunter2"},
		{"port", provider.Settings{BaseURL: "https://host:hunter2"}, "_BASE_URL", "hunter2"},
		{"profile", provider.Settings{Profile: "best"}, "MODEL_PROFILE", ""},
		{"temperature", provider.Settings{Model: s.Unknown, Temperature: &hot}, "_TEMPERATURE", ""},
		{"max tokens", provider.Settings{MaxTokens: -1}, "_MAX_TOKENS", ""},
		{"effort", provider.Settings{Effort: "heroic"}, "_EFFORT", ""},
		{"key with a line break", provider.Settings{Key: provider.NewKey("hunter2\nhunter2")}, "_API_KEY", "hunter2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := s.New(tt.settings, provider.DefaultCatalog(), client)
			if err == nil || p != nil {
				t.Fatalf("New = %v, %v, want no provider and an error", p, err)
			}
			want := tt.variable
			if strings.HasPrefix(want, "_") {
				want = strings.ToUpper(s.Name) + want
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not name %s", err, want)
			}
			if tt.hidden != "" && strings.Contains(err.Error(), tt.hidden) {
				t.Errorf("error %q shows a secret", err)
			}
		})
	}
	t.Run("no key", func(t *testing.T) {
		base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("was asked without a key") })
		p, err := s.New(provider.Settings{BaseURL: base}, provider.DefaultCatalog(), client)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Ask(context.Background(), prompt)
		if e := failed(t, err, "authentication"); !strings.Contains(e.Message, strings.ToUpper(s.Name)+"_API_KEY") {
			t.Errorf("error %q does not name the variable", e)
		}
	})
	t.Run("names", func(t *testing.T) {
		p := s.new(t, "", client)
		if p.Name() != s.Name || p.Model() != provider.DefaultCatalog().DefaultModel(s.Name, provider.ProfileFast) {
			t.Errorf("provider is %s with %s, want %s with its default model", p.Name(), p.Model(), s.Name)
		}
	})
}
