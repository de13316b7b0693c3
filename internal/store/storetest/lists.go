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
	{"ranges of a day by CreatedAt, to the millisecond", rangesOfDays},
	{"ranges of a series by candle", rangesOfSeries},
	{"ranges find late and early answers", rangesOfLateAnswers},
	{"ranges, pages and cursors together", rangesInPages},
	{"cursors", cursors},
	{"limits", limits},
	{"series do not mix", seriesDoNotMix},
	{"days do not mix", daysDoNotMix},
}

func latest(t *testing.T, s store.Store) {
	old := sample(series, opening.Add(-5*time.Minute), opening)
	current := sample(series, opening, opening.Add(time.Minute))
	late := sample(series, opening.Add(-5*time.Minute), opening.Add(2*time.Minute))
	again := sample(series, opening, opening.Add(3*time.Minute))
	elder := sample(series, opening, opening.Add(30*time.Second))
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
		eventually(t, step.name, func() string {
			got, err := s.Latest(t.Context(), series)
			return diff(*step.want, got, err)
		})
	}
	wantList(t, "the series", seriesOf(s, series), store.Range{}, ids(old, late, elder, current, again))
	wantList(t, "the day, by id", dayOf(s, old.Day), store.Range{}, ids(old, elder, current, late, again))
}

// A clock that was ahead for one run must not hide what is made after it.
func latestOfNow(t *testing.T, s store.Store) {
	now := time.Now().Truncate(time.Second).UTC()
	sound := sample(series, now.Add(-10*time.Minute), now.Add(-5*time.Minute))
	within := sample(otherSeries, now.Add(30*time.Second), now.Add(30*time.Second))
	hours := []*store.Result{
		sample(series, now.Add(2*time.Hour), now.Add(2*time.Hour)),
		sample(series, now.Add(-5*time.Minute), now.Add(2*time.Hour)), // of candles that were sound
		sample(series, now.Add(-5*time.Minute), now.Add(10*time.Minute)),
		sample(series, now.Add(2*time.Hour), now.Add(-4*time.Minute)), // of candles that were ahead
	}
	record(t, s, hours...)
	for i := range 40 { // more than one step of a walk
		record(t, s, sample(series, now.Add(-4*time.Minute), now.Add(time.Duration(100+i)*24*time.Hour)))
	}
	if got, err := s.Latest(t.Context(), series); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing but the future: %s, %v; want ErrNotFound", got.Position, err)
	}
	record(t, s, sound, within)
	for name, want := range map[string]*store.Result{series: sound, otherSeries: within} {
		eventually(t, "latest of "+name, func() string {
			got, err := s.Latest(t.Context(), name)
			return diff(*want, got, err)
		})
	}
}

func emptyLists(t *testing.T, s store.Store) {
	record(t, s, sample(series, opening, opening))
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
			newer := sample(series, opening.Add(time.Hour), opening.Add(time.Hour))
			record(t, s, newer)
			results = append(results, newer)
		}
		if d := diff(want, got, nil); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func rangesOfDays(t *testing.T, s store.Store) {
	const ms = time.Millisecond
	at := opening.Add(10 * time.Minute)
	var results []*store.Result
	for _, created := range []time.Time{at.Add(-time.Second), at.Add(-ms), at, at.Add(ms), at.Add(time.Second)} {
		results = append(results, sample(series, at.Add(-5*time.Minute), created))
	}
	record(t, s, results...)
	for _, test := range append(boundsOfTime(at, results),
		rangeTest{"from, a millisecond before", at.Add(-ms), time.Time{}, results[1:]},
		rangeTest{"from, a millisecond after", at.Add(ms), time.Time{}, results[3:]},
		rangeTest{"to", time.Time{}, at, results[:2]},
		rangeTest{"to, a millisecond after", time.Time{}, at.Add(ms), results[:3]},
		rangeTest{"to, a millisecond before", time.Time{}, at.Add(-ms), results[:1]},
	) {
		wantList(t, test.name, dayOf(s, "2026-03-02"), store.Range{From: test.from, To: test.to}, ids(test.want...))
	}
}

// rangesOfSeries has answers in another order than their candles.
func rangesOfSeries(t *testing.T, s store.Store) {
	const ms = time.Millisecond
	at := opening.Add(10 * time.Minute)
	var results []*store.Result
	for i, candle := range []time.Time{at.Add(-2 * time.Second), at.Add(-time.Second), at, at.Add(time.Second), at.Add(2 * time.Second)} {
		results = append(results, sample(series, candle, at.Add(-time.Duration(i)*time.Hour)))
	}
	record(t, s, results...)
	for _, test := range append(boundsOfTime(at, results),
		rangeTest{"from, a millisecond before", at.Add(-ms), time.Time{}, results[2:]},
		rangeTest{"from, a millisecond after", at.Add(ms), time.Time{}, results[3:]},
		rangeTest{"to", time.Time{}, at, results[:2]},
		rangeTest{"to, a millisecond after", time.Time{}, at.Add(ms), results[:3]},
		rangeTest{"to, a millisecond before", time.Time{}, at.Add(-ms), results[:2]},
		rangeTest{"before the first year", time.Time{}, time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), nil},
	) {
		wantList(t, test.name, seriesOf(s, series), store.Range{From: test.from, To: test.to}, ids(test.want...))
	}
}

type rangeTest struct {
	name     string
	from, to time.Time
	want     []*store.Result
}

// boundsOfTime are ranges of a list of five results, the third of which is of that time.
func boundsOfTime(at time.Time, results []*store.Result) []rangeTest {
	const ms = time.Millisecond
	return []rangeTest{
		{"all", time.Time{}, time.Time{}, results},
		{"from", at, time.Time{}, results[2:]},
		{"one millisecond", at, at.Add(ms), results[2:3]},
		{"nothing between equal bounds", at, at, nil},
		{"nothing between swapped bounds", at.Add(ms), at.Add(-ms), nil},
		{"in another zone", at.In(time.FixedZone("", -5*3600)), at.Add(ms).In(time.FixedZone("", 9*3600)), results[2:3]},
		{"long ago", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), nil},
		{"all of time", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), results},
	}
}

// A late answer, and one about a candle that has not opened, are in the day that they
// were made in, and in a series where their candles are.
func rangesOfLateAnswers(t *testing.T, s store.Store) {
	results := samples(series, 10)
	late := sample(series, opening.Add(-72*time.Hour), opening.Add(5*time.Minute))
	early := sample(series, opening.Add(72*time.Hour), opening.Add(5*time.Minute))
	record(t, s, results...)
	record(t, s, late, early)
	minute := func(from time.Duration) store.Range {
		return store.Range{From: opening.Add(from), To: opening.Add(from + time.Minute)}
	}
	wantList(t, "day", dayOf(s, late.Day), minute(5*time.Minute), ids(results[5], late, early))
	wantList(t, "series", seriesOf(s, series), minute(4*time.Minute), ids(results[5]))
	wantList(t, "series, the late one", seriesOf(s, series), minute(-72*time.Hour), ids(late))
	wantList(t, "series, the early one", seriesOf(s, series), minute(72*time.Hour), ids(early))

	// Questions about candles of years ago, as a backtest asks them.
	var ancient []*store.Result
	for i := range 4 {
		ancient = append(ancient, sample(series, opening.AddDate(-6, 0, i), opening.Add(time.Duration(i)*2*time.Minute)))
	}
	record(t, s, ancient...)
	for limit := 1; limit <= 4; limit++ {
		r := store.Range{From: opening.Add(3 * time.Minute), To: opening.Add(6 * time.Minute), Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, in the middle", limit), seriesOf(s, series), r, ids(results[4:7]...))
		r = store.Range{From: opening.Add(8 * time.Minute), Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, at the end", limit), seriesOf(s, series), r, ids(results[9], early))
		r = store.Range{To: opening, Limit: limit}
		wantList(t, fmt.Sprintf("series by %d, at the beginning", limit), seriesOf(s, series), r, ids(append(ancient, late, results[0])...))
		r = store.Range{From: opening.AddDate(-6, 0, 1), To: opening.AddDate(-6, 0, 3), Limit: limit}
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

func cursors(t *testing.T, s store.Store) {
	results := samples(series, 3)
	record(t, s, results...)
	id, position := results[1].ID, results[1].Position
	for name, cursor := range map[string]string{
		"not one": "2", "capitals": strings.ToUpper(id), "more behind": id + "#", "a prefix": id[:10], "NUL": "\x00", "a space": " " + id,
		"no UUIDv7": "5d2c5ad8-5f8e-4d4e-9b4e-3a2f6f0a1b2c", "a position without id": "2026-03-02T05:00:00Z#", "another zone": "2026-03-02T05:00:00+00:00#" + id,
	} {
		for kind, list := range map[string]listing{"series": seriesOf(s, series), "day": dayOf(s, "2026-03-02"), "an empty series": seriesOf(s, otherSeries)} {
			if _, err := list(t.Context(), store.Range{Before: cursor, Limit: 1}); !errors.Is(err, store.ErrCursor) {
				t.Errorf("%s, %s: %v, want ErrCursor", kind, name, err)
			}
		}
	}
	if _, err := s.Series(t.Context(), series, store.Range{Before: id, Limit: 1}); !errors.Is(err, store.ErrCursor) {
		t.Errorf("a series by a day's cursor: %v, want ErrCursor", err)
	}
	if _, err := s.Day(t.Context(), "2026-03-02", store.Range{Before: position, Limit: 1}); !errors.Is(err, store.ErrCursor) {
		t.Errorf("a day by a series' cursor: %v, want ErrCursor", err)
	}
	// A cursor says where to go on, whether or not something stands there.
	unknown := store.PositionKey(opening.Add(30*time.Second), newID(opening))
	wantList(t, "series behind a result that is not there", seriesOf(s, series), store.Range{Before: unknown}, ids(results[:2]...))
	wantList(t, "series behind its end", seriesOf(s, series), store.Range{Before: results[0].Position}, nil)
	wantList(t, "day behind an id of long ago", dayOf(s, "2026-03-02"), store.Range{Before: newID(opening.Add(-time.Hour))}, nil)
}

func limits(t *testing.T, s store.Store) {
	record(t, s, samples(series, 2)...)
	for _, limit := range []int{0, -1} {
		for kind, list := range map[string]listing{"series": seriesOf(s, series), "day": dayOf(s, "2026-03-02")} {
			if page, err := list(t.Context(), store.Range{Limit: limit}); err == nil {
				t.Errorf("%s by %d: got %d results, want an error", kind, limit, len(page.Results))
			}
		}
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
		all[name] = samples(name, 3)
		record(t, s, all[name]...)
	}
	for name, results := range all {
		wantList(t, fmt.Sprintf("series %q", name), seriesOf(s, name), store.Range{Limit: 2}, ids(results...))
		eventually(t, fmt.Sprintf("latest of %q", name), func() string {
			got, err := s.Latest(t.Context(), name)
			return diff(*results[2], got, err)
		})
	}
}

func daysDoNotMix(t *testing.T, s store.Store) {
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	last := sample(series, midnight.Add(-time.Minute), midnight.Add(-time.Millisecond))
	first := sample(otherSeries, midnight.Add(-time.Minute), midnight)
	simulated := sample("simulated#"+series, midnight.Add(-time.Minute), midnight)
	simulated.Day = store.DayKey(midnight, true)
	record(t, s, last, first, simulated)
	for day, want := range map[string][]string{
		"2026-03-02": ids(last), "2026-03-03": ids(first), "simulated#2026-03-03": ids(simulated), "simulated#2026-03-02": nil, "2026-03-04": nil,
	} {
		wantList(t, day, dayOf(s, day), store.Range{}, want)
	}
}
