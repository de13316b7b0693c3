package provider

// Connections, deadlines and settings, which are the same for all wire formats. The
// servers are real ones on loopback; the wire format is the smallest that works.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/signal"
)

const tinyAnswer = `{"Text":"{\"decision\":\"BUY\",\"confidence\":1,\"reasoning\":\"r\"}","Model":"m"}`

// served gives a provider that asks a server with that handler.
func served(t *testing.T, handler http.HandlerFunc) Provider {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return dialling(t, server.URL)
}

func dialling(t *testing.T, base string) Provider {
	t.Helper()
	client := NewClient()
	t.Cleanup(client.CloseIdleConnections)
	p, err := New("tiny", tinyWire{}, Settings{Key: NewKey(plantedKey), Model: "m", BaseURL: base}, DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConnectionBreaks(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"cut body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, tinyAnswer[:len(tinyAnswer)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"whole body with the wrong length": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, tinyAnswer)
		},
		"reset": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := served(t, handler).Ask(t.Context(), Prompt{})
			if e := AsError(err); e.Kind != signal.FailureProvider || !e.Retryable || !e.BillUnknown {
				t.Errorf("error = %+v, want a retryable one whose bill is not known", *e)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		_ = listener.Close()
		_, err = dialling(t, "http://"+address).Ask(t.Context(), Prompt{})
		if e := AsError(err); e.Kind != signal.FailureProvider || !e.Retryable || e.BillUnknown || !strings.Contains(e.Message, "TINY_BASE_URL") {
			t.Errorf("error = %+v, want a retryable one that names the variable and cost nothing", *e)
		}
	})
}

func TestContextEnds(t *testing.T) {
	for _, stage := range []struct {
		name   string
		status int // 0: nothing is sent
	}{{"before the header", 0}, {"in the body", http.StatusOK}, {"in the body of an error", http.StatusInternalServerError}} {
		// hang tells when the request has arrived or half of the answer is sent, and then
		// waits until the caller has gone.
		hang := func(arrived chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if stage.status != 0 {
					w.WriteHeader(stage.status)
					_, _ = io.WriteString(w, tinyAnswer[:len(tinyAnswer)/2])
					_ = http.NewResponseController(w).Flush()
				}
				arrived <- struct{}{}
				<-r.Context().Done()
			}
		}
		t.Run("cancelled "+stage.name, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { <-arrived; cancel() }()
			_, err := served(t, hang(arrived)).Ask(ctx, Prompt{})
			e := AsError(err)
			if e.Kind != signal.FailureNotNeeded || !errors.Is(err, context.Canceled) ||
				stage.status != http.StatusInternalServerError && !e.BillUnknown { // it may be cancelled before its status is there
				t.Errorf("error = %+v, want one that wraps context.Canceled and whose bill is not known", *e)
			}
		})
		t.Run("too late "+stage.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := served(t, hang(make(chan struct{}, 1))).Ask(ctx, Prompt{})
			if e := AsError(err); e.Kind != signal.FailureTimeout || !e.Retryable || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %+v, want a retryable one that wraps context.DeadlineExceeded", *e)
			}
		})
	}
	t.Run("over before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := served(t, func(http.ResponseWriter, *http.Request) { t.Error("was asked") }).Ask(ctx, Prompt{})
		if e := AsError(err); e.Kind != signal.FailureNotNeeded || e.BillUnknown {
			t.Errorf("error = %+v, want a cancellation that cost nothing", *e)
		}
	})
}

func TestConnectionsAreReused(t *testing.T) {
	var connections, calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("overloaded ", 1000))
			return
		}
		_, _ = io.WriteString(w, tinyAnswer)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	p := dialling(t, server.URL)
	for i := range 10 {
		if _, err := p.Ask(t.Context(), Prompt{}); (err != nil) != (i%2 == 1) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 10 calls in a row, want 1", n)
	}
}

// Wrong settings are refused before anything is sent, by an error that names the variable.
// More base URLs are in TestParseBaseURL.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings Settings
		variable string
	}{
		{"user", Settings{BaseURL: "https://me:hunter2@host"}, "TINY_BASE_URL"},
		{"query", Settings{BaseURL: "https://host/?key=hunter2"}, "TINY_BASE_URL"},
		{"port", Settings{BaseURL: "https://host:hunter2"}, "TINY_BASE_URL"},
		{"profile", Settings{Profile: "best"}, "MODEL_PROFILE"},
		{"temperature", Settings{Temperature: pointer(7.5)}, "TINY_TEMPERATURE"},
		{"max tokens", Settings{MaxTokens: -1}, "TINY_MAX_TOKENS"},
		{"key with a line break", Settings{Key: NewKey("hunter2\nhunter2")}, "TINY_API_KEY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.settings.Model = "m"
			p, err := New("tiny", tinyWire{}, tt.settings, DefaultCatalog(), NewClient())
			if err == nil || p != nil || !strings.Contains(err.Error(), tt.variable) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("New = %v, %v; want no provider, and an error that names %s and shows no secret", p, err, tt.variable)
			}
		})
	}
}
