package contract

// Asking the simulator with the SDKs: they must accept its answers, and read its errors as the
// adapters do.

import (
	"slices"
	"testing"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// A fault is an error of the simulator, and how the SDK and the adapter read it.
type fault struct {
	name      simulator.Fault
	status    int    // by the SDK; 0: it can't read the body
	word      string // by the SDK
	kind      signal.FailureKind
	retryable bool
}

// simulate starts a simulator that answers every request of a provider in this way.
func simulate(t *testing.T, v vendor, fault simulator.Fault) (base string) {
	t.Helper()
	s, err := simulator.Start(simulator.Options{Faults: map[string][]simulator.Fault{v.name: {fault + "*"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.BaseURL(v.name)
}

func TestSimulatedAnswers(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		for _, tt := range []struct {
			fault simulator.Fault
			kind  signal.FailureKind
		}{
			{simulator.OK, ""},
			{"thinking_first", ""},
			{"no_usage", ""},
			{"refusal", signal.FailureRefusal},
			{"blocked", signal.FailureRefusal},
			{"truncated", signal.FailureTruncated},
		} {
			for _, profile := range []string{provider.ProfileFast, provider.ProfileFlagship} {
				t.Run(string(tt.fault)+" "+profile, func(t *testing.T) {
					base := simulate(t, v, tt.fault)
					settings := provider.Settings{Profile: profile}
					transport := &tee{next: client(t)}
					theirs, err := v.sdk.resend(t.Context(), transport.client(), base, v.question(t, settings))
					if err != nil {
						t.Fatal(err)
					}
					if theirs.kind != tt.kind {
						t.Errorf("the SDK reads %q, which is %q, want %q", theirs.end, theirs.kind, tt.kind)
					}
					answer, failed := v.ask(t, base, settings)
					agree(t, theirs, answer, failed)
					strangers(t, v, document(t, transport.body), theirs.whole)
				})
			}
		}
	})
}

func TestSimulatedModels(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		models, err := v.sdk.models(t.Context(), client(t), simulate(t, v, simulator.OK))
		if err != nil {
			t.Fatal(err)
		}
		for _, profile := range []string{provider.ProfileFast, provider.ProfileFlagship} {
			if want := provider.DefaultCatalog().DefaultModel(v.name, profile); !slices.Contains(models, want) {
				t.Errorf("the SDK reads the models %v, want %s among them", models, want)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		for _, tt := range v.faults {
			t.Run(string(tt.name), func(t *testing.T) {
				base := simulate(t, v, tt.name)
				transport := &tee{next: client(t)}
				_, err := v.sdk.resend(t.Context(), transport.client(), base, v.question(t, provider.Settings{}))
				status, word := v.sdk.problem(err)
				if status != tt.status || word != tt.word {
					t.Errorf("the SDK reads %d %q, want %d %q (%v)", status, word, tt.status, tt.word, err)
				}
				_, failed := v.ask(t, base, provider.Settings{})
				if failed == nil {
					t.Fatal("the adapter has an answer")
				}
				if failed.Status != transport.status || status != 0 && failed.Status != status {
					t.Errorf("status = %d, the SDK was sent %d and reads %d", failed.Status, transport.status, status)
				}
				if failed.Kind != tt.kind || failed.Retryable != tt.retryable {
					t.Errorf("kind = %s, retryable = %t, want %s, %t (%v)", failed.Kind, failed.Retryable, tt.kind, tt.retryable, failed)
				}
			})
		}
	})
}
