package service_test

// A slow store, an unknown cost and midnight must not have a question paid for twice, must
// not let a caller hang, and must not lose a part of the budget.

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// slow is a store whose calls take a while.
type slow struct {
	*faulty
	claim, complete, reserve time.Duration
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slow) Claim(ctx context.Context, key string, claim store.Claim) (*store.Claim, error) {
	if err := pause(ctx, s.claim); err != nil {
		return nil, err
	}
	return s.faulty.Claim(ctx, key, claim)
}

func (s *slow) Complete(ctx context.Context, key, owner, result string) error {
	if err := pause(ctx, s.complete); err != nil {
		return err
	}
	return s.faulty.Complete(ctx, key, owner, result)
}

func (s *slow) Release(ctx context.Context, key, owner string) error {
	if err := pause(ctx, s.complete); err != nil {
		return err
	}
	return s.faulty.Release(ctx, key, owner)
}

func (s *slow) Reserve(ctx context.Context, lease store.Lease, limit int64) (store.Sum, error) {
	if err := pause(ctx, s.reserve); err != nil {
		return store.Sum{}, err
	}
	return s.faulty.Reserve(ctx, lease, limit)
}

// A question whose answer is stored is not paid for again if completing its claim was slow.
func TestIdempotencyKeyWithASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: time.Second}
		s := newService(t, service.Options{}, a)
		defer s.store.Close()
		s.Store = &slow{faulty: s.store, complete: 3 * time.Second}
		first := ask(t, s, keyed("key"))
		time.Sleep(time.Minute)
		again := ask(t, s, keyed("key"))
		if a.asked.Load() != 1 || again.Consensus.ID != first.Consensus.ID {
			t.Errorf("asked %d times, replayed %v", a.asked.Load(), again.Replayed)
		}
	})
}

// A function that still completes its claim at its deadline is stopped, and its answer is
// lost.
func TestAnswersComeBeforeTheDeadlineWithASlowStore(t *testing.T) {
	for name, failed := range map[string]error{
		"completed": nil,
		"released":  &provider.Error{Kind: signal.FailureProvider, Message: "a is down"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, service.Options{}, &voter{name: "a", after: time.Second, err: failed})
				defer s.store.Close()
				s.Store = &slow{faulty: s.store, complete: 4 * time.Second}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				answer, err := s.Ask(ctx, keyed("key"))
				if ctx.Err() != nil {
					t.Errorf("the deadline passed before the answer: %v, %v", answer.Consensus, err)
				}
				if (failed == nil) != (err == nil) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// uncounted is a store that keeps a result and fails all the same, as tables do
// whose counters are throttled.
type uncounted struct{ *faulty }

func (u *uncounted) Record(ctx context.Context, r *store.Result, c store.Count) error {
	return errors.Join(u.faulty.Record(ctx, r, c), errDown)
}

// What is stored is not paid again because its count was lost.
func TestAnswersThatAreStoredButNotCounted(t *testing.T) {
	a := &voter{name: "a"}
	s := newService(t, service.Options{}, a)
	s.Store = &uncounted{s.store}
	for _, answer := range []func() (service.Answer, error){
		func() (service.Answer, error) { return s.Ask(t.Context(), keyed("key")) },
		func() (service.Answer, error) {
			return s.AskOnce(t.Context(), "occasion", func(context.Context) (orchestrator.Request, error) { return question().Request, nil })
		},
	} {
		a.asked.Store(0)
		first, err := answer()
		if err != nil || first.Body != nil || first.Replayed {
			t.Fatalf("first %+v, %v", first, err)
		}
		again, err := answer()
		if err != nil || a.asked.Load() != 1 || !again.Replayed || again.Consensus.ID != first.Consensus.ID {
			t.Errorf("asked %d times, then %+v, %v", a.asked.Load(), again, err)
		}
	}
}

// dying is a store of a process that is killed before it completes a claim.
type dying struct{ *faulty }

func (dying) Complete(context.Context, string, string, string) error { return errDown }

// unreadable is a store whose results can't be read.
type unreadable struct{ *faulty }

func (unreadable) Result(context.Context, string) (store.Result, error) {
	return store.Result{}, errDown
}

// A process that is killed between storing an answer and noting it for its key
// leaves the key to the next one, which finds the answer.
func TestAnswersOfKilledProcessesAreFound(t *testing.T) {
	occasion := func(s fixture) (service.Answer, error) {
		return s.AskOnce(t.Context(), "occasion", func(context.Context) (orchestrator.Request, error) { return question().Request, nil })
	}
	for name, asking := range map[string]func(fixture) (service.Answer, error){
		"key":      func(s fixture) (service.Answer, error) { return s.Ask(t.Context(), keyed("key")) },
		"occasion": occasion,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a"}
				s := newService(t, service.Options{}, a)
				defer s.store.Close()
				s.Store = dying{s.store}
				first, err := asking(s)
				if err != nil {
					t.Fatal(err)
				}
				s.Store = s.store
				if _, err := asking(s); !errors.Is(err, service.ErrInFlight) {
					t.Errorf("at once: %v", err)
				}
				time.Sleep(2 * time.Minute)
				s.Store = unreadable{s.store}
				if _, err := asking(s); !errors.Is(err, service.ErrStore) {
					t.Errorf("where results can't be read: %v", err)
				}
				s.Store = s.store
				for range 2 {
					again, err := asking(s)
					if err != nil || !again.Replayed || again.Consensus.ID != first.Consensus.ID || a.asked.Load() != 1 {
						t.Fatalf("asked %d times, %+v, %v", a.asked.Load(), again, err)
					}
				}
				other := keyed("key")
				other.Payload = "another"
				if _, err := s.Ask(t.Context(), other); name == "key" && !errors.Is(err, service.ErrOtherBody) {
					t.Errorf("with another body: %v", err)
				}
			})
		})
	}
}

// A disk that is full shows only in writing.
func TestHealthTellsThatNothingCanBeStored(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"})
	for _, test := range []struct {
		write  error
		status service.HealthStatus
		store  string
	}{{errDown, service.Degraded, "unreachable"}, {nil, service.Healthy, "ok"}} {
		s.store.fail(nil, test.write)
		ask(t, s, question())
		if h := s.Health(t.Context(), false); h.Status != test.status || h.Store != test.store {
			t.Errorf("after a write that gave %v: %s, store %s", test.write, h.Status, h.Store)
		}
	}
}

func TestIdempotencyKeyWithAHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{}, &voter{name: "a"})
		defer s.store.Close()
		s.Store = &slow{faulty: s.store, claim: time.Hour}
		begun := time.Now()
		if _, err := s.Ask(t.Context(), keyed("key")); !errors.Is(err, service.ErrStore) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("answered after %s", took)
		}
	})
}

// A call that timed out was sent, and may be billed without anybody telling how
// much: the budget counts its worst case.
func TestDailyBudgetCountsWhatTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * time.Hour) // from midnight
		a := &voter{name: "a", after: 20 * time.Second, cost: 0.05, worst: 0.05}
		s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
		defer s.store.Close()
		q := question()
		q.Timeout = 2 * time.Second
		for range 50 {
			if _, err := s.Ask(t.Context(), q); errors.Is(err, service.ErrDailyBudget) {
				break
			}
		}
		if asked := a.asked.Load(); asked != 2 {
			t.Errorf("%d calls of up to $0.05 were sent within a budget of $0.10", asked)
		}
	})
}

// A run that began yesterday must not give today's share back what it never took.
func TestBlindShareOverMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(24*time.Hour - 500*time.Millisecond)
		a := &voter{name: "a", after: 2 * time.Second, cost: 0.05, worst: 0.05}
		s := newService(t, service.Options{DailyBudgetUSD: 1}, a) // a twentieth is 0.05
		defer s.store.Close()
		s.store.fail(errDown, nil)
		yesterday := question()
		yesterday.Timeout = time.Second
		go func() { _, _ = s.Ask(t.Context(), yesterday) }()
		time.Sleep(600 * time.Millisecond)
		answered := 0
		for range 5 {
			if _, err := s.Ask(t.Context(), question()); err == nil {
				answered++
			}
			time.Sleep(5 * time.Second)
		}
		if answered != 1 {
			t.Errorf("%d runs of $0.05 were made out of a share of $0.05", answered)
		}
	})
}

// A provider whose wait ends between the reservation and the run is asked too: its
// cost has to be in the worst case.
func TestRequestBudgetCountsWhoComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cheap, dear := &voter{name: "a", cost: 0.01, worst: 0.01}, &voter{name: "b", cost: 0.5, worst: 0.5}
		s := newService(t, service.Options{RequestBudgetUSD: 0.1, DailyBudgetUSD: 1}, cheap)
		defer s.store.Close()
		breaker := provider.NewBreaker()
		permit, _ := breaker.Acquire(true)
		permit.Record(&provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: 10 * time.Second})
		if err := s.Registry.Register(provider.Entry{Provider: dear, Breaker: breaker}); err != nil {
			t.Fatal(err)
		}
		s.Store = &slow{faulty: s.store, reserve: 5 * time.Millisecond}
		time.Sleep(10*time.Second - time.Millisecond)
		if _, err := s.Ask(t.Context(), question()); !errors.Is(err, service.ErrRequestBudget) {
			t.Errorf("got %v", err)
		}
		if dear.asked.Load() != 0 {
			t.Error("a call over the request's budget was made")
		}
	})
}
