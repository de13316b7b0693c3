package storetest

// Counters by the hour.

import (
	"fmt"
	"sync"
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
	{"names and times that are refused", refusesCounts},
	{"counted at the same time", countsTogether},
}

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
	count(t, s, store.Count{At: opening, Add: wide})
	count(t, s, store.Count{
		At:  opening.Add(time.Hour - time.Millisecond),
		Add: map[string]int64{"requests": 1, "anthropic.latency_le_7": 3, "cost_micro_usd": 1 << 40},
		Set: map[string]string{"anthropic.model": "old", "anthropic.last_error": "2026-03-02T05:59:59Z timeout"},
	})
	count(t, s, store.Count{
		At:  opening.In(time.FixedZone("", 9*3600)),
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
	one := map[string]int64{"requests": 1}
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
	wantHours(t, s, "2026-03-03", "2026-12-31", hour("2026-03-03", "00"))
	wantHours(t, s, "2026-03-04", "2026-03-04")
	wantHours(t, s, "2026-03-02", "2026-03-01")
	for _, day := range []string{"", "today", "2026-3-1", "2026-02-30", "2026-03-01T00:00:00Z"} {
		if got, err := s.Hours(t.Context(), day, "2026-03-01"); err == nil {
			t.Errorf("hours from %q: got %v, want an error", day, got)
		}
		if got, err := s.Hours(t.Context(), "2026-03-01", day); err == nil {
			t.Errorf("hours to %q: got %v, want an error", day, got)
		}
	}
}

func countsWithResult(t *testing.T, s store.Store) {
	r := sample(series, opening, opening)
	for range 2 { // the run was paid for twice, even if its result has the same id
		if err := s.Record(t.Context(), r, store.Count{At: opening, Add: map[string]int64{"requests": 1}}); err != nil {
			t.Fatal(err)
		}
	}
	wantHours(t, s, "2026-03-02", "2026-03-02", store.Hour{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 2}})
	wantList(t, "series", seriesOf(s, series), store.Range{}, ids(r))
}

func countsNothing(t *testing.T, s store.Store) {
	count(t, s, store.Count{})
	count(t, s, store.Count{At: opening})
	wantHours(t, s, "2026-03-01", "2026-03-31")
	if err := s.Record(t.Context(), nil, store.Count{Add: map[string]int64{"requests": 1}}); err == nil {
		t.Error("counted without a time")
	}
}

func expiredHours(t *testing.T, s store.Store) {
	past, future := time.Now().Add(-time.Minute).Truncate(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	one := map[string]int64{"requests": 1}
	count(t, s, store.Count{At: opening, Add: one, ExpiresAt: past})
	count(t, s, store.Count{At: opening.Add(time.Hour), Add: one, ExpiresAt: future})
	count(t, s, store.Count{At: opening.Add(2 * time.Hour), Add: one})
	wantHours(t, s, "2026-03-02", "2026-03-02",
		store.Hour{Day: "2026-03-02", Hour: "06", Counts: one}, store.Hour{Day: "2026-03-02", Hour: "07", Counts: one})
}

func countsTogether(t *testing.T, s store.Store) {
	const goroutines, each = 64, 5
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			for range each {
				err := s.Record(t.Context(), sample(series, opening, opening), store.Count{
					At: opening.Add(time.Duration(i%2) * time.Hour), Add: map[string]int64{"requests": 1, "tokens": int64(i)},
				})
				if err != nil {
					t.Errorf("record: %v", err)
				}
			}
		})
	}
	all.Wait()
	hour := func(name string, tokens int64) store.Hour {
		return store.Hour{Day: "2026-03-02", Hour: name, Counts: map[string]int64{"requests": goroutines * each / 2, "tokens": tokens}}
	}
	// The even numbers below 64, and the odd ones.
	wantHours(t, s, "2026-03-02", "2026-03-02", hour("05", 992*each), hour("06", 1024*each))
	eventually(t, "results", func() string {
		got, err := seriesOf(s, series).read(t.Context(), store.Range{Limit: 50})
		return diff(goroutines*each, len(got), err)
	})
}

func refusesCounts(t *testing.T, s store.Store) {
	for _, name := range []string{"", "day", "hour", "expires_at"} {
		if s.Record(t.Context(), nil, store.Count{At: opening, Add: map[string]int64{name: 1}}) == nil {
			t.Errorf("the counter %q would overwrite what the hour is found by", name)
		}
		if s.Record(t.Context(), nil, store.Count{At: opening, Set: map[string]string{name: "x"}}) == nil {
			t.Errorf("the text %q would overwrite what the hour is found by", name)
		}
	}
	for name, at := range map[string]time.Time{"no time": {}, "a year of five digits": opening.AddDate(9000, 0, 0)} {
		if s.Record(t.Context(), nil, store.Count{At: at, Add: map[string]int64{"requests": 1}}) == nil {
			t.Errorf("%s: counted", name)
		}
	}
	for name, days := range map[string][2]string{
		"no first day": {"", "2026-03-02"}, "no last day": {"2026-03-02", ""}, "no such day": {"2026-02-30", "2026-03-02"}, "an hour": {"2026-03-02", "2026-03-02T05"},
	} {
		if _, err := s.Hours(t.Context(), days[0], days[1]); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	wantHours(t, s, "2026-03-01", "2026-03-03")
}
