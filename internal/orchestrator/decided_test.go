package orchestrator_test

// WaitDecided, which must give the same decision as WaitAll.

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

func decided(r *orchestrator.Request) { r.Wait = orchestrator.WaitDecided }

func TestWaitDecided(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		quorum int
		models []*model
		want   map[string]string
		ends   time.Duration
		early  bool
		status signal.Status
	}{
		{"stops when the last one can't turn it", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", buys(.9).in(2*s)), plays("c", sells(1).in(20*s)).weighing(.5)},
			map[string]string{"a": "BUY", "b": "BUY", "c": "not_needed"}, 2 * s, true, signal.Complete},
		{"waits for one that could turn it", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", buys(.05).in(2*s)), plays("c", sells(1).in(20*s))},
			map[string]string{"a": "BUY", "b": "BUY", "c": "SELL"}, 20 * s, false, signal.Complete},
		{"waits for the quorum", 3,
			[]*model{plays("a", buys(.9).in(s)), plays("b", buys(.9).in(2*s)), plays("c", buys(.9).in(3*s)).weighing(.1), plays("d", sells(.9).in(20*s)).weighing(.1)},
			map[string]string{"a": "BUY", "b": "BUY", "c": "BUY", "d": "not_needed"}, 3 * s, true, signal.Complete},
		{"a failure before leaves it degraded", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", fails(signal.FailureRefusal, "no")), plays("c", sells(1).in(20*s)).weighing(.5)},
			map[string]string{"a": "BUY", "b": "refusal", "c": "not_needed"}, s, true, signal.Degraded},
		{"one that waits for its next attempt is not needed", 1,
			[]*model{plays("a", buys(.9).in(s/100)), plays("b", buys(.9).in(s/100)), plays("c", failsForNow(signal.FailureProvider, "503"), sells(1)).weighing(.5)},
			map[string]string{"a": "BUY", "b": "BUY", "c": "not_needed"}, s / 100, true, signal.Complete},
		{"one that fails after the end and would be asked again is not needed", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", turn{after: s + s/10, deaf: true, err: &provider.Error{Kind: signal.FailureProvider, Retryable: true}}).weighing(.5)},
			map[string]string{"a": "BUY", "b": "not_needed"}, s + s/10, true, signal.Complete},
		{"an answer that comes all the same is counted", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", turn{after: s + s/10, deaf: true, answer: sells(.8).answer}).weighing(.5)},
			map[string]string{"a": "BUY", "b": "SELL"}, s + s/10, false, signal.Complete},
		{"one that never looks at its context is left behind", 1,
			[]*model{plays("a", buys(.9).in(s)), plays("b", turn{after: 20 * s, deaf: true, answer: sells(.8).answer}).weighing(.5)},
			map[string]string{"a": "BUY", "b": "not_needed"}, s + s/4, true, signal.Complete},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := over(t, orchestrator.Options{MinProviders: test.quorum, MinConfidence: new(.3)}, test.models...)
				started := time.Now()
				result := ask(t, o, question(t, decided))
				if got := time.Since(started); got != test.ends {
					t.Errorf("the run took %v, want %v", got, test.ends)
				}
				if diff := cmp.Diff(test.want, outcomesOf(result)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				if result.DecidedEarly != test.early || (result.ConfidenceRange != nil) != test.early {
					t.Errorf("decided_early %v with confidence_range %v, want %v", result.DecidedEarly, result.ConfidenceRange, test.early)
				}
				if result.Status != test.status {
					t.Errorf("status %q, want %q", result.Status, test.status)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestConfidenceRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := over(t, orchestrator.Options{}, plays("a", buys(.8)), plays("b", sells(1).in(time.Second)).weighing(.25))
		got := ask(t, o, question(t, decided)).ConfidenceRange
		// Lowest: b buys with confidence 0, (1×0.8 + 0.25×0)/1.25 = 0.64, against 0.8×0.85 = 0.68 where it is against.
		// Highest: b buys with confidence 1, (0.8 + 0.25)/1.25 = 0.84.
		if got == nil || fmt.Sprintf("%.9f", *got) != "[0.640000000 0.840000000]" {
			t.Errorf("confidence_range %v, want 0.64 to 0.84", got)
		}
	})
}

func TestDecidedNeverDiffersFromAll(t *testing.T) {
	early := 0
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "providers")
		type drawn struct {
			turns  []turn
			weight float64
		}
		var script []drawn
		for i := range n {
			label := fmt.Sprintf("%d ", i)
			d := drawn{weight: rapid.Float64Range(0, 1).Draw(rt, label+"weight")}
			for range 2 {
				d.turns = append(d.turns, anyTurn(rt, label))
			}
			script = append(script, d)
		}
		models := func() []*model {
			list := make([]*model, n)
			for i, d := range script {
				list[i] = plays(fmt.Sprintf("p%d", i), d.turns...).weighing(d.weight)
			}
			return list
		}
		change := func(r *orchestrator.Request) {
			r.MinProviders = rapid.IntRange(1, n).Draw(rt, "quorum")
			r.MinConfidence = new(rapid.SampledFrom([]float64{0, .3, .5, .7}).Draw(rt, "min_confidence"))
			r.MinAgreement = new(rapid.SampledFrom([]float64{0, 0, .5, .8}).Draw(rt, "min_agreement"))
			r.Timeout = 2*time.Second + time.Millisecond/2 // no answer comes at exactly this time
		}
		request := question(t, change)
		run := func(wait orchestrator.Wait) (result *signal.Consensus, err error) {
			r := request
			r.Wait = wait
			synctest.Test(t, func(t *testing.T) {
				result, err = over(t, orchestrator.Options{}, models()...).GenerateConsensusSignal(t.Context(), r)
				time.Sleep(time.Minute)
			})
			return result, err
		}
		all, errAll := run(orchestrator.WaitAll)
		soon, errSoon := run(orchestrator.WaitDecided)
		if errAll != nil || errSoon != nil {
			if !errors.Is(errSoon, orchestrator.ErrInsufficientResponses) || !errors.Is(errAll, orchestrator.ErrInsufficientResponses) {
				rt.Fatalf("wait: all gives %v, wait: decided %v", errAll, errSoon)
			}
			return
		}
		if soon.Decision != all.Decision || soon.RawDecision != all.RawDecision {
			rt.Fatalf("wait: all gives %s (%s), wait: decided %s (%s)", all.Decision, all.RawDecision, soon.Decision, soon.RawDecision)
		}
		if soon.TotalLatencyMS > all.TotalLatencyMS+250 { // the grace for providers that ignore their context
			rt.Fatalf("wait: decided took %v ms, wait: all %v ms", soon.TotalLatencyMS, all.TotalLatencyMS)
		}
		if soon.DecidedEarly {
			early++
			if span := soon.ConfidenceRange; all.Confidence < span[0] || all.Confidence > span[1] {
				rt.Fatalf("confidence %v of wait: all is outside %v", all.Confidence, span)
			}
		}
		for _, f := range soon.Failures {
			if f.Error == signal.FailureNotNeeded && !soon.DecidedEarly {
				rt.Fatalf("%s was not needed, but nothing was decided early", f.Provider)
			}
		}
	})
	if early == 0 {
		t.Error("no run was decided early: the property says nothing")
	}
}

// anyTurn draws an attempt. Most of them vote; some fail, panic or ignore their context.
func anyTurn(rt *rapid.T, label string) turn {
	decision := rapid.SampledFrom(append(signal.Decisions[:], signal.Buy, signal.Buy, signal.Buy)).Draw(rt, label+"decision")
	turn := votes(decision, rapid.Float64Range(0, 1).Draw(rt, label+"confidence"))
	switch rapid.IntRange(0, 9).Draw(rt, label+"fate") {
	case 0:
		turn.err = &provider.Error{Kind: signal.FailureAuthentication}
	case 1:
		// A fixed wait instead of a random one, so that both runs get the same answers.
		turn.err = &provider.Error{Kind: signal.FailureProvider, Retryable: true, RetryAfter: 100 * time.Millisecond}
	case 2:
		turn.panics = "no"
	case 3:
		turn.deaf = true
	}
	return turn.in(time.Duration(rapid.IntRange(0, 2500).Draw(rt, label+"ms")) * time.Millisecond)
}
