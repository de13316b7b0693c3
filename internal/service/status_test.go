package service_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

func TestHealth(t *testing.T) {
	broken := &provider.Error{Kind: signal.FailureProvider, Message: "it is down"}
	wrongKey := &provider.Error{Kind: signal.FailureAuthentication, Message: "a wrong key"}
	tests := []struct {
		name      string
		a, b      *voter
		need      int
		storeDown bool
		want      service.HealthStatus
		healthy   map[string]bool
		available int
	}{
		{"all well", &voter{}, &voter{}, 2, false, service.Healthy, map[string]bool{"a": true, "b": true}, 2},
		{"a last call failed", &voter{err: broken}, &voter{}, 1, false, service.Degraded, map[string]bool{"a": false, "b": true}, 2},
		{"a wrong key, enough left", &voter{err: wrongKey}, &voter{}, 1, false, service.Degraded, map[string]bool{"a": false, "b": true}, 2},
		{"more needed than there are", &voter{err: wrongKey}, &voter{}, 3, false, service.Unavailable, map[string]bool{"a": false, "b": true}, 2},
		{"store down", &voter{}, &voter{}, 2, true, service.Degraded, map[string]bool{"a": true, "b": true}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := test.a, test.b
			a.name, b.name = "a", "b"
			s := newService(t, service.Options{MinProviders: test.need}, a, b)
			_, _ = s.Ask(t.Context(), question()) // with or without a decision
			if test.storeDown {
				s.store.fail(errDown, nil)
			}
			h := s.Health(t.Context(), false)
			if h.Status != test.want || h.AvailableProviders != test.available || h.RequiredProviders != test.need || (h.Store == "ok") == test.storeDown {
				t.Errorf("got %s, %d available, %d required, store %s", h.Status, h.AvailableProviders, h.RequiredProviders, h.Store)
			}
			for name, want := range test.healthy {
				if h.ProviderHealth[name] != want {
					t.Errorf("%s is healthy: %v", name, h.ProviderHealth[name])
				}
			}
			if a.checked.Load()+b.checked.Load() != 0 {
				t.Error("passive health called a provider")
			}
		})
	}
}

func TestHealthTellsWhatCallsHaveShown(t *testing.T) {
	a := &voter{name: "a", err: &provider.Error{Kind: signal.FailureTimeout, Message: "late", Retryable: true}}
	s := newService(t, service.Options{}, a, &voter{name: "b"})
	ask(t, s, question())
	a.err = nil
	ask(t, s, question())
	p := s.Health(t.Context(), false).Providers[0]
	if p.LastSuccess == nil || p.LastError == nil || p.LastError.Error != "timeout" || !p.LastSuccess.After(p.LastError.At) && !p.LastSuccess.Equal(p.LastError.At) {
		t.Errorf("last success %v, last error %+v", p.LastSuccess, p.LastError)
	}
	if p.ErrorRate != 0.5 || p.LatencyP50MS == nil || p.Breaker != provider.BreakerClosed || p.Probe != nil {
		t.Errorf("got %+v", p)
	}
}

func TestHealthProbesAtMostOnceInThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &voter{name: "a"}, &voter{name: "b", checkErr: &provider.Error{Kind: signal.FailureAuthentication, Message: "a wrong key"}}
		s := newService(t, service.Options{}, a, b)
		defer s.store.Close()
		for range 3 {
			h := s.Health(t.Context(), true)
			if h.Status != service.Degraded || !h.ProviderHealth["a"] || h.ProviderHealth["b"] {
				t.Errorf("got %s, %v", h.Status, h.ProviderHealth)
			}
			if got := *h.Providers[1].Probe; got != "authentication: a wrong key" {
				t.Errorf("probe says %q", got)
			}
		}
		if a.checked.Load() != 1 || a.asked.Load() != 0 {
			t.Errorf("%d free calls and %d paid ones", a.checked.Load(), a.asked.Load())
		}
		time.Sleep(30 * time.Second)
		s.Health(t.Context(), true)
		if a.checked.Load() != 2 {
			t.Errorf("%d free calls after 30 s", a.checked.Load())
		}
	})
}

// A server may have no list of models, and answer questions nevertheless.
func TestHealthProbeOfAServerWithoutTheRoute(t *testing.T) {
	a := &voter{name: "a", checkErr: &provider.Error{Kind: signal.FailureProvider, NoRoute: true, Message: "404"}}
	h := newService(t, service.Options{}, a).Health(t.Context(), true)
	if h.Status != service.Healthy || !h.ProviderHealth["a"] || *h.Providers[0].Probe != "provider: 404" {
		t.Errorf("got %s, %+v", h.Status, h.Providers[0])
	}
}

// A key that was refused keeps its provider out until a free call proves one.
func TestHealthProbeLetsAProvedKeyBackIn(t *testing.T) {
	a := &voter{name: "a", err: &provider.Error{Kind: signal.FailureAuthentication, Message: "a wrong key"}}
	s := newService(t, service.Options{}, a)
	_, _ = s.Ask(t.Context(), question())
	h := s.Health(t.Context(), false)
	if p := h.Providers[0]; h.Status != service.Degraded || p.Breaker != provider.BreakerOpen || p.LeftOut == nil || p.LeftOut.Reason != signal.LeftOutKeyRefused || h.ProviderHealth["a"] {
		t.Fatalf("a wrong key: %+v", p)
	}
	a.err = nil
	if h := s.Health(t.Context(), true); h.Providers[0].LeftOut != nil || !h.ProviderHealth["a"] {
		t.Errorf("after a probe: %+v", h.Providers[0])
	}
	ask(t, s, question())
}

func TestMetricsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: 120 * time.Millisecond, cost: 0.001}
		b := &voter{name: "b", after: 300 * time.Millisecond, cost: 0.002}
		s := newService(t, service.Options{}, a, b)
		defer s.store.Close()
		for range 3 {
			ask(t, s, question())
		}
		b.err = &provider.Error{Kind: signal.FailureRateLimit, Retryable: true, Message: "slow down"}
		ask(t, s, question())
		a.err = b.err
		if _, err := s.Ask(t.Context(), question()); err == nil {
			t.Fatal("a run without votes was decided")
		}
		m, err := s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if m.TotalRequests != 5 || m.SuccessfulRequests != 4 || m.FailedRequests != 1 || m.SuccessRate != 0.8 || m.CostUSD != 0.010 || m.Tokens != 7*110 {
			t.Errorf("totals %+v", m)
		}
		got := m.Providers[1]
		if got.Provider != "b" || got.Requests != 5 || got.Successes != 3 || got.Failures["rate_limit"] != 2 || got.SuccessRate != 0.6 || got.InputTokens != 300 || got.OutputTokens != 30 || got.CostUSD != 0.006 {
			t.Errorf("b: %+v", got)
		}
		if p50 := *got.LatencyMS.P50; p50 <= 200 || p50 > 300 {
			t.Errorf("p50 of 300 ms is told as %v", p50)
		}
		if m.RegistryStatus.TotalProviders != 2 {
			t.Errorf("registry %+v", m.RegistryStatus)
		}

		// The next hour begins at 0, the day goes on.
		time.Sleep(time.Hour)
		if m, err = s.Metrics(t.Context(), service.WindowHour, time.Time{}, time.Time{}); err != nil || m.TotalRequests != 0 || m.To.Sub(m.From) != time.Hour {
			t.Errorf("the next hour: %d requests, %s to %s, %v", m.TotalRequests, m.From, m.To, err)
		}
		start := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
		if m, err = s.Metrics(t.Context(), service.WindowHour, start, start.Add(time.Minute)); err != nil || m.TotalRequests != 5 {
			t.Errorf("the hour before: %d requests, %v", m.TotalRequests, err)
		}
	})
}

func TestMetricsNeedTheStore(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"})
	s.store.fail(errDown, nil)
	if _, err := s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{}); !errors.Is(err, service.ErrStore) {
		t.Errorf("metrics: %v", err)
	}
	if _, err := s.Latest(t.Context(), question().Pair, "5m", 0); !errors.Is(err, service.ErrStore) {
		t.Errorf("latest: %v", err)
	}
}

func TestReadingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{}, &voter{name: "a"})
		defer s.store.Close()
		pair := question().Pair
		if _, err := s.Latest(t.Context(), pair, "5m", 0); !errors.Is(err, service.ErrNoSignal) {
			t.Errorf("nothing yet: %v", err)
		}
		var ids []string
		for range 5 {
			ids = append([]string{ask(t, s, question()).Consensus.ID}, ids...)
			time.Sleep(5 * time.Minute)
		}
		if _, err := s.Latest(t.Context(), pair, "5m", 5*time.Minute-time.Millisecond); !errors.Is(err, service.ErrStale) {
			t.Errorf("five minutes old: %v", err)
		}
		if latest, err := s.Latest(t.Context(), pair, "5m", 5*time.Minute); err != nil || latest.ID != ids[0] {
			t.Errorf("latest %s, %v", latest.ID, err)
		}
		for _, q := range []service.Query{{Pair: pair, Timeframe: "5m", Limit: 2}, {Limit: 2}} {
			var got []string
			for {
				page, err := s.History(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Results {
					got = append(got, r.ID)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if len(got) != 5 || got[0] != ids[0] || got[4] != ids[4] {
				t.Errorf("history of %q: %v, want %v", q.Pair, got, ids)
			}
		}
		var fields signal.FieldErrors
		if _, err := s.History(t.Context(), service.Query{Pair: pair, Cursor: "forged"}); !errors.As(err, &fields) || fields[0].Field != "cursor" {
			t.Errorf("a forged cursor: %v", err)
		}
	})
}

// One store may hold real and simulated runs; neither counts in the figures of the other.
func TestSimulatedRunsAreCountedApart(t *testing.T) {
	real := newService(t, service.Options{}, &voter{name: "a"})
	simulated := serviceOver(t, service.Options{Simulated: true}, real.store, &voter{name: "a"})
	ask(t, simulated, question())
	ask(t, simulated, question())
	ask(t, real, question())
	for _, test := range []struct {
		name string
		s    fixture
		want int64
	}{{"simulated", simulated, 2}, {"real", real, 1}} {
		m, err := test.s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{})
		if err != nil || m.TotalRequests != test.want || len(m.Providers) != 1 || m.Providers[0].Successes != test.want {
			t.Errorf("%s: counted %d runs of %+v, %v", test.name, m.TotalRequests, m.Providers, err)
		}
	}
}
