package orchestrator_test

// The health check and the counts.

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

func TestHealthCheck(t *testing.T) {
	checks := func(name string, check turn) *model {
		m := plays(name, buys(.9))
		m.check = check
		return m
	}
	disabled, keyless := checks("disabled", turn{}), checks("keyless", turn{})
	disabled.Disabled, keyless.Unavailable = true, "no key"
	badKey := fails(signal.FailureAuthentication, "wrong key")
	tests := []struct {
		name     string
		required int
		models   []*model
		want     orchestrator.Health
		takes    time.Duration
	}{
		{"all work", 2, []*model{checks("a", turn{after: time.Second}), checks("b", turn{after: 2 * time.Second})},
			orchestrator.Health{Status: "healthy", AvailableProviders: 2, RequiredProviders: 2, ProviderHealth: map[string]bool{"a": true, "b": true}}, 2 * time.Second},
		{"one fails", 1, []*model{checks("a", turn{}), checks("b", badKey)},
			orchestrator.Health{Status: "degraded", AvailableProviders: 2, RequiredProviders: 1, ProviderHealth: map[string]bool{"a": true, "b": false}}, 0},
		{"one panics", 1, []*model{checks("a", turn{}), checks("b", turn{panics: "no"})},
			orchestrator.Health{Status: "degraded", AvailableProviders: 2, RequiredProviders: 1, ProviderHealth: map[string]bool{"a": true, "b": false}}, 0},
		{"one hangs", 1, []*model{checks("a", turn{}), checks("b", turn{after: time.Hour})},
			orchestrator.Health{Status: "degraded", AvailableProviders: 2, RequiredProviders: 1, ProviderHealth: map[string]bool{"a": true, "b": false}}, 5 * time.Second},
		{"one never looks at its context", 1, []*model{checks("a", turn{}), checks("b", turn{after: time.Minute, deaf: true})},
			orchestrator.Health{Status: "degraded", AvailableProviders: 2, RequiredProviders: 1, ProviderHealth: map[string]bool{"a": true, "b": false}}, 5250 * time.Millisecond},
		{"those that can't be asked are not asked", 1, []*model{checks("a", turn{}), disabled, keyless},
			orchestrator.Health{Status: "healthy", AvailableProviders: 1, RequiredProviders: 1, ProviderHealth: map[string]bool{"a": true, "keyless": false}}, 0},
		{"too few", 2, []*model{checks("a", turn{})},
			orchestrator.Health{Status: "degraded", AvailableProviders: 1, RequiredProviders: 2, ProviderHealth: map[string]bool{"a": true}}, 0},
		{"none", 1, nil, orchestrator.Health{Status: "degraded", RequiredProviders: 1, ProviderHealth: map[string]bool{}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := over(t, orchestrator.Options{MinProviders: test.required}, test.models...)
				started := time.Now()
				got := o.HealthCheck(t.Context())
				if took := time.Since(started); took != test.takes {
					t.Errorf("took %v, want %v", took, test.takes)
				}
				test.want.Timestamp = started.UTC()
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("health (-want +got):\n%s", diff)
				}
				for _, m := range test.models {
					if m.asked.Load() > 0 {
						t.Errorf("%s was asked: that is paid for", m.name)
					}
				}
				time.Sleep(time.Hour)
			})
		})
	}
	if disabled.checked.Load()+keyless.checked.Load() > 0 {
		t.Error("one that can't be asked was checked")
	}
}

func TestMetrics(t *testing.T) {
	off, keyless := plays("off", buys(.9)).weighing(.5), plays("keyless", buys(.9))
	off.Disabled, keyless.Unavailable = true, "no key"
	o := over(t, orchestrator.Options{MinProviders: 1}, plays("a", buys(.9), buys(.9), fails(signal.FailureRefusal, "no")), off, keyless)
	if got := o.Metrics(); got.TotalRequests != 0 || got.SuccessRate != 0 {
		t.Errorf("before the first run: %d requests, success rate %v; want 0, 0", got.TotalRequests, got.SuccessRate)
	}
	runs := []struct {
		change func(*orchestrator.Request)
		want   error
	}{
		{func(*orchestrator.Request) {}, nil},
		{func(*orchestrator.Request) {}, nil},
		{func(*orchestrator.Request) {}, orchestrator.ErrInsufficientResponses},
		{func(r *orchestrator.Request) { r.MinProviders = 3 }, orchestrator.ErrInsufficientProviders}, // counted as failed
		{func(r *orchestrator.Request) { r.MinProviders = 4 }, nil},                                   // refused, and not counted
	}
	for _, run := range runs {
		if _, err := o.GenerateConsensusSignal(t.Context(), question(t, run.change)); run.want != nil && !errors.Is(err, run.want) {
			t.Errorf("error %v, want %v", err, run.want)
		}
	}
	document, err := json.MarshalIndent(o.Metrics(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "total_requests": 4,
  "successful_requests": 2,
  "failed_requests": 2,
  "success_rate": 0.5,
  "registry_status": {
    "total_providers": 3,
    "available_providers": 1,
    "providers": {
      "a": {
        "model": "a-1",
        "weight": 1,
        "enabled": true,
        "available": true
      },
      "keyless": {
        "model": "keyless-1",
        "weight": 1,
        "enabled": true,
        "available": false,
        "reason": "no key"
      },
      "off": {
        "model": "off-1",
        "weight": 0.5,
        "enabled": false,
        "available": false,
        "reason": "disabled"
      }
    }
  },
  "configuration": {
    "min_providers": 1,
    "min_confidence": 0.5,
    "min_agreement": 0,
    "timeout_seconds": 25
  }
}`
	if diff := cmp.Diff(want, string(document)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// Many runs at once, with others joining meanwhile: all of them end, and each
// sees the registry as it was at some moment.
func TestConcurrentRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const runs, late = 100, 20
		registry := registryOf(t, plays("a", buys(.9).in(20*time.Millisecond)), plays("b", sells(.2).in(time.Millisecond)), plays("c", turn{panics: "no"}))
		o := orchestrator.New(registry, orchestrator.Options{})
		results := make(chan *signal.Consensus, runs)
		for i := range runs {
			go func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				result, err := o.GenerateConsensusSignal(t.Context(), question(t, func(r *orchestrator.Request) {
					if i%2 == 0 {
						r.Wait = orchestrator.WaitDecided
					}
				}))
				if err != nil {
					t.Errorf("run %d: %v", i, err)
				}
				_ = o.Metrics()
				results <- result
			}()
		}
		for i := range late {
			go func() {
				time.Sleep(time.Duration(i*5) * time.Millisecond)
				m := plays("late-"+string(rune('a'+i)), buys(.9).in(time.Millisecond))
				if err := registry.Register(provider.Entry{Provider: m}); err != nil {
					t.Error(err)
				}
			}()
		}
		ids := map[string]bool{}
		for range runs {
			result := <-results
			if result == nil {
				continue
			}
			ids[result.ID] = true
			if result.Decision != signal.Buy || len(result.Responses)+len(result.Failures) != result.TotalProviders {
				t.Errorf("decision %s of %d votes and %d failures of %d", result.Decision, len(result.Responses), len(result.Failures), result.TotalProviders)
			}
		}
		if len(ids) != runs {
			t.Errorf("%d ids for %d runs", len(ids), runs)
		}
		if got := o.Metrics(); got.SuccessfulRequests != runs || got.RegistryStatus.TotalProviders != 3+late {
			t.Errorf("%d successes, %d providers; want %d, %d", got.SuccessfulRequests, got.RegistryStatus.TotalProviders, runs, 3+late)
		}
	})
}
