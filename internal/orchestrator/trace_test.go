package orchestrator_test

// What a Tracer gets: everything that begins has ended when the run returns.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// diary is a Tracer that records its calls.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// told gives the calls so far: the attempts sorted by provider, then the vote.
func (d *diary) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := slices.Clone(d.lines)
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(who(a), who(b)) })
	return lines
}

// who is the provider of a line, or the vote, which comes last.
func who(line string) string {
	name, _, _ := strings.Cut(line, " ")
	return name
}

func (d *diary) Attempt(ctx context.Context, name, _ string, attempt int) (context.Context, func(*provider.Error)) {
	d.write("%s %d begins", name, attempt)
	return ctx, func(err *provider.Error) {
		outcome := "vote"
		if err != nil {
			outcome = string(err.Kind)
		}
		d.write("%s %d ends: %s", name, attempt, outcome)
	}
}

func (d *diary) Vote(context.Context) func(signal.Decision) {
	d.write("vote begins")
	return func(decision signal.Decision) { d.write("vote ends: %s", decision) }
}

func TestTracerIsToldOfARun(t *testing.T) {
	const budget = 10 * time.Second
	deaf := turn{after: time.Minute, deaf: true, answer: buys(.9).answer}
	tests := []struct {
		name   string
		fourth []turn
		want   []string // for this provider
	}{
		{"votes", []turn{buys(.8)}, []string{"grok 1 begins", "grok 1 ends: vote"}},
		{"fails", []turn{fails(signal.FailureRefusal, "no")}, []string{"grok 1 begins", "grok 1 ends: refusal"}},
		{"votes when asked again", []turn{failsForNow(signal.FailureRateLimit, "busy"), buys(.8)},
			[]string{"grok 1 begins", "grok 1 ends: rate_limit", "grok 2 begins", "grok 2 ends: vote"}},
		{"hangs past the deadline", []turn{buys(.9).in(time.Minute)}, []string{"grok 1 begins", "grok 1 ends: timeout"}},
		{"panics", []turn{{panics: "no"}}, []string{"grok 1 begins", "grok 1 ends: provider"}},
		{"never looks at its context", []turn{deaf}, []string{"grok 1 begins", "grok 1 ends: timeout"}},
		{"never looks at its context when asked again", []turn{failsForNow(signal.FailureProvider, "busy"), deaf},
			[]string{"grok 1 begins", "grok 1 ends: provider", "grok 2 begins", "grok 2 ends: timeout"}},
		{"panics after the run", []turn{{panics: 1, after: time.Minute, deaf: true}}, []string{"grok 1 begins", "grok 1 ends: timeout"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				o := over(t, orchestrator.Options{Timeout: budget, Tracer: d}, plays("anthropic", buys(.8)), plays("grok", test.fourth...))
				ask(t, o, question(t))
				want := slices.Concat([]string{"anthropic 1 begins", "anthropic 1 ends: vote"}, test.want, []string{"vote begins", "vote ends: BUY"})
				if diff := cmp.Diff(want, d.told()); diff != "" {
					t.Errorf("told when the run returns (-want +got):\n%s", diff)
				}
				time.Sleep(2 * time.Minute) // until providers that ignore their context have returned
				if diff := cmp.Diff(want, d.told()); diff != "" {
					t.Errorf("told in the end (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTracerIsToldWhoIsNotNeeded(t *testing.T) {
	for name, late := range map[string]turn{
		"looks at its context":       buys(.1).in(time.Minute),
		"never looks at its context": {after: time.Minute, deaf: true, answer: buys(.1).answer},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				o := over(t, orchestrator.Options{Tracer: d}, plays("anthropic", buys(.9).in(time.Second)), plays("gemini", buys(.9).in(time.Second)), plays("grok", late))
				ask(t, o, question(t, func(r *orchestrator.Request) { r.Wait = orchestrator.WaitDecided }))
				want := []string{
					"anthropic 1 begins", "anthropic 1 ends: vote", "gemini 1 begins", "gemini 1 ends: vote",
					"grok 1 begins", "grok 1 ends: not_needed", "vote begins", "vote ends: BUY",
				}
				if diff := cmp.Diff(want, d.told()); diff != "" {
					t.Errorf("told when the run returns (-want +got):\n%s", diff)
				}
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

// Without a quorum there is no aggregation, but the attempts have ended.
func TestTracerIsToldOfNoVoteWithoutAQuorum(t *testing.T) {
	d := &diary{}
	o := over(t, orchestrator.Options{Tracer: d}, plays("grok", fails(signal.FailureAuthentication, "wrong key")))
	if _, err := o.GenerateConsensusSignal(t.Context(), question(t)); err == nil {
		t.Fatal("a decision without a vote")
	}
	if diff := cmp.Diff([]string{"grok 1 begins", "grok 1 ends: authentication"}, d.told()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Runs at the same time do not mix up their attempts.
func TestTracerOfConcurrentRuns(t *testing.T) {
	d := &diary{}
	o := over(t, orchestrator.Options{Tracer: d}, plays("anthropic", buys(.8)), plays("grok", fails(signal.FailureRefusal, "no")))
	const runs = 20
	var group sync.WaitGroup
	for range runs {
		group.Go(func() { ask(t, o, question(t)) })
	}
	group.Wait()
	count := map[string]int{}
	for _, line := range d.told() {
		count[line]++
	}
	want := map[string]int{
		"anthropic 1 begins": runs, "anthropic 1 ends: vote": runs, "grok 1 begins": runs, "grok 1 ends: refusal": runs,
		"vote begins": runs, "vote ends: BUY": runs,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
