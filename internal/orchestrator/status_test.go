package orchestrator_test

// The free call, and the counts of runs.

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

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		call turn
		want string
	}{
		{"works", turn{}, ""},
		{"fails", fails(signal.FailureAuthentication, "wrong key"), "wrong key"},
		{"panics", turn{panics: "no"}, "a panicked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := plays("a", buys(.9))
			m.check = test.call
			got := ""
			if err := orchestrator.Check(t.Context(), m); err != nil {
				got = err.Message
			}
			if got != test.want || m.asked.Load() > 0 {
				t.Errorf("got %q, asked %d times; want %q, and no question, which would cost money", got, m.asked.Load(), test.want)
			}
		})
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

// Many runs at the same time, while providers are registered: all runs end, and each uses the
// providers of one moment.
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
