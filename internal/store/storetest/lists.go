package storetest

// Lists: series, days and the latest of a series.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"thalas/internal/store"
)

var listTests = []test{
	{"the latest is of the highest candle, then id", latest},
	{"the latest leaves out what lies in the future", latestOfNow},
	{"empty lists", emptyLists},
	{"any range, page and cursor", anyPage},
	{"pages while results are recorded", pagesWhileRecording},
	{"series do not mix", seriesDoNotMix},
	{"days do not mix", daysDoNotMix},
}

func latest(t *testing.T, s store.Store) {
	old := Sample(series, baseTime.Add(-5*time.Minute), baseTime)
	current := Sample(series, baseTime, baseTime.Add(time.Minute))
	late := Sample(series, baseTime.Add(-5*time.Minute), baseTime.Add(2*time.Minute))
	again := Sample(series, baseTime, baseTime.Add(3*time.Minute))
	elder := Sample(series, baseTime, baseTime.Add(30*time.Second))
	for _, step := range []struct {
		name   string
		record *store.Result
		want   *store.Result
	}{
		{"the first", old, old},
		{"the next candle", current, current},
		{"a late answer about the candle before", late, current},
		{"a second answer about this candle", again, again},
		{"a lower id about this candle", elder, again},
	} {
		record(t, s, step.record)
		wantLatest(t, step.name, s, step.want)
	}
	wantList(t, "the series", seriesOf(s, series), store.Range{}, ids(old, late, elder, current, again))
	wantList(t, "the day, by id", dayOf(s, old.Day), store.Range{}, ids(old, elder, current, late, again))
}

// A result of a clock that was ahead must not hide the results after it.
func latestOfNow(t *testing.T, s store.Store) {
	now := time.Now().Truncate(time.Second).UTC()
	sound := Sample(series, now.Add(-10*time.Minute), now.Add(-5*time.Minute))
	within := Sample(otherSeries, now.Add(30*time.Second), now.Add(30*time.Second))
	ahead := []*store.Result{
		Sample(series, now.Add(2*time.Hour), now.Add(2*time.Hour)),
		Sample(series, now.Add(-5*time.Minute), now.Add(2*time.Hour)), // only CreatedAt is ahead
		Sample(series, now.Add(-5*time.Minute), now.Add(10*time.Minute)),
		Sample(series, now.Add(2*time.Hour), now.Add(-4*time.Minute)), // only the candle is ahead
	}
	record(t, s, ahead...)
	for i := range 40 { // more than a store reads at once
		record(t, s, Sample(series, now.Add(-4*time.Minute), now.Add(time.Duration(100+i)*24*time.Hour)))
	}
	if got, err := s.Latest(t.Context(), series); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing but the future: %s, %v; want ErrNotFound", got.Position, err)
	}
	record(t, s, sound, within)
	wantLatest(t, "the one of the present", s, sound)
	wantLatest(t, "one less than a minute ahead", s, within)
}

func emptyLists(t *testing.T, s store.Store) {
	record(t, s, Sample(series, baseTime, baseTime))
	for name, list := range map[string]listing{
		"series": seriesOf(s, otherSeries), "day": dayOf(s, "2026-03-03"), "no name": seriesOf(s, ""),
		"a long name": seriesOf(s, strings.Repeat("x", 100_000)), "part of a name": seriesOf(s, series[:3]), "part of a day": dayOf(s, "2026-03"),
	} {
		got, err := list(t.Context(), store.Range{Limit: 10})
		if d := diff(store.Page{}, got, err); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func pagesWhileRecording(t *testing.T, s store.Store) {
	results := samples(series, 20)
	record(t, s, results...)
	for name, list := range map[string]listing{"series": seriesOf(s, series), "day": dayOf(s, "2026-03-02")} {
		want := ids(results...)
		wantList(t, name+" before", list, store.Range{}, want)
		var got []string
		r := store.Range{Limit: 3}
		for more := true; more; more = r.Before != "" {
			page, err := list(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range page.Results {
				got = append(got, result.ID)
			}
			r.Before = page.Next
			newer := Sample(series, baseTime.Add(time.Hour), baseTime.Add(time.Hour))
			record(t, s, newer)
			results = append(results, newer)
		}
		if d := diff(want, got, nil); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// anyPage compares pages with those of a model, which sorts and filters all results. A series
// is ordered and selected by candle, a day by id and CreatedAt. The results have few times,
// so that many of them have the same and many bounds fall on one. Among them are late
// answers, one about a candle that has not opened, and questions about candles of years ago,
// as a backtest asks them. Some were recorded twice, and some have expired.
func anyPage(t *testing.T, s store.Store) {
	const millisecond, day = time.Millisecond, 24 * time.Hour
	random := rand.New(rand.NewPCG(1, 2))
	times := []time.Time{
		baseTime.Add(-6 * 365 * day), baseTime.Add(-3 * day), baseTime.Add(-time.Hour), baseTime.Add(-time.Second), baseTime.Add(-millisecond), baseTime,
		baseTime.Add(millisecond), baseTime.Add(2 * millisecond), baseTime.Add(999 * millisecond), baseTime.Add(time.Second), baseTime.Add(1001 * millisecond), baseTime.Add(3 * day),
	}
	anyOf := func(times []time.Time) time.Time { return times[random.IntN(len(times))] }
	candle := func() time.Time { return anyOf(times).Truncate(time.Second) }
	seriesNames := []string{series, otherSeries}
	var all []*store.Result
	for i := range 60 {
		r := Sample(seriesNames[random.IntN(2)], candle(), anyOf(times[2:11])) // most of one day
		r.CreatedAt = r.CreatedAt.Add(time.Duration(random.IntN(3)) * millisecond)
		if i%3 > 0 {
			r.ExpiresAt = time.Now().Truncate(time.Second).Add(time.Duration(2*(i%3)-3) * time.Hour)
		}
		record(t, s, r)
		if i%4 == 0 {
			r.Series, r.Position = seriesNames[random.IntN(2)], store.PositionKey(candle(), r.ID)
			record(t, s, r)
		}
		all = append(all, r)
	}
	bounds := append([]time.Time{
		baseTime.In(time.FixedZone("", -5*3600)), baseTime.Add(millisecond).In(time.FixedZone("", 9*3600)),
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}, times...)
	bound := func() (at time.Time) {
		if random.IntN(3) > 0 {
			at = anyOf(bounds)
		}
		return at
	}
	candleOf := func(r *store.Result) time.Time {
		opened, _, _ := strings.Cut(r.Position, "#")
		at, err := time.Parse(time.RFC3339, opened)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for range 120 {
		name := seriesNames[random.IntN(2)]
		list, listOf, orderOf, timeOf := seriesOf(s, name), func(r *store.Result) string { return r.Series }, func(r *store.Result) string { return r.Position }, candleOf
		if random.IntN(2) == 0 {
			name = all[0].Day
			list, listOf = dayOf(s, name), func(r *store.Result) string { return r.Day }
			orderOf, timeOf = func(r *store.Result) string { return r.ID }, func(r *store.Result) time.Time { return r.CreatedAt }
		}
		r := store.Range{From: bound(), To: bound(), Limit: []int{1, 2, 3, 5, 500}[random.IntN(5)]}
		switch random.IntN(3) { // a cursor says where to go on, whether or not something stands there
		case 0:
			r.Before = orderOf(all[random.IntN(len(all))])
		case 1:
			r.Before = orderOf(Sample(series, candle(), anyOf(times)))
		}
		var want store.Page
		for _, result := range slices.SortedFunc(slices.Values(all), func(a, b *store.Result) int { return strings.Compare(orderOf(b), orderOf(a)) }) {
			at := timeOf(result)
			switch {
			case listOf(result) != name, !result.ExpiresAt.IsZero() && result.ExpiresAt.Before(time.Now()),
				!r.From.IsZero() && at.Before(r.From), !r.To.IsZero() && !at.Before(r.To), r.Before != "" && orderOf(result) >= r.Before:
			case len(want.Results) < r.Limit:
				want.Results = append(want.Results, *result)
			default:
				want.Next = orderOf(&want.Results[r.Limit-1])
			}
		}
		eventually(t, fmt.Sprintf("%s, %+v", name, r), func() string {
			got, err := list(t.Context(), r)
			return diff(want, got, err)
		})
	}
}

func seriesDoNotMix(t *testing.T, s store.Store) {
	names := []string{
		series, series + "#", series + "#5m", "simulated#" + series, "real#simulated#" + series, "BTC/USDT", "B", "btc/usdt#5m", "BTC/USDT#5M",
		"BTC/USDT\x00#5m", "BTC/USDT\x00", "\x00", "\x00\x00", "\x7f", "ÿ", "\U0010ffff", "Will it rain? 雨 ☔#1d", " ", "  ",
		"2026-03-02T05:00:00Z", strings.Repeat("€", 300) + "#5m", strings.Repeat("\U0001F600", 300) + "#5m", strings.Repeat("\U0001F600", 299) + "#5m",
	}
	all := map[string][]*store.Result{}
	for _, name := range names {
		all[name] = samples(name, 2)
		record(t, s, all[name]...)
	}
	for name, results := range all {
		wantList(t, fmt.Sprintf("series %q", name), seriesOf(s, name), store.Range{Limit: 1}, ids(results...))
		wantLatest(t, fmt.Sprintf("latest of %q", name), s, results[1])
	}
}

func daysDoNotMix(t *testing.T, s store.Store) {
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	last := Sample(series, midnight.Add(-time.Minute), midnight.Add(-time.Millisecond))
	first := Sample(otherSeries, midnight.Add(-time.Minute), midnight)
	simulated := Sample("simulated#"+series, midnight.Add(-time.Minute), midnight)
	simulated.Day = store.DayKey(midnight, true)
	record(t, s, last, first, simulated)
	for day, want := range map[string][]string{
		"2026-03-02": ids(last), "2026-03-03": ids(first), "simulated#2026-03-03": ids(simulated), "simulated#2026-03-02": nil, "2026-03-04": nil,
	} {
		wantList(t, day, dayOf(s, day), store.Range{}, want)
	}
}
