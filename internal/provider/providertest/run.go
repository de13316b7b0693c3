package providertest

// The suite's entry, and the servers that it asks.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

var prompt = provider.Prompt{System: "You are one of several analysts.", User: "Vote on <market_data> & nothing else: {\"pair\":\"BTC/USDT\",\"price\":50000.0}"}

// Run holds a provider against the suite.
func Run(t *testing.T, s Spec) {
	before := goleak.IgnoreCurrent()
	client := provider.NewClient()
	for _, part := range []struct {
		name string
		test func(*testing.T, Spec, *http.Client)
	}{
		{"request", testRequest},
		{"check", testCheck},
		{"base URL", testBaseURL},
		{"settings", testSettings},
		{"answers", testAnswers},
		{"ballots", testBallots},
		{"usage forms", testUsageForms},
		{"not the wire format", testForeignBodies},
		{"faults", testFaults},
		{"connection", testConnection},
		{"context", testContext},
		{"key", testKey},
		{"reuse", testReuse},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, s, client) })
	}
	client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

// serve starts a server for one test.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// respond answers every request in the same way, after it was read.
func respond(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// ask asks a server that answers in the same way to everything.
func ask(t *testing.T, s Spec, client *http.Client, handler http.HandlerFunc) (provider.Answer, error) {
	t.Helper()
	return s.new(t, serve(t, handler), client).Ask(context.Background(), prompt)
}

// failed gives err as the *provider.Error that it must be, of that kind.
func failed(t *testing.T, err error, kind signal.FailureKind) *provider.Error {
	t.Helper()
	var e *provider.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v (%T), want a *provider.Error of kind %s", err, err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("kind = %s, want %s; message: %s", e.Kind, kind, e.Message)
	}
	if e.Message == "" {
		t.Error("the error says nothing")
	}
	return e
}
