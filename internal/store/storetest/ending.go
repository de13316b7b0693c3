package storetest

// Contexts that have ended, and stores that have.

import (
	"context"
	"errors"
	"testing"
	"time"

	"thalas/internal/store"
)

var endingTests = []test{
	{"a context that has ended", endedContext},
	{"after Close", afterClose},
}

// everything calls each method once.
func everything(ctx context.Context, s store.Store, r *store.Result) map[string]error {
	all := map[string]error{
		"Record":   s.Record(ctx, r, store.Count{At: opening, Add: map[string]int64{"requests": 1}}),
		"Count":    s.Record(ctx, nil, store.Count{At: opening, Add: map[string]int64{"requests": 1}}),
		"Complete": s.Complete(ctx, key, "first", "x"),
		"Release":  s.Release(ctx, key, "first"),
	}
	_, all["Add"] = s.Add(ctx, []*store.Result{r})
	_, all["Claim"] = s.Claim(ctx, "idem#new", claimOf("second"))
	all["Settle"] = s.Settle(ctx, leaseOf(1), 1)
	_, all["Reserve"] = s.Reserve(ctx, leaseOf(1), 0)
	_, all["Spending"] = s.Spending(ctx, budget)
	_, all["Result"] = s.Result(ctx, r.ID)
	_, all["Latest"] = s.Latest(ctx, series)
	_, all["Series"] = s.Series(ctx, series, store.Range{Limit: 1})
	_, all["Day"] = s.Day(ctx, "2026-03-02", store.Range{Limit: 1})
	_, all["Hours"] = s.Hours(ctx, "2026-03-02", "2026-03-02")
	return all
}

func endedContext(t *testing.T, s store.Store) {
	take(t, s, key, claimOf("first"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	r := sample(series, opening, opening)
	for _, test := range []struct {
		ctx  context.Context
		want error
	}{{cancelled, context.Canceled}, {late, context.DeadlineExceeded}} {
		for name, err := range everything(test.ctx, s, r) {
			if !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
	}

	// None of it has happened.
	if _, err := s.Result(t.Context(), r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the result: %v, want ErrNotFound", err)
	}
	wantHours(t, s, "2026-03-02", "2026-03-02")
	wantHeld(t, s, key, claimOf("first"))
	take(t, s, "idem#new", claimOf("third"))
	wantSpending(t, s, store.Sum{})
}

func afterClose(t *testing.T, s store.Store) {
	r := sample(series, opening, opening)
	record(t, s, r)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for name, err := range everything(t.Context(), s, r) {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNotOwner) {
			t.Errorf("%s: %v, want an error that says that the store is closed", name, err)
		}
	}
	_ = s.Close() // does no harm
}
