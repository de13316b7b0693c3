package service_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// spending reads the day's sum.
func spending(t *testing.T, s fixture, at time.Time) store.Sum {
	t.Helper()
	sum, err := s.store.Store.Spending(t.Context(), "budget#"+at.UTC().Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestDailyBudgetHoldsAgainstRunsAtOnce(t *testing.T) {
	a := &voter{name: "a", after: time.Millisecond, cost: 0.004, worst: 0.01}
	s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
	now := time.Now()
	var mu sync.Mutex
	var answered, refused int
	var runs sync.WaitGroup
	for range 200 {
		runs.Go(func() {
			_, err := s.Ask(t.Context(), question())
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				answered++
			case errors.Is(err, service.ErrDailyBudget):
				refused++
			default:
				t.Errorf("ask: %v", err)
			}
		})
	}
	runs.Wait()
	if time.Now().UTC().Day() != now.UTC().Day() {
		t.Skip("midnight fell into the test")
	}
	if answered+refused != 200 || answered < 10 || answered > 25 {
		t.Errorf("%d answered, %d refused", answered, refused)
	}
	if got, want := spending(t, s, now), (store.Sum{Spent: int64(answered) * 4000}); got != want || got.Spent > 100_000 {
		t.Errorf("the day's sum is %+v, want %+v, at most 100000", got, want)
	}
}

// The reservations of runs under way are mostly given back within seconds: a bot must not
// be told to wait until midnight.
func TestDailyBudgetThatIsOnlyReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: 2 * time.Second, cost: 0.01, worst: 0.05}
		s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
		defer s.store.Close()
		var runs sync.WaitGroup
		for range 2 {
			runs.Go(func() { ask(t, s, question()) })
		}
		time.Sleep(time.Second)
		_, err := s.Ask(t.Context(), question())
		var refused *service.Error
		if !errors.Is(err, service.ErrDailyBudget) || !errors.As(err, &refused) || refused.RetryAfter > 10*time.Second {
			t.Fatalf("got %+v", err)
		}
		runs.Wait()
		time.Sleep(refused.RetryAfter)
		ask(t, s, question())
	})
}

func TestDailyBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * time.Hour) // from midnight
		a := &voter{name: "a", cost: 0.03, worst: 0.05}
		s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
		defer s.store.Close()
		for i, low := range []bool{false, false, true} {
			if i == 2 { // 0.06 are spent: another 0.05 might be too much
				a.worst = 0.04
			}
			answer := ask(t, s, question())
			if got := slices.Contains(codes(answer.Consensus), signal.WarnBudgetLow); got != low {
				t.Errorf("run %d: budget_low is %v", i, got)
			}
		}
		_, err := s.Ask(t.Context(), question())
		var refused *service.Error
		if !errors.Is(err, service.ErrDailyBudget) || !errors.As(err, &refused) {
			t.Fatalf("got %v", err)
		}
		if refused.RetryAfter != 14*time.Hour || !strings.Contains(refused.Message, "$0.1 ") || !strings.Contains(refused.Message, "$0.09 ") {
			t.Errorf("retry after %s: %s", refused.RetryAfter, refused.Message)
		}
		time.Sleep(refused.RetryAfter)
		ask(t, s, question())
	})
}

func TestDailyBudgetSettlesFailedRuns(t *testing.T) {
	usd := 0.02
	a := &voter{name: "a", worst: 0.05, err: &provider.Error{Kind: signal.FailureTruncated, Message: "cut", Usage: provider.Usage{Known: true, CostUSD: &usd}}}
	s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
	now := time.Now()
	if _, err := s.Ask(t.Context(), question()); err == nil {
		t.Fatal("a truncated answer was a decision")
	}
	if got := spending(t, s, now); got != (store.Sum{Spent: 20_000}) && time.Now().UTC().Day() == now.UTC().Day() {
		t.Errorf("the day's sum is %+v, want 20000 spent", got)
	}
}

func TestDailyBudgetWithoutTheStore(t *testing.T) {
	a := &voter{name: "a", cost: 0.01, worst: 0.02}
	s := newService(t, service.Options{DailyBudgetUSD: 1}, a) // a twentieth is 0.05
	s.store.fail(errDown, nil)
	for range 4 { // 0.04 are spent, and the next may cost 0.02
		ask(t, s, question())
	}
	var refused *service.Error
	if _, err := s.Ask(t.Context(), question()); !errors.Is(err, service.ErrNoBudget) || !errors.As(err, &refused) || refused.RetryAfter <= 0 {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(refused.Message, "planted") {
		t.Errorf("the cause is in the message: %s", refused.Message)
	}
	s.store.fail(nil, nil)
	ask(t, s, question())
}

func TestRequestBudget(t *testing.T) {
	a := &voter{name: "a", cost: 0.01, worst: 0.02}
	s := newService(t, service.Options{RequestBudgetUSD: 0.02}, a)
	ask(t, s, question())
	a.worst = 0.020001
	_, err := s.Ask(t.Context(), question())
	var refused *service.Error
	if !errors.Is(err, service.ErrRequestBudget) || !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(refused.Message, "$0.020001") || !strings.Contains(refused.Message, "$0.02 ") {
		t.Errorf("not both figures: %s", refused.Message)
	}
	if a.asked.Load() != 1 {
		t.Error("the refused request was asked")
	}
}
