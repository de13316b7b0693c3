package storetest

// Counters by the hour.

import (
	"fmt"
	"testing"
	"time"

	"thalas/internal/store"
)

var counterTests = []test{
	{"sums and texts of an hour", sumsOfAnHour},
	{"hours of several days", hoursOfDays},
	{"a result and its count together", countsWithResult},
	{"nothing to count", countsNothing},
	{"expired hours", expiredHours},
	{"counted at the same time", countsTogether},
}

// one is a counter of one request. Nothing may change it.
var one = map[string]int64{"requests": 1}

func count(t *testing.T, s store.Store, c store.Count) {
	t.Helper()
	if err := s.Record(t.Context(), nil, c); err != nil {
		t.Fatalf("count: %v", err)
	}
}

func wantHours(t *testing.T, s store.Store, first, last string, want ...store.Hour) {
	t.Helper()
	eventually(t, "hours from "+first+" to "+last, func() string {
		got, err := s.Hours(t.Context(), first, last)
		return diff(want, got, err)
	})
}

func sumsOfAnHour(t *testing.T, s store.Store) {
	wide := map[string]int64{}
	for i := range 140 {
		wide[fmt.Sprintf("anthropic.latency_le_%d", i)] = int64(i)
	}
	count(t, s, store.Count{At: baseTime, Add: wide})
	count(t, s, store.Count{
		At:  baseTime.Add(time.Hour - time.Millisecond),
		Add: map[string]int64{"requests": 1, "anthropic.latency_le_7": 3, "cost_micro_usd": 1 << 40},
		Set: map[string]string{"anthropic.model": "old", "anthropic.last_error": "2026-03-02T05:59:59Z timeout"},
	})
	count(t, s, store.Count{
		At:  baseTime.In(time.FixedZone("", 9*3600)),
		Add: map[string]int64{"requests": 1, "cost_micro_usd": -5},
		Set: map[string]string{"anthropic.model": "new ☃ <&> \"quoted\""},
	})
	wide["anthropic.latency_le_7"] += 3
	wide["requests"], wide["cost_micro_usd"] = 2, 1<<40-5
	wantHours(t, s, "2026-03-02", "2026-03-02", store.Hour{
		Day: "2026-03-02", Hour: "05", Counts: wide,
		Texts: map[string]string{"anthropic.model": "new ☃ <&> \"quoted\"", "anthropic.last_error": "2026-03-02T05:59:59Z timeout"},
	})
}

func hoursOfDays(t *testing.T, s store.Store) {
	hour := func(day, hour string) store.Hour { return store.Hour{Day: day, Hour: hour, Counts: one} }
	for _, at := range []string{
		"2026-03-03T00:00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T09:30:00Z", "2026-03-01T10:00:00Z", "2026-03-02T23:59:59.999Z", "2026-03-01T00:00:00Z",
	} {
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		count(t, s, store.Count{At: parsed, Add: one})
	}
	wantHours(t, s, "2026-03-01", "2026-03-02",
		hour("2026-03-01", "00"), hour("2026-03-01", "09"), hour("2026-03-01", "10"), hour("2026-03-02", "23"))
	wantHours(t, s, "2026-02-01", "2026-02-28", hour("2026-02-28", "23"))
	wantHours(t, s, "2026-03-03", "2026-04-15", hour("2026-03-03", "00"))
	wantHours(t, s, "2026-03-04", "2026-03-04")
	wantHours(t, s, "2026-03-02", "2026-03-01")
}

func countsWithResult(t *testing.T, s store.Store) {
	r := Sample(series, baseTime, baseTime)
	for range 2 { // the run was paid for twice, even if its result has the same id
		if err := s.Record(t.Context(), r, store.Count{At: baseTime, Add: one}); err != nil {
			t.Fatal(err)
		}
	}
	wantHours(t, s, "2026-03-02", "2026-03-02", store.Hour{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 2}})
	wantList(t, "series", seriesOf(s, series), store.Range{}, ids(r))
}

func countsNothing(t *testing.T, s store.Store) {
	count(t, s, store.Count{})
	count(t, s, store.Count{At: baseTime})
	wantHours(t, s, "2026-03-01", "2026-03-31")
}

func expiredHours(t *testing.T, s store.Store) {
	past, future := time.Now().Add(-time.Minute).Truncate(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	count(t, s, store.Count{At: baseTime, Add: one, ExpiresAt: past})
	count(t, s, store.Count{At: baseTime.Add(time.Hour), Add: one, ExpiresAt: future})
	count(t, s, store.Count{At: baseTime.Add(2 * time.Hour), Add: one})
	wantHours(t, s, "2026-03-02", "2026-03-02",
		store.Hour{Day: "2026-03-02", Hour: "06", Counts: one}, store.Hour{Day: "2026-03-02", Hour: "07", Counts: one})
}

func countsTogether(t *testing.T, s store.Store) {
	const goroutines, each = 24, 3
	atOnce(goroutines, func(i int) {
		for range each {
			err := s.Record(t.Context(), Sample(series, baseTime, baseTime), store.Count{
				At: baseTime.Add(time.Duration(i%2) * time.Hour), Add: map[string]int64{"requests": 1, "tokens": int64(i)},
			})
			if err != nil {
				t.Errorf("record: %v", err)
			}
		}
	})
	hour := func(name string, tokens int64) store.Hour {
		return store.Hour{Day: "2026-03-02", Hour: name, Counts: map[string]int64{"requests": goroutines * each / 2, "tokens": tokens}}
	}
	// The even numbers below 24, and the odd ones.
	wantHours(t, s, "2026-03-02", "2026-03-02", hour("05", 132*each), hour("06", 144*each))
	eventually(t, "results", func() string {
		got, err := seriesOf(s, series).read(t.Context(), store.Range{Limit: 50})
		return diff(goroutines*each, len(got), err)
	})
}
