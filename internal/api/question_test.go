package api

// The reader of questions: what must hold for every body, and its cost.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/strictjson"
)

// voter answers at once.
type voter string

func (v voter) Name() string  { return string(v) }
func (v voter) Model() string { return string(v) + "-1" }

func (v voter) Ask(context.Context, provider.Prompt) (provider.Answer, error) {
	return provider.Answer{Ballot: provider.Ballot{Decision: signal.Buy, Confidence: 0.8, Reasoning: "it rises"}}, nil
}

func (v voter) Check(context.Context) error { return nil }

// forgetful is a store that stores nothing.
type forgetful struct{ store.Store }

func (forgetful) Record(context.Context, *store.Result, store.Count) error { return nil }

func quick(t testing.TB) *service.Service {
	t.Helper()
	registry := &provider.Registry{}
	for _, name := range []string{"anthropic", "openai", "gemini", "grok"} {
		if err := registry.Register(provider.Entry{Provider: voter(name)}); err != nil {
			t.Fatal(err)
		}
	}
	return service.New(service.Options{Registry: registry, Store: forgetful{}, Orchestrator: orchestrator.New(registry, orchestrator.Options{})})
}

func FuzzQuestion(f *testing.F) {
	s := quick(f)
	for _, seed := range []string{string(examples["question"]), `{}`, `[]`, `{"pair":null}`, `{"market_data":{"rsi":NaN}}`, `{"provider_weights":{"OpenAI":1e999}}`, "\xff", `{"a":1,"a":2}`,
		`{"pair":"BTC/USDT","current_price":1,"market_data":{"recent_candles":[{"open":1}]}}`, `{"timeout_seconds":1e-300,"min_providers":1.0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		document, p := parseBody(body)
		if p != nil {
			if len(p.Errors) != 1 || !strings.HasPrefix(p.Errors[0].Location, "body") {
				t.Errorf("no place: %+v", p.Errors)
			}
			return
		}
		for _, parse := range []func(strictjson.Value, *provider.Registry) *fields{parseQuestion, parseCompat} {
			mistakes := checkedMistakes(parse(document, s.Registry), s)
			if len(mistakes) == 0 {
				continue
			}
			p := invalid(mistakes)
			for _, m := range mistakes {
				if !strings.HasPrefix(m.Location, "body") || m.Message == "" || (m.Value != nil && (!json.Valid(m.Value) || m.Value[0] == '{' || m.Value[0] == '[')) {
					t.Errorf("mistake %+v", m)
				}
			}
			if _, err := json.Marshal(p); err != nil {
				t.Errorf("can't be told: %v", err)
			}
		}
	})
}

// checkedMistakes gives the mistakes of a question, also those that the check finds.
func checkedMistakes(f *fields, s *service.Service) []Mistake {
	_, err := s.Orchestrator.Check(f.request)
	f.merge(err)
	return f.mistakes
}

// withCandles is a question with that many candles and twenty indicators.
func withCandles(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"pair":"BTC/USDT","timeframe":"5m","current_price":50000.0,"provider_weights":{"anthropic":1.0},"market_data":{`)
	for i := range 20 {
		fmt.Fprintf(&b, `"indicator_%d":%d.5,`, i, i)
	}
	b.WriteString(`"recent_candles":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"time":%d,"open":49900.1,"high":50100.2,"low":49800.3,"close":50000.4,"volume":12.5}`, 1795400000+300*i)
	}
	b.WriteString(`]}}`)
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	s := quick(b)
	for _, candles := range []int{0, 50, 500} {
		body := withCandles(candles)
		b.Run(fmt.Sprintf("%d candles", candles), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				document, p := parseBody(body)
				if p != nil {
					b.Fatal(p)
				}
				if mistakes := checkedMistakes(parseQuestion(document, s.Registry), s); mistakes != nil {
					b.Fatal(mistakes)
				}
			}
		})
	}
}

// BenchmarkAnswer measures a request without the network: with four models that answer at
// once, and a store that stores nothing.
func BenchmarkAnswer(b *testing.B) {
	handler := New(quick(b), Options{})
	for _, candles := range []int{0, 50} {
		body := withCandles(candles)
		b.Run(fmt.Sprintf("%d candles", candles), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, consensusPath, bytes.NewReader(body)))
				if w.Code != http.StatusOK {
					b.Fatal(w.Body.String())
				}
			}
		})
	}
}

func BenchmarkRefusal(b *testing.B) {
	handler := New(quick(b), Options{})
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, consensusPath, strings.NewReader(`{"pair":"?"}`)))
		if w.Code != http.StatusUnprocessableEntity {
			b.Fatal(w.Body.String())
		}
	}
}
