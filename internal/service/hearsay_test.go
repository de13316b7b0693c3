package service_test

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// counted are notes that count writes.
type counted struct {
	notes
	writes int
	takes  time.Duration // a write
}

func (c *counted) Replace(ctx context.Context, key, old string, n store.Note) (store.Note, error) {
	time.Sleep(c.takes)
	current, err := c.notes.Replace(ctx, key, old, n)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return current, err
}

// leftOut gives the reasons why a process leaves providers out.
func leftOut(t *testing.T, s fixture) map[string]signal.LeftOutReason {
	out := map[string]signal.LeftOutReason{}
	for _, p := range s.Health(t.Context(), false).Providers {
		if p.LeftOut != nil {
			out[p.Name] = p.LeftOut.Reason
		}
	}
	return out
}

func TestProcessesTellEachOtherOfProviders(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  provider.Error
		want signal.LeftOutReason
	}{
		{"a refused key", provider.Error{Kind: signal.FailureAuthentication, Message: "a refused the key"}, signal.LeftOutKeyRefused},
		{"no credit", provider.Error{Kind: signal.FailureRateLimit, Message: "a has no credit"}, signal.LeftOutNoCredit},
		{"a wait", provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: 40 * time.Second}, signal.LeftOutAskedToWait},
		{"a refusal of one question", provider.Error{Kind: signal.FailureRefusal}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, n := &voter{name: "a", err: &tt.err}, &counted{}
				first := newService(t, service.Options{Notes: n}, a, &voter{name: "b"})
				defer first.store.Close()
				second := serviceOver(t, service.Options{Notes: n}, first.store, &voter{name: "a"}, &voter{name: "b"})
				want := map[string]signal.LeftOutReason{}
				if tt.want != "" {
					want["a"] = tt.want
				}
				ask(t, second, question())
				ask(t, first, question())
				time.Sleep(5 * time.Second)
				if got := leftOut(t, second); !maps.Equal(got, want) {
					t.Errorf("the other process leaves out %v, want %v", got, want)
				}
				for range 10 { // nothing is new
					ask(t, first, question())
					ask(t, second, question())
				}
				if n.writes != len(want) {
					t.Errorf("%d writes, want %d", n.writes, len(want))
				}
				reads := n.reads
				for range 10 {
					ask(t, second, question())
				}
				if n.reads != reads {
					t.Error("read more often than every 5 s")
				}
				time.Sleep(time.Minute) // the second process tries the provider, which works for it
				ask(t, second, question())
				time.Sleep(5 * time.Second)
				if got := leftOut(t, first); tt.want != signal.LeftOutNoCredit && len(got) != 0 {
					t.Errorf("after a success in the other process %v are left out", got)
				}
			})
		})
	}
}

// Two processes write at the same moment. The second finds what the first has written, and
// neither's news is lost.
func TestTwoProcessesTellAtTheSameMoment(t *testing.T) {
	refused := &provider.Error{Kind: signal.FailureAuthentication, Message: "the key is refused"}
	for name, tt := range map[string]struct {
		second []*voter
		want   map[string]signal.LeftOutReason
		writes int // one of them is refused
	}{
		"of two providers": {
			[]*voter{{name: "a"}, {name: "b", err: refused}, {name: "c"}},
			map[string]signal.LeftOutReason{"a": signal.LeftOutKeyRefused, "b": signal.LeftOutKeyRefused}, 3,
		},
		"of one provider, the same": {
			[]*voter{{name: "a", err: refused}, {name: "b"}, {name: "c"}},
			map[string]signal.LeftOutReason{"a": signal.LeftOutKeyRefused}, 2,
		},
		"of one provider, not the same": {
			[]*voter{{name: "a", err: &provider.Error{Kind: signal.FailureRateLimit, Message: "a has no credit"}}, {name: "b"}, {name: "c"}},
			map[string]signal.LeftOutReason{"a": ""}, 3, // what was written last
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &counted{takes: 100 * time.Millisecond}
				s := newService(t, service.Options{}).store
				defer s.Close()
				process := func(voters ...*voter) fixture { return serviceOver(t, service.Options{Notes: n}, s, voters...) }
				first, second := process(&voter{name: "a", err: refused}, &voter{name: "b"}, &voter{name: "c"}), process(tt.second...)
				late := process(&voter{name: "a"}, &voter{name: "b"}, &voter{name: "c"})
				for i, o := range askAtOnce(t, []fixture{first, second}, same(2, nil)...) {
					if o.err != nil {
						t.Errorf("question %d: %v", i, o.err)
					}
				}
				time.Sleep(5 * time.Second)
				for i, process := range []fixture{first, second, late} {
					got := leftOut(t, process)
					if !maps.EqualFunc(got, tt.want, func(got, want signal.LeftOutReason) bool { return got == want || want == "" }) {
						t.Errorf("process %d leaves out %v, want %v", i, got, tt.want)
					}
				}
				if n.writes != tt.writes {
					t.Errorf("%d writes, want %d", n.writes, tt.writes)
				}
			})
		})
	}
}

// Two processes learn the opposite of a provider at the same moment: each believes its own
// calls. Within five seconds both know what was written last.
func TestOwnCallsAreBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &counted{takes: 100 * time.Millisecond}
		s := newService(t, service.Options{}).store
		defer s.Close()
		refused := &voter{name: "a", err: &provider.Error{Kind: signal.FailureAuthentication, Message: "the key is refused"}}
		first, second := serviceOver(t, service.Options{Notes: n}, s, refused, &voter{name: "b"}), serviceOver(t, service.Options{Notes: n}, s, &voter{name: "a"}, &voter{name: "b"})
		ask(t, first, question())
		if got := leftOut(t, second); len(got) != 1 {
			t.Errorf("the second process leaves out %v", got)
		}
		time.Sleep(31 * time.Second) // both may try it again
		askAtOnce(t, []fixture{first, second}, same(2, nil)...)
		if one, other := leftOut(t, first), leftOut(t, second); len(one) != 1 || len(other) != 0 {
			t.Errorf("the one whose key is refused leaves out %v, the other %v", one, other)
		}
		time.Sleep(5 * time.Second)
		if one, other := leftOut(t, first), leftOut(t, second); !maps.Equal(one, other) {
			t.Errorf("five seconds later they leave out %v and %v", one, other)
		}
	})
}

// A note that is lost costs another process one call in vain, and no decision. That one tells
// it then.
func TestALostNoteCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &counted{}
		process := func(s *faulty) (fixture, *voter) {
			a := &voter{name: "a", err: &provider.Error{Kind: signal.FailureAuthentication, Message: "the key is refused"}}
			return serviceOver(t, service.Options{Notes: n}, s, a, &voter{name: "b"}), a
		}
		s := newService(t, service.Options{}).store
		defer s.Close()
		first, _ := process(s)
		n.down = true // the note of its first run is lost
		ask(t, first, question())
		n.down = false
		second, a := process(s)
		for range 3 {
			if c := ask(t, second, question()).Consensus; len(c.Responses) != 1 || c.Decision != signal.Buy {
				t.Errorf("the decision is %s by %d votes", c.Decision, len(c.Responses))
			}
		}
		if n := a.asked.Load(); n != 1 {
			t.Errorf("%d calls in vain, want 1", n)
		}
		third, a := process(s)
		if got := leftOut(t, third); got["a"] != signal.LeftOutKeyRefused {
			t.Errorf("a process that begins later leaves out %v", got)
		}
		if ask(t, third, question()); a.asked.Load() != 0 {
			t.Error("it calls in vain too")
		}
	})
}

// Notes that can't be read or written cost no decision, and no time.
func TestProvidersWithoutCoordination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &counted{}
		n.down = true
		s := newService(t, service.Options{Notes: n}, &voter{name: "a", err: &provider.Error{Kind: signal.FailureAuthentication}}, &voter{name: "b", after: time.Second})
		defer s.store.Close()
		begun := time.Now()
		ask(t, s, question())
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %s", took)
		}
	})
}
