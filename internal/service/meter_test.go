package service_test

// The calls of Meter.

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// notebook is a Meter that remembers its calls.
type notebook struct{ lines []string }

func (n *notebook) Decided(c *signal.Consensus, stored bool) {
	n.lines = append(n.lines, fmt.Sprintf("%s of %d votes, stored %v", c.Decision, len(c.Responses), stored))
}

func (n *notebook) Undecided(run string, _ []signal.Vote, failures []signal.Failure, _, costUSD float64) {
	n.lines = append(n.lines, fmt.Sprintf("no decision, begun %v, %d failures, $%g", run != "", len(failures), costUSD))
}

func (n *notebook) Settled(settled, directional, hits int, netReturn float64) {
	n.lines = append(n.lines, fmt.Sprintf("%d settled, %d of %d right, %+.4f", settled, hits, directional, netReturn))
}

func (n *notebook) OverBudget() { n.lines = append(n.lines, "over budget") }

func TestMeterIsToldOfEachRun(t *testing.T) {
	a, n := &voter{name: "a", cost: 0.5, worst: 1}, &notebook{}
	keys := error(nil)
	s := newService(t, service.Options{Meter: n, RequestBudgetUSD: 5, DailyBudgetUSD: 5, Prepare: func(context.Context) error { return keys }}, a)
	ask(t, s, keyed("key"))
	ask(t, s, keyed("key")) // replayed: no run
	s.store.fail(nil, errDown)
	ask(t, s, question())
	s.store.fail(nil, nil)
	a.err = &provider.Error{Kind: signal.FailureProvider, Message: "a is down"}
	refused := func() {
		t.Helper()
		if _, err := s.Ask(t.Context(), question()); err == nil {
			t.Fatal("answered")
		}
	}
	refused()
	keys = errors.New("planted: no keys")
	refused()
	keys, a.worst = nil, 10 // over the budget: nobody would have been asked
	refused()
	a.worst = 5 // over what is left of the day's
	refused()
	want := []string{
		"BUY of 1 votes, stored true",
		"BUY of 1 votes, stored false",
		"no decision, begun true, 1 failures, $0",
		"no decision, begun false, 0 failures, $0",
		"over budget",
	}
	if diff := cmp.Diff(want, n.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
