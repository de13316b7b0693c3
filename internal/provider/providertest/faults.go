package providertest

// What comes of errors: the table of statuses, broken connections, contexts.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"thalas/internal/signal"
)

const proxyPage = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

// commonFaults are the rows of the error table that hold for every provider,
// whatever the body is.
var commonFaults = []Fault{
	{Name: "400", Status: 400, Kind: "provider"},
	{Name: "401", Status: 401, Kind: "authentication", Says: "_API_KEY"},
	{Name: "402", Status: 402, Kind: "rate_limit", Says: "credit"},
	{Name: "403", Status: 403, Kind: "provider", Denied: true},
	{Name: "404", Status: 404, Kind: "provider", Says: "_MODEL"},
	{Name: "408", Status: 408, Kind: "timeout", Retryable: true},
	{Name: "413", Status: 413, Kind: "provider", Says: "less market data"},
	{Name: "422", Status: 422, Kind: "provider"},
	{Name: "429", Status: 429, Kind: "rate_limit", Retryable: true},
	{Name: "429 with seconds", Status: 429, Header: map[string]string{"Retry-After": "7"}, Kind: "rate_limit", Retryable: true, RetryAfter: 7 * time.Second, Says: "7s"},
	{Name: "429 with milliseconds", Status: 429, Header: map[string]string{"Retry-After-Ms": "1500", "Retry-After": "2"}, Kind: "rate_limit", Retryable: true, RetryAfter: 1500 * time.Millisecond},
	{Name: "429 with a past date", Status: 429, Header: map[string]string{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, Kind: "rate_limit", Retryable: true},
	{Name: "500", Status: 500, Kind: "provider", Retryable: true},
	{Name: "502 HTML", Status: 502, Body: proxyPage, Kind: "provider", Retryable: true, Says: "HTML", BillUnknown: true},
	{Name: "503 with seconds", Status: 503, Header: map[string]string{"Retry-After": "3"}, Body: proxyPage, Kind: "provider", Retryable: true, RetryAfter: 3 * time.Second},
	{Name: "504", Status: 504, Kind: "timeout", Retryable: true, BillUnknown: true},
	{Name: "529", Status: 529, Kind: "rate_limit", Retryable: true},
	{Name: "400 text", Status: 400, Body: "upstream says no", Kind: "provider", Says: "upstream says no"},
	{Name: "500 of 5 MB", Status: 500, Body: strings.Repeat("long ", 1<<20), Kind: "provider", Retryable: true},
	{Name: "redirect to another path", Status: 301, Header: map[string]string{"Location": "/elsewhere"}, Kind: "provider", Says: "_BASE_URL"},
	{Name: "redirect that is none", Status: 307, Header: map[string]string{"Location": "%"}, Kind: "provider", Says: "_BASE_URL"},
}

func testFaults(t *testing.T, s Spec, client *http.Client) {
	for _, tt := range append(commonFaults, failures()...) {
		t.Run(tt.Name, func(t *testing.T) {
			asked := prompt
			if tt.Question != "" {
				asked.User = tt.Question
			}
			_, err := s.new(t, serve(t, respond(tt.Status, tt.Header, tt.Body)), client).Ask(context.Background(), asked)
			e := failed(t, err, tt.Kind)
			if tt.Waits && e.RetryAfter >= 0 && e.RetryAfter <= 15*time.Minute {
				tt.RetryAfter = e.RetryAfter
			}
			if e.Retryable != tt.Retryable || e.RetryAfter != tt.RetryAfter || e.Denied != tt.Denied || e.BillUnknown != tt.BillUnknown {
				t.Errorf("retryable %t after %v, denied %t, bill unknown %t; want %t after %v, %t, %t; message: %s",
					e.Retryable, e.RetryAfter, e.Denied, e.BillUnknown, tt.Retryable, tt.RetryAfter, tt.Denied, tt.BillUnknown, e.Message)
			}
			if e.Status != tt.Status && (tt.Status != http.StatusOK || e.Status < http.StatusBadRequest) {
				t.Errorf("status %d of an answer with %d", e.Status, tt.Status)
			}
			if !strings.Contains(e.Message, tt.Says) || !strings.HasPrefix(e.Message, s.Name) || len(e.Message) > 600 {
				t.Errorf("message %q is not a short one that begins with %s and says %q", e.Message, s.Name, tt.Says)
			}
		})
	}
	t.Run("redirect to another host", func(t *testing.T) {
		other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
		_, err := ask(t, s, client, respond(http.StatusTemporaryRedirect, map[string]string{"Location": other}, ""))
		if e := failed(t, err, signal.FailureProvider); e.Retryable {
			t.Error("a redirect is retryable")
		}
	})
}

func testConnection(t *testing.T, s Spec, client *http.Client) {
	whole := s.file(t, "answer.json")
	for name, handler := range map[string]http.HandlerFunc{
		"cut body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, whole[:len(whole)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"whole body with the wrong length": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, whole)
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
			_, err := ask(t, s, client, handler)
			if e := failed(t, err, signal.FailureProvider); !e.Retryable || !e.BillUnknown {
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
		_, err = s.new(t, "http://"+address, client).Ask(context.Background(), prompt)
		if e := failed(t, err, signal.FailureProvider); !e.Retryable || e.BillUnknown || !strings.Contains(e.Message, "_BASE_URL") {
			t.Errorf("error = %+v, want a retryable one that names the variable and cost nothing", *e)
		}
	})
}

func testContext(t *testing.T, s Spec, client *http.Client) {
	whole := s.file(t, "answer.json")
	for _, stage := range []struct {
		name   string
		status int // 0: nothing is sent
	}{{"before the header", 0}, {"in the body", http.StatusOK}, {"in the body of an error", http.StatusInternalServerError}} {
		// hang tells that the request is there, or the answer under way, and waits
		// until the caller has gone.
		hang := func(arrived chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if stage.status != 0 {
					w.WriteHeader(stage.status)
					_, _ = io.WriteString(w, whole[:len(whole)/2])
					_ = http.NewResponseController(w).Flush()
				}
				arrived <- struct{}{}
				<-r.Context().Done()
			}
		}
		t.Run("cancelled "+stage.name, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() { <-arrived; cancel() }()
			_, err := s.new(t, serve(t, hang(arrived)), client).Ask(ctx, prompt)
			e := failed(t, err, signal.FailureNotNeeded)
			if !errors.Is(err, context.Canceled) || stage.status != http.StatusInternalServerError && !e.BillUnknown { // it may be cancelled before its status is there
				t.Errorf("error = %+v, want one that wraps context.Canceled and whose bill is not known", *e)
			}
		})
		t.Run("too late "+stage.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := s.new(t, serve(t, hang(make(chan struct{}, 1))), client).Ask(ctx, prompt)
			if e := failed(t, err, signal.FailureTimeout); !e.Retryable || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %+v, want a retryable one that wraps context.DeadlineExceeded", *e)
			}
		})
	}
	t.Run("over before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("was asked") })
		_, err := s.new(t, base, client).Ask(ctx, prompt)
		if e := failed(t, err, signal.FailureNotNeeded); e.BillUnknown {
			t.Error("what was not sent may be billed")
		}
	})
}
