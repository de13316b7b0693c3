package storetest

// Lists: series, days and the latest of a series.

import (
	"errors"
	"fmt"
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
	{"pages", pages},
	{"pages while results are recorded", pagesWhileRecording},
	{"ranges", ranges},
	{"ranges find late and early answers", rangesOfLateAnswers},
	{"ranges, pages and cursors together", rangesInPages},
	{"cursors of results that are not stored", cursorsOfNothing},
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

func pages(t *testing.T, s store.Store) {
	results, others := samples(series, 7), samples(otherSeries, 3)
	record(t, s, results...)
	record(t, s, others...)
	day := ids(append(others, results...)...)
	slices.Sort(day)
	slices.Reverse(day)
	for _, limit := range []int{1, 2, 3, 5, 6, 7, 8, 10, 500} {
		wantList(t, fmt.Sprintf("series by %d", limit), seriesOf(s, series), store.Range{Limit: limit}, ids(results...))
		wantList(t, fmt.Sprintf("day by %d", limit), dayOf(s, "2026-03-02"), store.Range{Limit: limit}, day)
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

// ranges has results whose order by creation is the reverse of their order by candle. A
// series is selected by candle, and a day by CreatedAt.
func ranges(t *testing.T, s store.Store) {
	const ms = time.Millisecond
	var none time.Time
	at := baseTime.Add(10 * time.Minute)
	var byCandle []*store.Result
	for i := range 5 {
		byCandle = append(byCandle, Sample(series, at.Add(time.Duration(i-2)*time.Second), at.Add(time.Duration(2-i)*ms)))
	}
	byCreation := slices.Clone(byCandle)
	slices.Reverse(byCreation)
	record(t, s, byCandle...)
	for _, test := range []struct {
		name        string
		from, to    time.Time
		series, day []*store.Result
	}{
		{"all", none, none, byCandle, byCreation},
		{"from", at, none, byCandle[2:], byCreation[2:]},
		{"from a millisecond before", at.Add(-ms), none, byCandle[2:], byCreation[1:]},
		{"from a millisecond after", at.Add(ms), none, byCandle[3:], byCreation[3:]},
		{"to", none, at, byCandle[:2], byCreation[:2]},
		{"to a millisecond before", none, at.Add(-ms), byCandle[:2], byCreation[:1]},
		{"to a millisecond after", none, at.Add(ms), byCandle[:3], byCreation[:3]},
		{"one millisecond", at, at.Add(ms), byCandle[2:3], byCreation[2:3]},
		{"one millisecond in other zones", at.In(time.FixedZone("", -5*3600)), at.Add(ms).In(time.FixedZone("", 9*3600)), byCandle[2:3], byCreation[2:3]},
		{"equal bounds", at, at, nil, nil},
		{"swapped bounds", at.Add(ms), at.Add(-ms), nil, nil},
		{"long ago", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), nil, nil},
		{"before the first year", none, time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), nil, nil},
		{"all of time", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), byCandle, byCreation},
	} {
		r := store.Range{From: test.from, To: test.to}
		wantList(t, "series, "+test.name, seriesOf(s, series), r, ids(test.series...))
		wantList(t, "day, "+test.name, dayOf(s, "2026-03-02"), r, ids(test.day...))
	}
}

// A late answer, and one about a candle that has not opened, are in the day that they
// were made in, and in a series where their candles are.
func rangesOfLateAnswers(t *testing.T, s store.Store) {
	results := samples(series, 10)
	late := Sample(series, baseTime.Add(-72*time.Hour), baseTime.Add(5*time.Minute))
	early := Sample(series, baseTime.Add(72*time.Hour), baseTime.Add(5*time.Minute))
	record(t, s, results...)
	record(t, s, late, early)
	minute := func(from time.Duration) store.Range {
		return store.Range{From: baseTime.Add(from), To: baseTime.Add(from + time.Minute)}
	}
	wantList(t, "day", dayOf(s, late.Day), minute(5*time.Minute), ids(results[5], late, early))
	wantList(t, "series", seriesOf(s, series), minute(4*time.Minute), ids(results[5]))
	wantList(t, "series, the late one", seriesOf(s, series), minute(-72*time.Hour), ids(late))
	wantList(t, "series, the early one", seriesOf(s, series), minute(72*time.Hour), ids(early))

	// Questions about candles of years ago, as a backtest asks them.
	var ancient []*store.Result
	for i := range 4 {
		ancient = append(ancient, Sample(series, baseTime.AddDate(-6, 0, i), baseTime.Add(time.Duration(i)*2*time.Minute)))
	}
	record(t, s, ancient...)
	for limit := 1; limit <= 4; limit++ {
		r := store.Range{From: baseTime.Add(3 * time.Minute), To: baseTime.Add(6 * time.Minute), Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, in the middle", limit), seriesOf(s, series), r, ids(results[4:7]...))
		r = store.Range{From: baseTime.Add(8 * time.Minute), Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, at the end", limit), seriesOf(s, series), r, ids(results[9], early))
		r = store.Range{To: baseTime, Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, at the beginning", limit), seriesOf(s, series), r, ids(append(ancient, late, results[0])...))
		r = store.Range{From: baseTime.AddDate(-6, 0, 1), To: baseTime.AddDate(-6, 0, 3), Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, years ago", limit), seriesOf(s, series), r, ids(ancient[1:3]...))
		wantList(t, fmt.Sprintf("series by %d", limit), seriesOf(s, series), store.Range{Limit: limit}, ids(append(append(ancient, late), append(results, early)...)...))
	}
}

func rangesInPages(t *testing.T, s store.Store) {
	results := samples(series, 12)
	record(t, s, results...)
	candle := func(i int) time.Time { return results[i].CreatedAt.Add(-time.Minute) }
	ofSeries := store.Range{From: candle(3), To: candle(9)}
	ofDay := store.Range{From: results[3].CreatedAt, To: results[9].CreatedAt}
	for limit := 1; limit <= 8; limit++ {
		ofSeries.Limit, ofDay.Limit = limit, limit
		wantList(t, fmt.Sprintf("series by %d", limit), seriesOf(s, series), ofSeries, ids(results[3:9]...))
		wantList(t, fmt.Sprintf("day by %d", limit), dayOf(s, "2026-03-02"), ofDay, ids(results[3:9]...))
	}
	ofSeries.Before = results[6].Position
	wantList(t, "series before a position", seriesOf(s, series), ofSeries, ids(results[3:6]...))
	ofSeries.Before = results[11].Position
	wantList(t, "series before a position above the range", seriesOf(s, series), ofSeries, ids(results[3:9]...))
	ofSeries.Before = results[1].Position
	wantList(t, "series before a position below the range", seriesOf(s, series), ofSeries, nil)
	ofDay.Before = results[6].ID
	wantList(t, "day before an id", dayOf(s, "2026-03-02"), ofDay, ids(results[3:6]...))
}

func cursorsOfNothing(t *testing.T, s store.Store) {
	results := samples(series, 3)
	record(t, s, results...)
	// A cursor says where to go on, whether or not something stands there.
	unknown := store.PositionKey(baseTime.Add(30*time.Second), newID(baseTime))
	wantList(t, "series behind a result that is not there", seriesOf(s, series), store.Range{Before: unknown}, ids(results[:2]...))
	wantList(t, "series behind its end", seriesOf(s, series), store.Range{Before: results[0].Position}, nil)
	wantList(t, "day behind an id of long ago", dayOf(s, "2026-03-02"), store.Range{Before: newID(baseTime.Add(-time.Hour))}, nil)
}

func seriesDoNotMix(t *testing.T, s store.Store) {
	names := []string{
		series, series + "#", series + "#5m", "simulated#" + series, "real#simulated#" + series, "BTC/USDT", "B", "btc/usdt#5m", "BTC/USDT#5M",
		"BTC/USDT\x00#5m", "BTC/USDT\x00", "\x00", "\x00\x00", "\x7f", "ÿ", "\U0010ffff", "Will it rain? 雨 ☔#1d", " ", "  ",
		"2026-03-02T05:00:00Z", strings.Repeat("€", 300) + "#5m", strings.Repeat("\U0001F600", 300) + "#5m", strings.Repeat("\U0001F600", 299) + "#5m",
	}
	all := map[string][]*store.Result{}
	for _, name := range names {
		all[name] = samples(name, 3)
		record(t, s, all[name]...)
	}
	for name, results := range all {
		wantList(t, fmt.Sprintf("series %q", name), seriesOf(s, name), store.Range{Limit: 2}, ids(results...))
		wantLatest(t, fmt.Sprintf("latest of %q", name), s, results[2])
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
