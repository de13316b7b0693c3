package providertest

// Whatever a provider answers becomes a vote that can be counted or an error of
// a kind, without the key in it.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// FuzzAnswer feeds answers to a provider, starting with the files in testdata
// that begin with prefix and "answer".
func FuzzAnswer(f *testing.F, construct func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error), prefix string) {
	files, err := filepath.Glob(filepath.Join("testdata", prefix+"answer*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no answers in testdata: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, data)
	}
	f.Add(400, []byte(`{"error":{"message":"`+Key+`","code":1,"details":[{"reason":"API_KEY_INVALID","retryDelay":"1s"}]}}`))
	for _, fault := range failures() {
		f.Add(fault.Status, []byte(fault.Body))
	}
	settings := provider.Settings{Key: provider.NewKey(Key)}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		p, err := construct(settings, provider.DefaultCatalog(), &http.Client{Transport: canned{status, body}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.Ask(context.Background(), prompt)
		usage := answer.Usage
		if err != nil {
			var e *provider.Error
			if !errors.As(err, &e) || e.Kind == "" || e.Kind == signal.FailureNotNeeded || e.Message == "" || e.RetryAfter < 0 || e.RetryAfter > 15*time.Minute || e.Denied && e.Retryable {
				t.Fatalf("error %#v", err)
			}
			usage = e.Usage
		} else if answer.Confidence < 0 || answer.Confidence > 1 || answer.Decision == "" || answer.Reasoning == "" {
			t.Fatalf("vote %+v", answer)
		}
		if usage.InputTokens < 0 || usage.OutputTokens < 0 || (usage.CostUSD != nil && !(*usage.CostUSD >= 0)) {
			t.Fatalf("usage %+v", usage)
		}
		if shown := fmt.Sprintf("%+v %+v", answer, err); strings.Contains(shown, Key[:8]) || strings.Contains(shown, Key[len(Key)-8:]) {
			t.Fatalf("shows the key: %s", shown)
		}
	})
}

type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}
