package orchestrator_test

// The parallel run: what it waits for, and what it does not wait for.

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

func TestRunTakesAsLongAsTheSlowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := over(t, orchestrator.Options{},
			plays("anthropic", buys(.8).in(3*time.Second)), plays("gemini", buys(.8).in(2*time.Second)),
			plays("grok", buys(.8).in(time.Second)), plays("openai", buys(.8)))
		started := time.Now()
		result := ask(t, o, question(t))
		if got := time.Since(started); got != 3*time.Second {
			t.Errorf("the run took %v, want 3s: the longest of its providers, not their sum", got)
		}
		if result.TotalLatencyMS != 3000 {
			t.Errorf("total_latency_ms %v, want 3000", result.TotalLatencyMS)
		}
		if result.OverheadMS != 0 {
			t.Errorf("overhead_ms %v, want 0: nothing but waiting takes virtual time", result.OverheadMS)
		}
		var latencies []float64
		for _, v := range result.Responses {
			latencies = append(latencies, v.LatencyMS)
		}
		if diff := cmp.Diff([]float64{3000, 2000, 1000, 0}, latencies); diff != "" {
			t.Errorf("latencies by name (-want +got):\n%s", diff)
		}
	})
}

// Whatever the fourth provider does, three votes are counted, and the run ends
// within half a second of its budget of 10 s.
func TestNobodyCostsTheOthers(t *testing.T) {
	const budget = 10 * time.Second
	tests := []struct {
		name    string
		fourth  turn
		want    string // the outcome of the fourth provider
		message string
		ends    time.Duration // of the run
	}{
		{"slow", buys(.9).in(time.Minute), "timeout", "no answer within 10s", budget},
		{"answers as the budget ends", turn{after: budget, deaf: true, answer: buys(.9).answer}, "BUY", "", budget},
		{"answers just after the budget", turn{after: budget + 100*time.Millisecond, deaf: true, answer: buys(.9).answer}, "BUY", "", budget + 100*time.Millisecond},
		{"never looks at its context", turn{after: time.Minute, deaf: true, answer: buys(.9).answer}, "timeout", "no answer within 10s", budget + 250*time.Millisecond},
		{"fails", fails(signal.FailureRefusal, "grok would not answer"), "refusal", "grok would not answer", 2 * time.Second},
		{"fails by an error of its own type", turn{err: errors.New("the file is gone")}, "provider", "the file is gone", 2 * time.Second},
		{"panics", turn{panics: "sk-secret-0123456789"}, "provider", "grok panicked; the log says where", 2 * time.Second},
		{"panics late", turn{panics: 1, after: 9 * time.Second}, "provider", "grok panicked; the log says where", 9 * time.Second},
		{"ends by a panic after the run", turn{panics: 1, after: time.Minute, deaf: true}, "timeout", "no answer within 10s", budget + 250*time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := over(t, orchestrator.Options{Timeout: budget},
					plays("anthropic", buys(.8).in(2*time.Second)), plays("gemini", sells(.6)), plays("grok", test.fourth), plays("openai", buys(.7)))
				started := time.Now()
				result := ask(t, o, question(t))
				if got := time.Since(started); got != test.ends {
					t.Errorf("the run took %v, want %v", got, test.ends)
				}
				want := map[string]string{"anthropic": "BUY", "gemini": "SELL", "grok": test.want, "openai": "BUY"}
				if diff := cmp.Diff(want, outcomesOf(result)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				if len(result.Failures) > 0 {
					if got := result.Failures[0].Message; got != test.message {
						t.Errorf("message %q, want %q", got, test.message)
					}
					if result.Status != signal.Degraded {
						t.Errorf("status %q, want degraded", result.Status)
					}
				}
				time.Sleep(time.Minute) // until providers that ignore their context have returned
			})
		})
	}
}

func TestBudget(t *testing.T) {
	tests := []struct {
		name              string
		timeout, deadline time.Duration // of the request and of the context; 0: none
		want              time.Duration
		warning           string
	}{
		{"of the options", 0, 0, 25 * time.Second, ""},
		{"of the request", 4 * time.Second, 0, 4 * time.Second, ""},
		{"the deadline leaves enough", 4 * time.Second, 5500 * time.Millisecond, 4 * time.Second, ""},
		{"the deadline less the reserve is shorter", 4 * time.Second, 5 * time.Second, 3500 * time.Millisecond, "timeout_seconds 4 was cut down to 3.5, which the deadline leaves"},
		{"cut from the options too", 0, 10 * time.Second, 8500 * time.Millisecond, "timeout_seconds 25 was cut down to 8.5, which the deadline leaves"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				o := over(t, orchestrator.Options{Reserve: 1500 * time.Millisecond}, plays("fast", buys(.9)), plays("slow", buys(.9).in(time.Hour)))
				started := time.Now()
				result, err := o.GenerateConsensusSignal(ctx, question(t, func(r *orchestrator.Request) { r.Timeout = test.timeout }))
				if err != nil {
					t.Fatal(err)
				}
				if got := time.Since(started); got != test.want {
					t.Errorf("the run took %v, want %v", got, test.want)
				}
				warning := ""
				for _, w := range result.Warnings {
					if w.Code == signal.WarnTimeoutCut {
						warning = w.Message
					}
				}
				if warning != test.warning {
					t.Errorf("warning %q, want %q", warning, test.warning)
				}
			})
		})
	}
}

func TestNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := plays("grok", buys(.9))
		o := over(t, orchestrator.Options{Reserve: 1500 * time.Millisecond}, m)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := o.GenerateConsensusSignal(ctx, question(t))
		var undecided *orchestrator.Error
		if !errors.As(err, &undecided) || !errors.Is(err, orchestrator.ErrInsufficientResponses) || !undecided.TimedOut() {
			t.Fatalf("error %v, want insufficient responses for want of time", err)
		}
		if m.asked.Load() != 0 || undecided.Failures[0].Attempts != 0 {
			t.Errorf("asked %d times and told of %d, want 0: nothing may be paid for that nobody waits for", m.asked.Load(), undecided.Failures[0].Attempts)
		}
	})
}

func TestProvidersOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := plays("slow", buys(.9).in(5*time.Second))
		slow.Timeout = time.Second
		result := ask(t, over(t, orchestrator.Options{}, plays("fast", buys(.9).in(2*time.Second)), slow), question(t))
		if got, want := result.TotalLatencyMS, 2000.0; got != want {
			t.Errorf("total_latency_ms %v, want %v", got, want)
		}
		want := []signal.Failure{{Provider: "slow", Model: "slow-1", Error: signal.FailureTimeout, Message: "no answer within 1s", Retryable: true, Attempts: 1, LatencyMS: 1000}}
		if diff := cmp.Diff(want, result.Failures); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}

// Progress is called when a provider is asked and when it has answered.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		request := question(t, func(r *orchestrator.Request) {
			r.Progress = func(p orchestrator.Progress) {
				step := p.Provider + " " + p.Model
				switch {
				case p.Vote != nil:
					step += " " + string(p.Vote.Decision)
				case p.Failure != nil:
					step += " " + string(p.Failure.Error)
				}
				got = append(got, step)
			}
		})
		ask(t, over(t, orchestrator.Options{Timeout: 2 * time.Second},
			plays("a", turn{after: time.Hour}), plays("b", buys(.9).in(time.Second)), plays("c", turn{after: 3 * time.Second, deaf: true})), request)
		want := []string{"a a-1", "b b-1", "c c-1", "b b-1 BUY", "a a-1 timeout", "c c-1 timeout"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
	})
}
