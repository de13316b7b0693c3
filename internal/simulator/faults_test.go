package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// start runs a server for the test, and a client that keeps no connection.
func start(t *testing.T, options Options) (*Running, *http.Client) {
	t.Helper()
	s, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, &http.Client{Transport: transport}
}

// fetch gives the status, the body, and the error of the request or of reading the body.
func fetch(client *http.Client, r *http.Request) (status int, body []byte, err error) {
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// seen is what a plain client sees of a fault.
type seen struct {
	status int
	body   []byte
	err    error
	late   bool // the client gave up
}

// TestFaultsOnTheWire plays every fault that is not an error body against a
// plain client, at every provider. Error bodies are golden (TestErrors).
func TestFaultsOnTheWire(t *testing.T) {
	text := func(part string) func(*testing.T, string, seen) {
		return func(t *testing.T, provider string, s seen) {
			if s.err != nil || s.status != 200 || !strings.Contains(textOf(t, provider, s.body), part) {
				t.Errorf("got %d %s %v, want a text with %q", s.status, s.body, s.err, part)
			}
		}
	}
	raw := func(status int, body string) func(*testing.T, string, seen) {
		return func(t *testing.T, _ string, s seen) {
			if s.err != nil || s.status != status || !strings.HasPrefix(string(s.body), body) || (body == "") != (len(s.body) == 0) {
				t.Errorf("got %d %q %v, want %d %q", s.status, s.body, s.err, status, body)
			}
		}
	}
	good := func(t *testing.T, provider string, s seen) {
		if s.err != nil || s.status != 200 {
			t.Fatalf("got %d %v", s.status, s.err)
		}
		voteOf(t, provider, s.body)
	}
	lacks := func(names ...string) func(*testing.T, string, seen) {
		return func(t *testing.T, _ string, s seen) {
			for _, name := range names {
				if s.status != 200 || strings.Contains(string(s.body), name) {
					t.Errorf("got %d %s, want it without %q", s.status, s.body, name)
				}
			}
		}
	}
	usage := func(pattern string) func(*testing.T, string, seen) {
		return func(t *testing.T, provider string, s seen) {
			if good(t, provider, s); !regexp.MustCompile(pattern).Match(s.body) {
				t.Errorf("nothing in %s is like %s", s.body, pattern)
			}
		}
	}
	gaveUp := func(t *testing.T, _ string, s seen) {
		if !s.late {
			t.Errorf("got %d %s %v, want no whole answer before the client gives up", s.status, s.body, s.err)
		}
	}
	checks := map[string]func(*testing.T, string, seen){
		"html_502":   raw(502, "<!DOCTYPE html>"),
		"html_200":   raw(200, "<!DOCTYPE html>"),
		"not_json":   raw(200, "upstream connect error"),
		"empty_body": raw(200, ""),
		"redirect": func(t *testing.T, _ string, s seen) {
			if s.status != 404 || !strings.Contains(string(s.body), "base URL") { // a client that follows lands there
				t.Errorf("got %d %s %v", s.status, s.body, s.err)
			}
		},
		"hang":         gaveUp,
		"slow_headers": gaveUp,
		"slow_drip":    gaveUp,
		"reset": func(t *testing.T, _ string, s seen) {
			if !errors.Is(s.err, syscall.ECONNRESET) {
				t.Errorf("got %d %v, want a connection reset", s.status, s.err)
			}
		},
		"cut_body": func(t *testing.T, _ string, s seen) {
			if s.status != 200 || !errors.Is(s.err, io.ErrUnexpectedEOF) || len(s.body) == 0 {
				t.Errorf("got %d, %d bytes, %v, want a 200 that ends early", s.status, len(s.body), s.err)
			}
		},
		"refusal":                 lacks(`decision`),
		"blocked":                 lacks(`decision`),
		"truncated":               lacks(`take_profit`),
		"thinking_first":          good,
		"lower_case":              text(`"decision":"sell"`),
		"wrong_types":             text(`"confidence":"very sure"`),
		"confidence_out_of_range": text(`"confidence":85`),
		"missing_fields":          lacks(`confidence`, `reasoning\":`),
		"extra_fields":            good,
		"echo_key_reasoning":      text(testKey),
		"huge_body": func(t *testing.T, provider string, s seen) {
			if good(t, provider, s); len(s.body) < 5_000_000 {
				t.Errorf("the body has %d bytes", len(s.body))
			}
		},
		"no_answer": lacks(`"content"`, `"choices"`, `"candidates"`),
		"no_usage":  lacks(`"usage`),

		"usage_decimals": usage(`_?[tT]okens?(Count)?": ?[0-9]+\.0\b`),
		"usage_text":     usage(`_?[tT]okens?(Count)?": ?"[0-9]+"`),
		"usage_absurd":   usage(`_?[tT]okens?(Count)?": ?1e400\b`),
		"usage_lists":    usage(`(details|creation|Details)": ?\[\]`),
	}
	for _, provider := range Providers {
		for _, f := range faults {
			check, ok := checks[f.name]
			if f.problem != nil {
				continue
			}
			if !ok {
				t.Errorf("nothing checks the fault %s", f.name)
				continue
			}
			t.Run(provider+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				s, client := start(t, Options{Faults: map[string][]Fault{provider: {Fault(f.name)}}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if f.name == "hang" || f.name == "slow_headers" { // the client gives up once its question is out
					ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }})
				}
				r := newQuestion(t, provider, s.BaseURL(provider), sellEverywhere).WithContext(ctx)
				if f.name == "slow_drip" {
					check(t, provider, drip(t, client, r, cancel))
					return
				}
				var got seen
				got.status, got.body, got.err = fetch(client, r)
				got.late = errors.Is(got.err, context.Canceled)
				check(t, provider, got)
			})
		}
	}
}

// sellEverywhere makes every rule say SELL.
var sellEverywhere = prompt(`{"pair": "BTC/USDT", "current_price": 50000, "indicators": {"rsi": 80, "macd": -200, "price_change_24h": -5},
	"candle_columns": ["high", "low", "close"], "recent_candles": [` + strings.Repeat(`[50100, 50000, 50050], `, 19) + `[50050, 49000, 49100]]}`)

// drip reads the first bytes of a trickling answer and gives up then.
func drip(t *testing.T, client *http.Client, r *http.Request, cancel func()) seen {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		return seen{err: err}
	}
	defer answer.Body.Close()
	start := make([]byte, 2)
	if _, err := io.ReadFull(answer.Body, start); err != nil {
		return seen{status: answer.StatusCode, err: err}
	}
	cancel()
	rest, err := io.ReadAll(answer.Body)
	return seen{answer.StatusCode, append(start, rest...), err, errors.Is(err, context.Canceled)}
}

// TestSlowAnswersArrive: a client that waits long enough gets a whole answer.
func TestSlowAnswersArrive(t *testing.T) {
	for _, name := range []Fault{"slow_headers", "slow_drip"} {
		t.Run(string(name), func(t *testing.T) {
			s, client := start(t, Options{Slow: 10 * time.Millisecond, Faults: map[string][]Fault{Gemini: {name}}})
			status, body, err := fetch(client, newQuestion(t, Gemini, s.BaseURL(Gemini), overbought))
			if status != 200 || err != nil {
				t.Fatalf("got %d %v", status, err)
			}
			voteOf(t, Gemini, body)
		})
	}
}

// TestClientGone: a request ends without an answer when its client gives up, whatever the
// server is doing.
func TestClientGone(t *testing.T) {
	tests := []struct {
		name    string
		options Options
	}{
		{"hang", Options{Faults: map[string][]Fault{OpenAI: {"hang"}}}},
		{"slow headers", Options{Faults: map[string][]Fault{OpenAI: {"slow_headers"}}}},
		{"slow drip", Options{Faults: map[string][]Fault{OpenAI: {"slow_drip"}}}},
		{"thinking", Options{Latency: time.Hour}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const patience = 3 * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				begin := time.Now()
				defer func() {
					if got := recover(); got != http.ErrAbortHandler {
						t.Errorf("ended with %v, want the abort of the connection", got)
					}
					if took := time.Since(begin); took != patience {
						t.Errorf("ended after %v, want %v", took, patience)
					}
				}()
				serve(New(test.options), newQuestion(t, OpenAI, "/openai", overbought).WithContext(ctx))
			})
		})
	}
}

func TestRetryDate(t *testing.T) {
	s := New(Options{Faults: map[string][]Fault{OpenAI: {"rate_limit_date"}}})
	w := ask(t, s, OpenAI, overbought)
	when, err := http.ParseTime(w.Header().Get("Retry-After"))
	if wait := time.Until(when); w.Code != 429 || err != nil || wait <= 0 || wait > 2*time.Second {
		t.Errorf("got %d, Retry-After %q (%v), want a date within 2 s", w.Code, w.Header().Get("Retry-After"), err)
	}
}

func TestRetryEpoch(t *testing.T) {
	w := ask(t, New(Options{Faults: map[string][]Fault{OpenAI: {"rate_limit_epoch"}}}), OpenAI, overbought)
	seconds, err := strconv.ParseInt(w.Header().Get("Retry-After"), 10, 64)
	if wait := time.Until(time.Unix(seconds, 0)); w.Code != 429 || err != nil || wait > 2*time.Second {
		t.Errorf("got %d, Retry-After %q (%v), want a time within 2 s", w.Code, w.Header().Get("Retry-After"), err)
	}
}

// TestCreditBalanceElsewhere: a fault of one provider is the most similar fault at the others.
func TestCreditBalanceElsewhere(t *testing.T) {
	for _, provider := range Providers[1:] {
		w := ask(t, New(Options{Faults: map[string][]Fault{provider: {"credit_balance"}}}), provider, overbought)
		if w.Code != 429 {
			t.Errorf("%s: got %d %s, want its quota error", provider, w.Code, w.Body)
		}
	}
}

// TestExtraFields: the answer and the vote have unknown fields.
func TestExtraFields(t *testing.T) {
	for _, provider := range Providers {
		w := ask(t, New(Options{Faults: map[string][]Fault{provider: {"extra_fields"}}}), provider, overbought)
		for what, object := range map[string]string{"envelope": w.Body.String(), "vote": textOf(t, provider, w.Body.Bytes())} {
			var f map[string]any
			if err := json.Unmarshal([]byte(object), &f); err != nil || f["unheard_of"] == nil {
				t.Errorf("%s: the %s has no unknown field: %s", provider, what, object)
			}
		}
	}
}

// TestFaultsOfLists: a request for the list of models counts in the script. It fails as a
// question does, but faults of votes do not change it.
func TestFaultsOfLists(t *testing.T) {
	s := New(Options{Faults: map[string][]Fault{Anthropic: {"wrong_key", "refusal", "not_json"}}})
	for i, want := range []int{401, 200, 200} {
		w := serve(s, listRequest(Anthropic))
		if w.Code != want || json.Valid(w.Body.Bytes()) != (i < 2) {
			t.Errorf("request %d: got %d %s, want %d", i+1, w.Code, w.Body, want)
		}
	}
}

func TestFaultTable(t *testing.T) {
	names := make(map[string]bool)
	for _, f := range Faults() {
		if names[f.Name] || f.What == "" || strings.ContainsAny(f.Name, "*,;= ") || f.Name != strings.ToLower(f.Name) {
			t.Errorf("fault %+v: names are unique, lower case and without the script's signs, and each is described", f)
		}
		names[f.Name] = true
	}
}
