package storetest

// What a store refuses: invalid input, calls whose context has ended, and calls after
// Close. Package store tests in detail what is invalid.

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"thalas/internal/store"
)

var refusalTests = []test{
	{"invalid input", invalidInput},
	{"a context that has ended", endedContext},
	{"after Close", afterClose},
}

// CallAll calls each method once with this result and gives the errors. Keys and outcomes
// contain SECRET, which no error may show.
func CallAll(ctx context.Context, s store.Store, r *store.Result) map[string]error {
	settled := settlement(unsettled(1)[0], 1)
	settled.Outcome = []byte(`{"note":"SECRET"}`)
	listed := *r
	listed.Unsettled = EntryOf(r)
	all := map[string]error{
		"Record":                   s.Record(ctx, r, store.Count{At: baseTime, Add: one}),
		"Record what is unsettled": s.Record(ctx, &listed, store.Count{}),
		"Count":                    s.Record(ctx, nil, store.Count{At: baseTime, Add: one}),
		"Complete":                 s.Complete(ctx, key, "first", "x"),
		"Release":                  s.Release(ctx, key, "first"),
		"Settle":                   s.Settle(ctx, leaseOf(1), 1),
		"NoteUnsettled":            s.NoteUnsettled(ctx, []store.Unsettled{settled.Unsettled}),
	}
	_, all["Add"] = s.Add(ctx, []*store.Result{r})
	_, all["Claim"] = s.Claim(ctx, "idem#SECRET#new", claimOf("second"))
	_, all["Reserve"] = s.Reserve(ctx, leaseOf(1), 0)
	_, all["Spending"] = s.Spending(ctx, budget)
	_, all["Result"] = s.Result(ctx, r.ID)
	_, all["Market"] = s.Market(ctx, r.ID)
	_, all["Latest"] = s.Latest(ctx, series)
	_, all["Series"] = s.Series(ctx, series, store.Range{Limit: 1})
	_, all["Day"] = s.Day(ctx, day, store.Range{Limit: 1})
	_, all["Hours"] = s.Hours(ctx, day, day)
	_, all["AddOutcomes"] = s.AddOutcomes(ctx, []store.Settlement{settled})
	_, all["ListUnsettled"] = s.ListUnsettled(ctx, group, time.Time{}, time.Time{})
	_, all["Sums"] = s.Sums(ctx, scores, "", day, day)
	return all
}

func invalidInput(t *testing.T, s store.Store) {
	ctx := t.Context()
	good, bad := Sample(series, baseTime, baseTime), Sample(series, baseTime, baseTime)
	bad.Position = ""
	count, badCount := store.Count{At: baseTime, Add: one}, store.Count{At: baseTime, Add: map[string]int64{store.DayName: 1}}
	noKey := leaseOf(1)
	noKey.Key = ""
	completed := claimOf("first")
	completed.Result = "x"
	errs := map[string]error{
		"Record": s.Record(ctx, bad, count), "Record with a count": s.Record(ctx, good, badCount), "Count": s.Record(ctx, nil, badCount),
		"Complete without a result": s.Complete(ctx, key, "first", ""), "Settle": s.Settle(ctx, noKey, 1), "Settle below 0": s.Settle(ctx, leaseOf(1), -1),
	}
	added, err := s.Add(ctx, []*store.Result{good, bad})
	if errs["Add"] = err; added != 0 {
		t.Errorf("Add stored %d results beside an invalid one", added)
	}
	_, errs["Claim"] = s.Claim(ctx, key, completed)
	_, errs["Reserve"] = s.Reserve(ctx, noKey, 10)
	_, errs["Hours from"] = s.Hours(ctx, "2026-02-30", day)
	_, errs["Hours to"] = s.Hours(ctx, day, day+"T05")
	_, errs["Sums from"] = s.Sums(ctx, scores, "", "2026-02-30", day)
	_, errs["Sums to"] = s.Sums(ctx, scores, "", day, "today")
	settled, unsettled := settlement(unsettled(1)[0], math.NaN()), unsettled(1)[0].Unsettled
	unsettled.Group = ""
	_, errs["AddOutcomes"] = s.AddOutcomes(ctx, []store.Settlement{settled})
	errs["NoteUnsettled"] = s.NoteUnsettled(ctx, []store.Unsettled{*unsettled})
	_, errs["Series without a limit"] = s.Series(ctx, series, store.Range{})
	_, errs["Day without a limit"] = s.Day(ctx, day, store.Range{})
	for name, err := range errs {
		if err == nil || errors.Is(err, store.ErrLimit) || errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrNotOwner) {
			t.Errorf("%s: %v, want an error that says what is invalid", name, err)
		}
	}
	for name, series := range map[string]string{"a series": series, "an empty series": otherSeries} {
		if _, err := s.Series(ctx, series, store.Range{Before: good.ID, Limit: 1}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%s by a day's cursor: %v, want ErrCursor", name, err)
		}
	}
	if _, err := s.Day(ctx, day, store.Range{Before: good.Position, Limit: 1}); !errors.Is(err, store.ErrCursor) {
		t.Errorf("a day by a series' cursor: %v, want ErrCursor", err)
	}

	// Nothing was changed.
	wantList(t, "series", seriesOf(s, series), store.Range{}, nil)
	wantHours(t, s, day, day)
	wantSpending(t, s, store.Sum{})
	take(t, s, key, claimOf("first"))
}

func endedContext(t *testing.T, s store.Store) {
	take(t, s, key, claimOf("first"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	r := Sample(series, baseTime, baseTime)
	for _, test := range []struct {
		ctx  context.Context
		want error
	}{{cancelled, context.Canceled}, {late, context.DeadlineExceeded}} {
		for name, err := range CallAll(test.ctx, s, r) {
			if !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
	}

	// Nothing was changed.
	if _, err := s.Result(t.Context(), r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the result: %v, want ErrNotFound", err)
	}
	wantHours(t, s, day, day)
	wantHeld(t, s, key, claimOf("first"))
	take(t, s, "idem#SECRET#new", claimOf("third"))
	wantSpending(t, s, store.Sum{})
}

func afterClose(t *testing.T, s store.Store) {
	r := Sample(series, baseTime, baseTime)
	record(t, s, r)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for name, err := range CallAll(t.Context(), s, r) {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNotOwner) {
			t.Errorf("%s: %v, want an error that says that the store is closed", name, err)
		}
	}
	_ = s.Close() // does no harm
}
