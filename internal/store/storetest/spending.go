package storetest

// Sums with a limit.

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"thalas/internal/store"
)

var spendTests = []test{
	{"up to the limit", spendToLimit},
	{"expired", spendExpired},
	{"keys", spendKeys},
	{"200 at once", spendAtOnce},
	{"spent and settled at once", settleAtOnce},
}

const budget = "budget#2026-03-02"

func spendToLimit(t *testing.T, s store.Store) {
	for _, step := range []struct {
		name          string
		amount, limit int64
		want          int64
		err           error
	}{
		{"more than the limit, at first", 101, 100, 0, store.ErrLimit},
		{"below the limit", 60, 100, 60, nil},
		{"over it", 41, 100, 60, store.ErrLimit},
		{"up to it", 40, 100, 100, nil},
		{"one more", 1, 100, 100, store.ErrLimit},
		{"nothing more", 0, 100, 100, nil},
		{"back", -30, 100, 70, nil},
		{"without a limit", 1000, 0, 1070, nil},
		{"nothing, over a lower limit", 0, 100, 1070, store.ErrLimit},
		{"back, but still over it", -1, 100, 1070, store.ErrLimit},
		{"back without a limit", -1075, 0, -5, nil},
		{"from below nothing", 105, 100, 100, nil},
		{"further than numbers go", math.MaxInt64, 200, 100, store.ErrLimit},
	} {
		got, err := s.Spend(t.Context(), budget, step.amount, step.limit, inTime(time.Hour))
		if got != step.want || !errors.Is(err, step.err) || (err != nil) != (step.err != nil) {
			t.Fatalf("%s: spend %d of %d: sum %d, %v; want %d, %v", step.name, step.amount, step.limit, got, err, step.want, step.err)
		}
	}
	if _, err := s.Spend(t.Context(), budget, math.MaxInt64, 0, inTime(time.Hour)); err == nil {
		t.Error("a sum went further than numbers go")
	}
}

func spendExpired(t *testing.T, s store.Store) {
	spend := func(amount, limit, want int64, expires time.Time) {
		t.Helper()
		if got, err := s.Spend(t.Context(), budget, amount, limit, expires); got != want || err != nil {
			t.Errorf("spend %d: sum %d, %v; want %d", amount, got, err, want)
		}
	}
	spend(70, 100, 70, inTime(-time.Minute))
	spend(60, 100, 60, inTime(time.Hour)) // what has expired counts no more
	spend(10, 100, 70, time.Time{})
	spend(10, 100, 80, inTime(-time.Minute))
	spend(5, 100, 5, time.Time{})
}

func spendKeys(t *testing.T, s store.Store) {
	for i, key := range []string{budget, budget + "#", "budget#", "budget#\x00"} {
		if got, err := s.Spend(t.Context(), key, int64(i+1), 10, inTime(time.Hour)); got != int64(i+1) || err != nil {
			t.Errorf("%q: sum %d, %v; want %d", key, got, err, i+1)
		}
	}
	for _, key := range []string{"", strings.Repeat("x", 40_000)} {
		if _, err := s.Spend(t.Context(), key, 1, 10, inTime(time.Hour)); err == nil {
			t.Errorf("spent on %.10q", key)
		}
	}
}

func spendAtOnce(t *testing.T, s store.Store) {
	const limit, amount = 1000, 7
	var (
		all       sync.WaitGroup
		mu        sync.Mutex
		succeeded int64
	)
	for range 200 {
		all.Go(func() {
			got, err := s.Spend(t.Context(), budget, amount, limit, inTime(time.Hour))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case got > limit || got%amount != 0:
				t.Errorf("a sum of %d", got)
			case err == nil:
				succeeded++
			case !errors.Is(err, store.ErrLimit):
				t.Errorf("spend: %v", err)
			}
		})
	}
	all.Wait()
	got, err := s.Spend(t.Context(), budget, 0, 0, inTime(time.Hour))
	if err != nil || got != succeeded*amount || succeeded != limit/amount {
		t.Errorf("%d spends of %d succeeded and the sum is %d, %v; want %d", succeeded, amount, got, err, limit/amount)
	}
}

// settleAtOnce reserves more than is used in the end, as runs do.
func settleAtOnce(t *testing.T, s store.Store) {
	const limit, reserved, used = 100, 20, 3
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		ran int64
	)
	for range 64 {
		all.Go(func() {
			got, err := s.Spend(t.Context(), budget, reserved, limit, inTime(time.Hour))
			if got > limit {
				t.Errorf("a sum of %d, over the limit of %d", got, limit)
			}
			if err != nil {
				if !errors.Is(err, store.ErrLimit) {
					t.Errorf("reserve: %v", err)
				}
				return
			}
			if _, err := s.Spend(t.Context(), budget, used-reserved, 0, inTime(time.Hour)); err != nil {
				t.Errorf("settle: %v", err)
			}
			mu.Lock()
			ran++
			mu.Unlock()
		})
	}
	all.Wait()
	if got, err := s.Spend(t.Context(), budget, 0, 0, inTime(time.Hour)); err != nil || got != ran*used {
		t.Errorf("%d runs of %d: the sum is %d, %v", ran, used, got, err)
	}
}
