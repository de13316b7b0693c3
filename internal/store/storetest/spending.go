package storetest

// Sums with a limit, and leases.

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/store"
)

var spendTests = []test{
	{"up to the limit", reserveToLimit},
	{"settled", settled},
	{"leases that ended", endedLeases},
	{"leases that end together", leasesThatEndTogether},
	{"many leases that ended", manyEndedLeases},
	{"expired", spendExpired},
	{"keys that are alike", similarSpendKeys},
	{"reserved at once", reserveAtOnce},
	{"reserved and settled at once", settleAtOnce},
	{"every cost is counted once", costsAddUp},
}

const budget = "budget#SECRET"

func leaseOf(amount int64) store.Lease {
	return store.Lease{Key: budget, Amount: amount, Until: fromStart(time.Hour), ExpiresAt: fromStart(2 * time.Hour)}
}

// endsIn gives the same lease with another Until.
func endsIn(in time.Duration, l store.Lease) store.Lease { l.Until = fromStart(in); return l }

func reserve(t *testing.T, s store.Store, l store.Lease, limit int64, want store.Sum, wantErr error) {
	t.Helper()
	got, err := s.Reserve(t.Context(), l, limit)
	if got != want || !errors.Is(err, wantErr) || (err != nil) != (wantErr != nil) {
		t.Errorf("reserve %d of %d: %+v, %v; want %+v, %v", l.Amount, limit, got, err, want, wantErr)
	}
}

// reserveAny reserves a lease whose sum is not compared: a store may still count a lease
// that has ended already.
func reserveAny(t *testing.T, s store.Store, l store.Lease, limit int64) {
	t.Helper()
	if _, err := s.Reserve(t.Context(), l, limit); err != nil {
		t.Fatal(err)
	}
}

func settle(t *testing.T, s store.Store, l store.Lease, cost int64) {
	t.Helper()
	if err := s.Settle(t.Context(), l, cost); err != nil {
		t.Errorf("settle %d by %d: %v", l.Amount, cost, err)
	}
}

func wantSpending(t *testing.T, s store.Store, want store.Sum) {
	t.Helper()
	if got, err := s.Spending(t.Context(), budget); got != want || err != nil {
		t.Errorf("spending: %+v, %v; want %+v", got, err, want)
	}
}

func reserveToLimit(t *testing.T, s store.Store) {
	wantSpending(t, s, store.Sum{})
	for _, step := range []struct {
		amount, limit, want int64
		err                 error
	}{
		{101, 100, 0, store.ErrLimit},
		{60, 100, 60, nil},
		{41, 100, 60, store.ErrLimit},
		{40, 100, 100, nil},
		{1, 100, 100, store.ErrLimit},
		{0, 100, 100, nil},
		{1000, 0, 1100, nil}, // without a limit
		{0, 100, 1100, store.ErrLimit},
	} {
		reserve(t, s, leaseOf(step.amount), step.limit, store.Sum{Reserved: step.want}, step.err)
		wantSpending(t, s, store.Sum{Reserved: step.want})
	}
}

func settled(t *testing.T, s store.Store) {
	reserve(t, s, leaseOf(60), 100, store.Sum{Reserved: 60}, nil)
	reserve(t, s, leaseOf(40), 100, store.Sum{Reserved: 100}, nil)
	settle(t, s, leaseOf(60), 25)
	wantSpending(t, s, store.Sum{Spent: 25, Reserved: 40})
	reserve(t, s, leaseOf(36), 100, store.Sum{Spent: 25, Reserved: 40}, store.ErrLimit)
	settle(t, s, leaseOf(40), 0) // no provider was asked
	wantSpending(t, s, store.Sum{Spent: 25})
	reserve(t, s, leaseOf(75), 100, store.Sum{Spent: 25, Reserved: 75}, nil)
	settle(t, s, leaseOf(75), 90) // more than was reserved, and over the limit
	wantSpending(t, s, store.Sum{Spent: 115})
	settle(t, s, leaseOf(0), 7) // without a lease
	wantSpending(t, s, store.Sum{Spent: 122})
	reserve(t, s, leaseOf(0), 100, store.Sum{Spent: 122}, store.ErrLimit)
}

// A killed process settles nothing, so its lease frees the amount when it ends. A process
// that is only late still adds its cost.
func endedLeases(t *testing.T, s store.Store) {
	dead, late := endsIn(-2*time.Second, leaseOf(50)), endsIn(-time.Second, leaseOf(40))
	for _, l := range []store.Lease{dead, late} {
		reserveAny(t, s, l, 100)
	}
	wantSpending(t, s, store.Sum{})
	reserve(t, s, leaseOf(70), 100, store.Sum{Reserved: 70}, nil)
	settle(t, s, late, 11)
	wantSpending(t, s, store.Sum{Spent: 11, Reserved: 70})
	reserve(t, s, leaseOf(20), 100, store.Sum{Spent: 11, Reserved: 70}, store.ErrLimit)
	settle(t, s, leaseOf(70), 5)
	wantSpending(t, s, store.Sum{Spent: 16})

	unseen := endsIn(-time.Second, leaseOf(30)) // settled before another reservation needs its amount
	reserveAny(t, s, unseen, 100)
	settle(t, s, unseen, 4)
	wantSpending(t, s, store.Sum{Spent: 20})
	settle(t, s, endsIn(3*time.Hour, leaseOf(30)), 1) // never reserved
	wantSpending(t, s, store.Sum{Spent: 21})
}

func leasesThatEndTogether(t *testing.T, s store.Store) {
	first, second := leaseOf(10), leaseOf(20)
	second.Until = first.Until.Add(999 * time.Millisecond) // in the same second
	other := endsIn(3*time.Hour, leaseOf(30))
	reserve(t, s, first, 100, store.Sum{Reserved: 10}, nil)
	reserve(t, s, second, 100, store.Sum{Reserved: 30}, nil)
	reserve(t, s, other, 100, store.Sum{Reserved: 60}, nil)
	settle(t, s, second, 2)
	wantSpending(t, s, store.Sum{Spent: 2, Reserved: 40})
	settle(t, s, first, 1)
	wantSpending(t, s, store.Sum{Spent: 3, Reserved: 30})
	settle(t, s, first, 1) // nothing is reserved there any more
	wantSpending(t, s, store.Sum{Spent: 4, Reserved: 30})
}

func manyEndedLeases(t *testing.T, s store.Store) {
	for i := range 20 { // more than a record may have
		reserveAny(t, s, endsIn(-time.Duration(i+1)*time.Second, leaseOf(5)), 100)
		wantSpending(t, s, store.Sum{})
	}
	reserve(t, s, leaseOf(100), 100, store.Sum{Reserved: 100}, nil)
}

func spendExpired(t *testing.T, s store.Store) {
	spend := func(amount int64, want store.Sum, expires time.Time) {
		t.Helper()
		l := leaseOf(amount)
		l.ExpiresAt = expires
		reserve(t, s, l, 100, want, nil)
		settle(t, s, l, amount-1)
	}
	spend(70, store.Sum{Reserved: 70}, fromStart(-time.Minute))
	wantSpending(t, s, store.Sum{})
	spend(60, store.Sum{Reserved: 60}, fromStart(2*time.Hour)) // the expired sum counts no more
	spend(10, store.Sum{Spent: 59, Reserved: 10}, time.Time{})
	gone := leaseOf(10)
	gone.ExpiresAt = fromStart(-time.Minute)
	settle(t, s, gone, 3)
	wantSpending(t, s, store.Sum{})
	settle(t, s, leaseOf(10), 4) // its lease has expired with the sum
	wantSpending(t, s, store.Sum{Spent: 4})
	gone.Key = "budget#other"
	reserve(t, s, gone, 100, store.Sum{Reserved: 10}, nil)
	gone.Amount = 101
	reserve(t, s, gone, 100, store.Sum{}, store.ErrLimit)
}

func similarSpendKeys(t *testing.T, s store.Store) {
	at := func(key string, amount int64) store.Lease { l := leaseOf(amount); l.Key = key; return l }
	for i, key := range []string{budget, budget + "#", "budget#", "budget#\x00"} {
		reserve(t, s, at(key, int64(i+1)), 10, store.Sum{Reserved: int64(i + 1)}, nil)
	}
	wantSpending(t, s, store.Sum{Reserved: 1})
}

func reserveAtOnce(t *testing.T, s store.Store) {
	const limit, amount = 200, 7
	reserveAny(t, s, endsIn(-time.Second, leaseOf(100)), limit) // of a killed process
	var granted atomic.Int64
	atOnce(40, func(int) {
		got, err := s.Reserve(t.Context(), leaseOf(amount), limit)
		switch {
		case got.Reserved > limit || got.Reserved%amount != 0 || got.Spent != 0:
			t.Errorf("a sum of %+v", got)
		case err == nil:
			granted.Add(1)
		case !errors.Is(err, store.ErrLimit):
			t.Errorf("reserve: %v", err)
		}
	})
	if granted.Load() != limit/amount {
		t.Errorf("%d reservations of %d were granted, want %d", granted.Load(), amount, limit/amount)
	}
	wantSpending(t, s, store.Sum{Reserved: granted.Load() * amount})
}

// settleAtOnce reserves more than it settles, as runs do.
func settleAtOnce(t *testing.T, s store.Store) {
	const limit, reserved, used = 100, 20, 3
	var granted atomic.Int64
	atOnce(32, func(i int) {
		l := endsIn(time.Duration(1+i%3)*time.Hour, leaseOf(reserved))
		got, err := s.Reserve(t.Context(), l, limit)
		if got.Spent+got.Reserved > limit {
			t.Errorf("a sum of %+v, over the limit of %d", got, limit)
		}
		if err == nil {
			granted.Add(1)
			settle(t, s, l, used)
		} else if !errors.Is(err, store.ErrLimit) {
			t.Errorf("reserve: %v", err)
		}
	})
	wantSpending(t, s, store.Sum{Spent: granted.Load() * used})
}

// costsAddUp reserves and settles at random: on time, late or never.
func costsAddUp(t *testing.T, s store.Store) {
	random := rand.New(rand.NewPCG(1, 2))
	var want store.Sum
	var open []store.Lease
	for range 100 {
		switch random.IntN(3) {
		case 0, 1:
			l := endsIn(time.Duration(random.IntN(6)-2)*time.Hour, leaseOf(random.Int64N(50)))
			got, err := s.Reserve(t.Context(), l, 1000)
			if errors.Is(err, store.ErrLimit) {
				if got != want || want.Spent+want.Reserved+l.Amount <= 1000 {
					t.Fatalf("%d was refused at %+v, want %+v", l.Amount, got, want)
				}
				continue
			}
			if err != nil {
				t.Fatalf("reserve %d: %v", l.Amount, err)
			}
			if open = append(open, l); l.Until.After(started) {
				want.Reserved += l.Amount
			}
		case 2:
			if len(open) == 0 {
				continue
			}
			i := random.IntN(len(open))
			l, cost := open[i], random.Int64N(20)
			open = append(open[:i], open[i+1:]...)
			settle(t, s, l, cost)
			if want.Spent += cost; l.Until.After(started) {
				want.Reserved -= l.Amount
			}
		}
		wantSpending(t, s, want)
	}
}
