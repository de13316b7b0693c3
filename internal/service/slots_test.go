package service_test

// Concurrent runs are bounded, and shared fairly between callers.

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/service"
)

// crowd asks in one bubble and counts how it ends.
type crowd struct {
	s       fixture
	asking  sync.WaitGroup
	mu      sync.Mutex
	refused map[string]int // how often, by caller; guarded by mu
}

func (c *crowd) ask(ctx context.Context, caller string, times int) {
	for range times {
		c.asking.Go(func() {
			q := question()
			q.Caller = caller
			if _, err := c.s.Ask(ctx, q); err != nil {
				c.mu.Lock()
				c.refused[caller]++
				c.mu.Unlock()
			}
		})
	}
	synctest.Wait() // all of them have a slot, wait for one, or are refused
}

func (c *crowd) refusedTo(caller string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[caller]
}

func TestRunsAreSharedFairly(t *testing.T) {
	const run = 10 * time.Second
	for name, test := range map[string]struct {
		most, callers int
		play          func(t *testing.T, c *crowd, a *voter)
	}{
		"a second key is served at once while the first asks for everything": {16, 2, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "one", 100)
			if n := a.asked.Load(); n != 15 || c.refusedTo("one") != 85 {
				t.Errorf("the first runs %d and is refused %d times, want 15 and 85", n, c.refusedTo("one"))
			}
			c.ask(t.Context(), "two", 1)
			if n := a.asked.Load(); n != 16 {
				t.Error("the second is not served at once")
			}
		}},
		"one key alone has all but what is kept": {256, 2, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "one", 256)
			if n := a.asked.Load(); n != 240 {
				t.Errorf("it runs %d, want 240", n)
			}
			c.ask(t.Context(), "two", 20)
			if n := a.asked.Load(); n != 256 {
				t.Errorf("%d run, want 256", n)
			}
		}},
		"without keys one caller has everything and nobody waits": {4, 0, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "local", 6)
			if n := a.asked.Load(); n != 4 || c.refusedTo("local") != 2 {
				t.Errorf("it runs %d and is refused %d times, want 4 and 2", n, c.refusedTo("local"))
			}
		}},
		"who holds less gets the next slot, who has its share is refused": {2, 0, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "one", 1)
			time.Sleep(run - time.Second)
			c.ask(t.Context(), "one", 1)
			c.ask(t.Context(), "schedule", 1)
			c.ask(t.Context(), "one", 1)
			if c.refusedTo("one") != 1 || c.refusedTo("schedule") != 0 {
				t.Errorf("the first caller was refused %d times, the schedule %d, want 1 and 0", c.refusedTo("one"), c.refusedTo("schedule"))
			}
			time.Sleep(time.Second + time.Millisecond) // the first run ends
			synctest.Wait()
			if n := a.asked.Load(); n != 3 || c.refusedTo("schedule") != 0 {
				t.Errorf("%d were asked: the slot did not go to who waited", n)
			}
		}},
		"the wait is bounded": {1, 0, func(t *testing.T, c *crowd, _ *voter) {
			c.ask(t.Context(), "one", 1)
			begun := time.Now()
			q := question()
			q.Caller = "two"
			if _, err := c.s.Ask(t.Context(), q); !errors.Is(err, service.ErrBusy) || time.Since(begun) != 2*time.Second {
				t.Errorf("after %s: %v", time.Since(begun), err)
			}
		}},
		"no more wait than their share": {4, 0, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "one", 4)
			c.ask(t.Context(), "two", 100)
			if c.refusedTo("two") != 98 {
				t.Errorf("%d are refused at once, want 98", c.refusedTo("two"))
			}
		}},
		"who goes away while waiting asks nobody": {1, 0, func(t *testing.T, c *crowd, a *voter) {
			c.ask(t.Context(), "one", 1)
			ctx, leave := context.WithCancel(t.Context())
			c.ask(ctx, "two", 1)
			leave()
			c.asking.Wait()
			if n := a.asked.Load(); n != 1 {
				t.Errorf("%d were asked", n)
			}
		}},
		"everything is free again at the end": {16, 3, func(t *testing.T, c *crowd, a *voter) {
			for _, caller := range []string{"one", "two", "three"} {
				c.ask(t.Context(), caller, 40)
			}
			c.asking.Wait()
			a.asked.Store(0)
			c.ask(t.Context(), "two", 40)
			if n := a.asked.Load(); n != 14 {
				t.Errorf("%d run, want 14", n)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a", after: run}
				s := newService(t, service.Options{MaxConcurrentRuns: test.most, Callers: test.callers}, a)
				c := &crowd{s: s, refused: map[string]int{}}
				defer s.store.Close()
				test.play(t, c, a)
				c.asking.Wait()
			})
		})
	}
}

// An answer that is replayed needs no slot. A run that gets no slot leaves its key free.
func TestReplaysNeedNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: 10 * time.Second}
		s := newService(t, service.Options{MaxConcurrentRuns: 1}, a)
		defer s.store.Close()
		first := ask(t, s, keyed("answered"))
		var asking sync.WaitGroup
		asking.Go(func() { ask(t, s, question()) })
		synctest.Wait()
		if again := ask(t, s, keyed("answered")); !again.Replayed || again.Consensus.ID != first.Consensus.ID {
			t.Errorf("under full load: %+v", again)
		}
		if _, err := s.Ask(t.Context(), keyed("new")); !errors.Is(err, service.ErrBusy) {
			t.Errorf("a run under full load: %v", err)
		}
		asking.Wait()
		if answer := ask(t, s, keyed("new")); answer.Replayed {
			t.Error("a refused run has an answer")
		}
	})
}
