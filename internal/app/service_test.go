package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/market"
	"thalas/internal/service"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// serving builds the service and handler of an environment.
func serving(t *testing.T, docs bool, environ ...string) (*service.Service, http.Handler) {
	t.Helper()
	a, err := New(load(t, environ...), nil, func() (func(string) string, error) {
		return func(string) string { return "http://127.0.0.1:1" }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := bolt.Open(filepath.Join(t.TempDir(), "my.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	s := a.NewService(file, "v1.2.3")
	if !docs {
		return s, a.NewHandler(s, nil)
	}
	return s, a.NewHandler(s, func() bool { return true })
}

func TestServiceTakesTheConfiguration(t *testing.T) {
	s, _ := serving(t, false, "SIMULATE_PROVIDERS=true", "MIN_PROVIDERS=2", "MAX_CONCURRENT_RUNS=7", "API_KEYS="+strings.Repeat("a", 64)+","+strings.Repeat("A", 64)+","+strings.Repeat("b", 64), "RESULT_RETENTION_DAYS=3", "METRICS_RETENTION_DAYS=5", "DAILY_BUDGET_USD=1.5", "REQUEST_BUDGET_USD=0.25", "ROUND_TRIP_COST=0.002", "SHARE_VOTES=all")
	want := service.Options{
		Simulated: true, MinProviders: 2, Version: "v1.2.3", MaxConcurrentRuns: 7, Callers: 2,
		ResultRetention: 72 * time.Hour, MetricsRetention: 120 * time.Hour, DailyBudgetUSD: 1.5, RequestBudgetUSD: 0.25, RoundTripCost: 0.002, ShareVotes: "all",
	}
	if diff := cmp.Diff(want, s.Options, cmpopts.IgnoreFields(service.Options{}, "Orchestrator", "Registry", "Store", "Logger", "Prepare", "Meter")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Orchestrator == nil || s.Registry == nil || s.Store == nil {
		t.Errorf("a part is missing: %+v", s.Options)
	}
}

// failing is a venue that always fails.
type failing struct{ asked int }

func (f *failing) Name() string { return "kraken" }

func (f *failing) Candles(context.Context, market.Series, time.Time) (market.Fetched, error) {
	f.asked++
	return market.Fetched{}, errors.New("planted: no candles")
}

// Two processes over one store settle once an hour together, and go on when the venue fails.
func TestSettleRegularly(t *testing.T) {
	for venues, want := range map[string]int{"": 0, "SETTLE_VENUES=kraken": 3} {
		t.Run(venues, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, err := New(load(t, venues), nil, noSimulator(t))
				if err != nil {
					t.Fatal(err)
				}
				venue := &failing{}
				a.sources = map[string]market.CandleSource{"kraken": venue}
				file, err := bolt.Open(filepath.Join(t.TempDir(), "my.db"), bolt.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				const id, series = "00e08f7c-0d00-7000-8000-000000000000", "BTC/USDT#5m"
				candle := time.Now().Add(-time.Hour)
				waits := store.Unsettled{ID: id, Group: store.UnsettledKey("5m", false, false), Position: store.PositionKey(candle, id), Pair: "BTC/USDT", Scores: store.ScoresKey("5m", "v", false)}
				if _, err := file.Add(t.Context(), []*store.Result{{
					ID: id, Schema: 1, Series: series, Position: waits.Position, Day: store.DayKey(candle, false), Decision: "BUY", Status: "complete",
					CreatedAt: candle, Body: []byte(`{}`), Unsettled: &waits,
				}}); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				var processes sync.WaitGroup
				for range 2 {
					s := a.NewService(file, "v1.2.3")
					processes.Go(func() { a.SettleRegularly(ctx, s) })
				}
				time.Sleep(3*time.Hour - time.Second)
				stop()
				processes.Wait()
				if venue.asked != want {
					t.Errorf("the venue was asked %d times in three hours, want %d", venue.asked, want)
				}
			})
		})
	}
}

func TestHandlerTakesTheConfiguration(t *testing.T) {
	_, open := serving(t, true)
	_, closed := serving(t, false, "API_KEYS="+strings.Repeat("0", 64))
	for _, tt := range []struct {
		name    string
		handler http.Handler
		path    string
		want    int
	}{
		{"no key is needed", open, "/v1/metrics", 200},
		{"a key is needed", closed, "/v1/metrics", 401},
		{"pages", open, "/docs", 200},
		{"the page", open, "/", 200},
		{"no pages", closed, "/docs", 404},
	} {
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s: %s is answered with %d, want %d: %s", tt.name, tt.path, w.Code, tt.want, w.Body)
		}
	}
	for handler, want := range map[http.Handler]int{open: 403, closed: 401} { // the name of a page's own server that stands for 127.0.0.1
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://evil.example/v1/metrics", nil))
		if w.Code != want {
			t.Errorf("another name is answered with %d, want %d: %s", w.Code, want, w.Body)
		}
	}
}
