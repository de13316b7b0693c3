package app

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/service"
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
	s, _ := serving(t, false, "SIMULATE_PROVIDERS=true", "MIN_PROVIDERS=2", "MAX_CONCURRENT_RUNS=7", "API_KEYS="+strings.Repeat("a", 64)+","+strings.Repeat("A", 64)+","+strings.Repeat("b", 64), "RESULT_RETENTION_DAYS=3", "METRICS_RETENTION_DAYS=5", "DAILY_BUDGET_USD=1.5", "REQUEST_BUDGET_USD=0.25", "ROUND_TRIP_COST=0.002")
	want := service.Options{
		Simulated: true, MinProviders: 2, Version: "v1.2.3", MaxConcurrentRuns: 7, Callers: 2,
		ResultRetention: 72 * time.Hour, MetricsRetention: 120 * time.Hour, DailyBudgetUSD: 1.5, RequestBudgetUSD: 0.25, RoundTripCost: 0.002,
	}
	if diff := cmp.Diff(want, s.Options, cmpopts.IgnoreFields(service.Options{}, "Orchestrator", "Registry", "Store", "Logger", "Prepare", "Meter")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Orchestrator == nil || s.Registry == nil || s.Store == nil {
		t.Errorf("a part is missing: %+v", s.Options)
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
