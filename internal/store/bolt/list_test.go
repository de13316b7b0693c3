package bolt

// Tests of the lists against a model, which sorts and filters all results.

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"thalas/internal/store"
)

// Whatever results are recorded, once or again, every range, cursor and limit gives the
// same page as the model.
func TestListsMatchModel(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	run := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		run++
		names := []string{"A", "A\x00", "AB", ""}
		for i := range names {
			names[i] = uuid.NewString() + names[i] // no other run of the property has it
		}
		stored := map[string]store.Result{}
		for range rapid.IntRange(0, 12).Draw(rt, "records") {
			r := drawResult(rt, run, names)
			if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
				rt.Fatal(err)
			}
			stored[r.ID] = r
		}
		for range 4 {
			name := rapid.SampledFrom(names).Draw(rt, "list")
			r := store.Range{From: drawBound(rt, "from"), To: drawBound(rt, "to"), Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}
			orderOf, list, of, timeOf := func(r store.Result) string { return r.Position }, s.Series, func(r store.Result) string { return r.Series }, candleOf
			if rapid.Bool().Draw(rt, "day") {
				orderOf, list, of = func(r store.Result) string { return r.ID }, s.Day, func(r store.Result) string { return r.Day }
				timeOf = func(r store.Result) time.Time { return r.CreatedAt }
			}
			if len(stored) > 0 && rapid.Bool().Draw(rt, "cursor") {
				r.Before = orderOf(rapid.SampledFrom(slices.SortedFunc(maps.Values(stored), byID)).Draw(rt, "before"))
			}
			want := model(stored, func(r store.Result) bool { return of(r) == name }, orderOf, timeOf, r)
			got, err := list(t.Context(), name, r)
			if d := diff(want, got, err); d != "" {
				rt.Fatalf("%+v of %q (-want +got):\n%s", r, name, d)
			}
		}
	})
	checkConsistent(t, s)
	if run == 0 {
		t.Error("nothing was checked")
	}
}

func byID(a, b store.Result) int { return strings.Compare(a.ID, b.ID) }

// model gives the page of a list in the simplest way.
func model(all map[string]store.Result, in func(store.Result) bool, orderOf func(store.Result) string, timeOf func(store.Result) time.Time, r store.Range) (page store.Page) {
	var found []store.Result
	for _, result := range all {
		at := timeOf(result)
		if in(result) && (result.ExpiresAt.IsZero() || result.ExpiresAt.After(time.Now())) &&
			(r.From.IsZero() || !at.Before(r.From)) && (r.To.IsZero() || at.Before(r.To)) &&
			(r.Before == "" || orderOf(result) < r.Before) {
			found = append(found, result)
		}
	}
	slices.SortFunc(found, func(a, b store.Result) int { return strings.Compare(orderOf(b), orderOf(a)) })
	page.Results = found
	if len(found) > r.Limit {
		page.Results = found[:r.Limit]
		page.Next = orderOf(found[r.Limit-1])
	}
	return page
}

func candleOf(r store.Result) time.Time {
	candle, _, _ := strings.Cut(r.Position, "#")
	at, err := time.Parse(time.RFC3339, candle)
	if err != nil {
		panic(err)
	}
	return at
}

// drawResult draws from few ids and few times, so that results often have the same.
func drawResult(t *rapid.T, run uint64, names []string) store.Result {
	madeAt := anyTime.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "made")) * time.Millisecond)
	r := store.Result{
		ID: idAt(madeAt, run<<8|rapid.Uint64Range(0, 3).Draw(t, "number")), Schema: 1, Series: rapid.SampledFrom(names).Draw(t, "series"), Day: rapid.SampledFrom(names).Draw(t, "day"),
		Decision: "SELL", Status: "degraded", CreatedAt: drawTime(t, "created"), Body: []byte("{}"),
	}
	candle := drawTime(t, "candle").Truncate(time.Second)
	r.Position = store.PositionKey(candle, r.ID)
	switch rapid.IntRange(0, 3).Draw(t, "expiry") {
	case 0:
		r.ExpiresAt = time.Now().Add(-time.Hour).UTC()
	case 1:
		r.ExpiresAt = time.Now().Add(time.Hour).UTC()
	}
	return r
}

func drawTime(t *rapid.T, what string) time.Time {
	offset := rapid.SampledFrom([]time.Duration{
		0, time.Millisecond, 2 * time.Millisecond, 999 * time.Millisecond, time.Second, 1001 * time.Millisecond, 2 * time.Second,
		-time.Millisecond, -time.Second, time.Hour, -240 * time.Hour, 240 * time.Hour, -60 * 365 * 24 * time.Hour,
	}).Draw(t, what)
	return anyTime.Add(offset)
}

func drawBound(t *rapid.T, what string) time.Time {
	if rapid.Bool().Draw(t, what+" open") {
		return time.Time{}
	}
	return drawTime(t, what)
}

// Files of older programs have entries in the bucket spans, which is not used any more.
func TestSpansOfOlderFiles(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	r := sampleResult(t)
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(spansBucket).Put(append(measured(bySeriesBucket), r.Series...), pairOfTimes(1, 2))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	got, err := s.Series(t.Context(), r.Series, store.Range{From: candleOf(r), To: candleOf(r).Add(time.Second), Limit: 1})
	if d := diff(store.Page{Results: []store.Result{r}}, got, err); d != "" {
		t.Errorf("the series (-want +got):\n%s", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if checked, err := Check(t.Context(), path); err != nil || len(checked.Damage) > 0 {
		t.Errorf("the check: %v, %v; want no damage", checked.Damage, err)
	}
}
