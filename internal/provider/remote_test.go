package provider

// What is the same for all wire formats, without a network. The wire format here is the
// smallest that works.

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"thalas/internal/signal"
)

type tinyWire struct{ usage Usage }

func (tinyWire) BaseURL() string                       { return "https://tiny.example" }
func (tinyWire) CheckPath() string                     { return "/v3" }
func (tinyWire) Authorize(header http.Header, key Key) { header.Set("X-Key", key.Reveal()) }
func (tinyWire) Question(_ Model, prompt Prompt) (string, any) {
	if prompt.System == "unwritable" {
		return "/v3/ask", func() {}
	}
	if prompt.System == "no path" {
		return "/%zz", nil
	}
	return "/v3/ask", prompt
}

func (w tinyWire) Answer(body []byte) (Reply, error) {
	reply := Reply{Usage: w.usage}
	err := json.Unmarshal(body, &reply)
	return reply, err
}

// transport answers without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func tiny(t *testing.T, wire tinyWire, f transport) Provider {
	t.Helper()
	p, err := New("tiny-one", wire, Settings{Key: NewKey(" " + plantedKey + "\n"), Model: "m"}, DefaultCatalog(), &http.Client{Transport: f, Timeout: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func answering(status int, body string) transport {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func TestRemoteSends(t *testing.T) {
	var got *http.Request
	p := tiny(t, tinyWire{}, func(r *http.Request) (*http.Response, error) {
		got = r
		return answering(200, "\ufeff"+`{"Text":"{\"decision\":\"BUY\",\"confidence\":1,\"reasoning\":\"r\"}","Model":"m"}`)(r)
	})
	answer, err := p.Ask(t.Context(), Prompt{User: "?"})
	if err != nil || answer.Decision != signal.Buy || answer.Model != "m" || answer.Usage != (Usage{}) {
		t.Errorf("Ask = %+v, %v", answer, err)
	}
	if got.URL.String() != "https://tiny.example/v3/ask" || got.Header.Get("X-Key") != plantedKey {
		t.Errorf("asked %s with key %q, want the default address and the key without spaces", got.URL, got.Header.Get("X-Key"))
	}
	if err := p.Check(t.Context()); err != nil || got.URL.Path != "/v3" || got.Body != nil {
		t.Errorf("Check = %v at %s", err, got.URL)
	}
}

func TestRemoteErrors(t *testing.T) {
	for _, tt := range []struct {
		name      string
		transport transport
		prompt    string
		kind      signal.FailureKind
		retryable bool
		says      string
	}{
		{"type of the body wins", answering(400, `{"error":{"type":"rate_limit_error","message":"slow"}}`), "", "rate_limit", true, "tiny-one answered 400: slow; ask again later"},
		{"wrong key", answering(401, "no"), "", "authentication", false, "tiny-one answered 401: no; check TINY_ONE_API_KEY"},
		{"no money", answering(402, ""), "", "rate_limit", false, "payment required; add credit"},
		{"unknown model", answering(404, "{}"), "", "provider", false, "check TINY_ONE_MODEL (m) and TINY_ONE_BASE_URL"},
		{"too much", answering(413, ""), "", "provider", false, "send less market data"},
		{"gateway", answering(504, "<html>"), "", "timeout", true, "an HTML page"},
		{"redirect", answering(308, "gone"), "", "provider", false, "check TINY_ONE_BASE_URL"},
		{"refusal", answering(200, `{"Stopped":"refusal","Reason":"I won't"}`), "", "refusal", false, "would not answer: I won't"},
		{"limit", answering(200, `{"Stopped":"truncated","Reason":"length","AtLimit":true}`), "", "truncated", false, "limit of 1024 tokens"},
		{"page", answering(200, "<p>"), "", "invalid_response", true, "an HTML page"},
		{"nothing", answering(200, " "), "", "invalid_response", true, "its answer is empty"},
		{"not whole", answering(200, "{"), "", "invalid_response", true, "not whole JSON"},
		{"another form", answering(200, "[]"), "", "invalid_response", true, "in another form"},
		{"final", answering(429, `{"error":{"code":"insufficient_quota"}}`), "", "rate_limit", false, "add credit"},
		{"wait of the body is bounded", answering(429, `{"error":{"details":[{"retryDelay":"9000000000000000000s"}]}}`), "", "rate_limit", true, "15m0s"},
		{"type of the body is not retryable", answering(500, `{"error":{"type":"authentication_error"}}`), "", "authentication", false, "TINY_ONE_API_KEY"},
		{"status without a name", answering(599, ""), "", "provider", true, "no reason given"},
		{"message of nothing visible", answering(418, "\u200b\u200b"), "", "provider", false, "i'm a teapot"},
		{"truncated not by the limit", answering(200, `{"Stopped":"truncated","Reason":"paused"}`), "", "truncated", false, "(paused); send less"},
		{"stopped without a word", answering(200, `{"Stopped":"invalid_response"}`), "", "invalid_response", true, "lacks fields"},
		{"too large", answering(200, strings.Repeat(" ", maxBody+1)), "", "invalid_response", true, "larger than 1 MiB"},
		{"unwritable question", nil, "unwritable", "provider", false, "can't be written"},
		{"unusable address", nil, "no path", "provider", false, "TINY_ONE_MODEL"},
		{"dial timed out", func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}, "", "timeout", true, "could not be reached in time"},
		{"text of the network with the key", func(*http.Request) (*http.Response, error) {
			return nil, errors.New("malformed HTTP response \"" + plantedKey + "\"")
		}, "", "provider", true, `malformed HTTP response "[redacted]"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tiny(t, tinyWire{}, tt.transport).Ask(t.Context(), Prompt{System: tt.prompt})
			e := AsError(err)
			if e == nil || e.Kind != tt.kind || e.Retryable != tt.retryable || !strings.Contains(e.Message, tt.says) {
				t.Errorf("error = %+v, want kind %s, retryable %t, saying %q", e, tt.kind, tt.retryable, tt.says)
			}
		})
	}
}

// When the context ends, the error says so, whatever else breaks.
func TestRemoteContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  error
		kind signal.FailureKind
	}{{"cancelled", context.Canceled, signal.FailureNotNeeded}, {"too late", context.DeadlineExceeded, signal.FailureTimeout}} {
		for stage, status := range map[string]int{"while it connects": 0, "in an answer": 200, "in an error": 500, "in a gateway's error": 502} {
			t.Run(tt.name+" "+stage, func(t *testing.T) {
				ctx := &endingContext{Context: t.Context()}
				breaks := func(*http.Request) (*http.Response, error) {
					if status == 0 {
						ctx.end = tt.end
						return nil, errors.New("broken pipe")
					}
					body := iotest.ErrReader(errors.New("broken pipe"))
					return &http.Response{StatusCode: status, Body: io.NopCloser(readerFunc(func(p []byte) (int, error) {
						ctx.end = tt.end
						return body.Read(p)
					}))}, nil
				}
				_, err := tiny(t, tinyWire{}, breaks).Ask(ctx, Prompt{})
				if e := AsError(err); e.Kind != tt.kind || !errors.Is(err, tt.end) || e.BillUnknown != (status == 200 || status == 502) {
					t.Errorf("error = %+v, want kind %s that wraps %v, the bill unknown only of an answer that may have been made", e, tt.kind, tt.end)
				}
			})
		}
	}
}

type endingContext struct {
	context.Context
	end error
}

func (c *endingContext) Err() error { return c.end }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRemoteStopsReading(t *testing.T) {
	read := 0
	endless := readerFunc(func(p []byte) (int, error) {
		if read += len(p); read > 8*maxBody {
			t.Error("reads on and on")
			return 0, io.EOF
		}
		return len(p), nil
	})
	for _, status := range []int{200, 500} {
		read = 0
		_, err := tiny(t, tinyWire{}, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: io.NopCloser(endless)}, nil
		}).Ask(t.Context(), Prompt{})
		if err == nil {
			t.Errorf("status %d: no error", status)
		}
	}
}

func TestCheckNeedsJSON(t *testing.T) {
	for body, says := range map[string]string{"<html>": "HTML", "": "empty", "ok": "not whole JSON"} {
		err := tiny(t, tinyWire{}, answering(200, body)).Check(t.Context())
		if !errors.Is(err, ErrInvalidResponse) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "TINY_ONE_BASE_URL") {
			t.Errorf("Check of %q = %v", body, err)
		}
	}
}

func TestNoKeyIsNotAsked(t *testing.T) {
	p, err := New("tiny", tinyWire{}, Settings{Model: "m"}, DefaultCatalog(), NewClient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Ask(t.Context(), Prompt{}); !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), "TINY_API_KEY") || p.Name() != "tiny" || p.Model() != "m" {
		t.Errorf("%s with %s: %v", p.Name(), p.Model(), err)
	}
}

func TestRemoteUsage(t *testing.T) {
	for _, tt := range []struct {
		name      string
		usage     Usage
		wantKnown bool
		wantCost  *float64
	}{
		{"own cost", Usage{Known: true, InputTokens: 1, CostUSD: pointer(0.5)}, true, pointer(0.5)},
		{"own cost without tokens", Usage{CostUSD: pointer(0.5)}, false, pointer(0.5)},
		{"negative cost", Usage{Known: true, CostUSD: pointer(-0.5)}, true, nil},
		{"absurd cost", Usage{Known: true, CostUSD: pointer(1e290)}, true, nil},
		{"negative tokens", Usage{Known: true, OutputTokens: -1}, false, nil},
		{"absurd tokens", Usage{Known: true, InputTokens: 1 << 60}, false, nil},
		{"more cached than sent", Usage{Known: true, InputTokens: 1, CachedTokens: 2}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tiny(t, tinyWire{tt.usage}, answering(200, `{}`)).Ask(t.Context(), Prompt{})
			got := AsError(err).Usage
			if got.Known != tt.wantKnown || (got.CostUSD == nil) != (tt.wantCost == nil) || (got.CostUSD != nil && *got.CostUSD != *tt.wantCost) {
				t.Errorf("usage = %+v", got)
			}
		})
	}
}

func TestNewJoinsErrors(t *testing.T) {
	_, err := New("tiny", tinyWire{}, Settings{Key: NewKey("a b"), BaseURL: "tiny"}, DefaultCatalog(), NewClient())
	for _, want := range []string{"TINY_MODEL", "TINY_BASE_URL", "TINY_API_KEY"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

// The shared client follows no redirect, also when it is used directly.
func TestClientFollowsNoRedirect(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	defer server.Close()
	client := NewClient()
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusTemporaryRedirect || client.Timeout != 0 {
		t.Errorf("status %d, timeout %v", response.StatusCode, client.Timeout)
	}
}
