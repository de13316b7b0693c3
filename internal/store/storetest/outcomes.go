package storetest

// What became of results: the list of those without a final outcome, outcomes, and sums.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/store"
)

var outcomeTests = []test{
	{"the list by position", unsettledList},
	{"settled once", settledOnce},
	{"sums by day and pair", sumsByDay},
	{"sums whose sizes differ", sumsOfAnySize},
	{"expired sums", expiredSums},
	{"settled by several at the same time, in any order", settledByAll},
	{"notes", notes},
	{"imported with an outcome", importedOutcome},
	{"recorded again", recordedUnsettledAgain},
	{"expired results", expiredUnsettled},
}

const (
	group  = "pending#5m"
	scores = "scores#5m#v1"
	day    = "2026-03-02" // of every settlement that says nothing else
)

// EntryOf gives the entry of a result in the list.
func EntryOf(r *store.Result) *store.Unsettled {
	return &store.Unsettled{ID: r.ID, Group: group, Position: r.Position, Pair: "BTC/USDT", Scores: scores}
}

// unsettled makes results of a series that are on the list, a minute apart.
func unsettled(count int) []*store.Result {
	results := samples(series, count)
	for _, r := range results {
		r.Unsettled = EntryOf(r)
	}
	return results
}

// settlement settles a result. It adds 1 to n of the consensus and of a provider, x to
// their sum, and counts each x.
func settlement(r *store.Result, x float64) store.Settlement {
	added := func() map[string]float64 {
		return map[string]float64{"n": 1, "sum": x, fmt.Sprintf("w%v", x): 1}
	}
	s := store.Settlement{
		Unsettled: *r.Unsettled, Day: day, Sums: map[string]map[string]float64{"consensus": added(), "xai#grok-4#fast": added()},
	}
	s.Outcome = fmt.Appendf(nil, `{"id":%q, "status":"settled","move":%v}`, r.ID, x)
	return s
}

// asRead gives a result as it is read when its outcome is that one.
func asRead(r *store.Result, outcome []byte) *store.Result {
	read := *r
	read.Unsettled, read.Settlement, read.Outcome = nil, nil, outcome
	return &read
}

func addOutcomes(t *testing.T, s store.Store, want int, settlements ...store.Settlement) {
	t.Helper()
	if got, err := s.AddOutcomes(t.Context(), settlements); got != want || err != nil {
		t.Errorf("added %d outcomes, %v; want %d", got, err, want)
	}
}

// wantUnsettled wants the list of a group to be these results'.
func wantUnsettled(t *testing.T, s store.Store, group string, from, to time.Time, results ...*store.Result) {
	t.Helper()
	want := make([]store.Unsettled, len(results))
	for i, r := range results {
		want[i] = *r.Unsettled
		want[i].Outcome = nil
	}
	eventually(t, "the list "+group, func() string {
		got, err := s.ListUnsettled(t.Context(), group, from, to)
		return diff(want, got, err)
	})
}

func wantSums(t *testing.T, s store.Store, scores, pair, first, last string, want map[string]float64) {
	t.Helper()
	ofVoters := map[string]map[string]float64{"consensus": want, "xai#grok-4#fast": want}
	if want == nil {
		ofVoters = nil
	}
	eventually(t, fmt.Sprintf("the sums of %s %q from %s to %s", scores, pair, first, last), func() string {
		got, err := s.Sums(t.Context(), scores, pair, first, last)
		return diff(ofVoters, got, err)
	})
}

func unsettledList(t *testing.T, s store.Store) {
	results := unsettled(5)
	hopeless, simulated := unsettled(1)[0], unsettled(1)[0]
	hopeless.Unsettled.Group, hopeless.Unsettled.Reason = "unresolved#5m", "late"
	hopeless.Unsettled.Outcome = []byte(`{"reason":"late"}`)
	simulated.Unsettled.Group = "simulated#" + group
	onNoList := Sample(series, baseTime, baseTime)
	record(t, s, results[3], hopeless, results[0], simulated, results[4], onNoList)
	if _, err := s.Add(t.Context(), []*store.Result{results[2], results[1]}); err != nil {
		t.Fatal(err)
	}
	var none time.Time
	wantUnsettled(t, s, group, none, none, results...)
	wantUnsettled(t, s, "unresolved#5m", none, none, hopeless)
	wantUnsettled(t, s, "simulated#"+group, none, none, simulated)
	for _, other := range []string{"pending#5", "pending#5m#", "", "\xff"} {
		wantUnsettled(t, s, other, none, none)
	}
	opened := func(i int) time.Time { return baseTime.Add(time.Duration(i-1) * time.Minute) } // of its candle
	wantUnsettled(t, s, group, opened(1), none, results[1:]...)
	wantUnsettled(t, s, group, none, opened(3), results[:3]...)
	wantUnsettled(t, s, group, opened(1), opened(3), results[1:3]...)
	wantUnsettled(t, s, group, opened(1).Add(time.Second), opened(3).Add(time.Second), results[2:4]...)
	wantUnsettled(t, s, group, opened(5), none)
	wantUnsettled(t, s, group, opened(3), opened(1))

	wantResult(t, s, asRead(results[0], nil))
	wantResult(t, s, asRead(hopeless, hopeless.Unsettled.Outcome))
	addOutcomes(t, s, 2, settlement(results[1], 1), settlement(results[4], 1))
	wantUnsettled(t, s, group, none, none, results[0], results[2], results[3])
}

func settledOnce(t *testing.T, s store.Store) {
	results := unsettled(3)
	record(t, s, results...)
	first, second := settlement(results[0], 0.5), settlement(results[0], 0.25)
	unknown := settlement(unsettled(1)[0], 0.125)
	addOutcomes(t, s, 1, unknown, first, second)
	addOutcomes(t, s, 0, first)
	addOutcomes(t, s, 1, second, settlement(results[1], 2))
	addOutcomes(t, s, 0)
	want := asRead(results[0], first.Outcome)
	wantResult(t, s, want)
	wantList(t, "series", seriesOf(s, series), store.Range{}, ids(results...))
	eventually(t, "the series with outcomes", func() string {
		page, err := s.Series(t.Context(), series, store.Range{Limit: 5})
		return diff([]store.Result{*asRead(results[2], nil), *asRead(results[1], settlement(results[1], 2).Outcome), *want}, page.Results, err)
	})
	eventually(t, "the day with outcomes", func() string {
		page, err := s.Day(t.Context(), want.Day, store.Range{Limit: 5, Before: results[1].ID})
		return diff([]store.Result{*want}, page.Results, err)
	})
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[2])
	wantSums(t, s, scores, "", day, day, map[string]float64{"n": 2, "sum": 2.5, "w0.5": 1, "w2": 1})
	addOutcomes(t, s, 1, settlement(results[2], 4))
	wantLatest(t, "the latest with its outcome", s, asRead(results[2], settlement(results[2], 4).Outcome))
}

func sumsByDay(t *testing.T, s store.Store) {
	results := unsettled(7)
	settlements := make([]store.Settlement, len(results))
	for i, r := range results {
		r.Unsettled.Pair = []string{"BTC/USDT", "ETH/USDT"}[i%2]
		if i == 6 {
			r.Unsettled.Group, r.Unsettled.Scores = "simulated#"+group, "simulated#"+scores
		}
		settlements[i] = settlement(r, float64(int(1)<<i))
		settlements[i].Day = []string{"2026-02-28", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-02", "2026-03-12", "2026-03-01"}[i]
	}
	record(t, s, results...)
	addOutcomes(t, s, len(results), settlements...)
	sums := func(numbers ...int) map[string]float64 {
		want := map[string]float64{"n": float64(len(numbers))}
		for _, i := range numbers {
			want["sum"] += float64(int(1) << i)
			want[fmt.Sprintf("w%d", int(1)<<i)] = 1
		}
		return want
	}
	wantSums(t, s, scores, "", "2026-02-20", "2026-03-20", sums(0, 1, 2, 3, 4, 5))
	wantSums(t, s, scores, "", "2026-03-01", "2026-03-02", sums(2, 3, 4))
	wantSums(t, s, scores, "", "2026-02-28", "2026-02-28", sums(0, 1))
	wantSums(t, s, scores, "BTC/USDT", "2026-02-28", "2026-03-02", sums(0, 2, 4))
	wantSums(t, s, scores, "ETH/USDT", "2026-03-02", "2026-03-12", sums(3, 5))
	wantSums(t, s, "simulated#"+scores, "", "2026-02-28", "2026-03-12", sums(6))
	wantSums(t, s, "simulated#"+scores, "BTC/USDT", "2026-03-01", "2026-03-01", sums(6))
	for _, other := range [][2]string{{scores, "BTC"}, {scores, "BTC/USDT#"}, {scores, "XRP/USDT"}, {"scores#5m#v", ""}, {"scores#5m", ""}, {"", ""}} {
		wantSums(t, s, other[0], other[1], "2026-02-28", "2026-03-12", nil)
	}
	wantSums(t, s, scores, "", "2026-03-03", "2026-03-11", nil)
	wantSums(t, s, scores, "", "2026-03-02", "2026-02-28", nil)
}

// sumsOfAnySize adds numbers that are very large, very small and below 0, which must not
// disturb each other.
func sumsOfAnySize(t *testing.T, s store.Store) {
	results := unsettled(3)
	record(t, s, results...)
	want, sizes := map[string]float64{}, map[string]float64{}
	var settlements []store.Settlement
	for i, r := range results {
		added := map[string]float64{}
		for j, x := range []float64{1.0 / 3, -2.0 / 3e7, 1e-33, 1e11 / 3, 0, -5, 1 << 39} {
			name := fmt.Sprintf("y%d", j)
			added[name] = []float64{x, 1 / 3.0e5, -x}[i]
			want[name] += added[name]
			sizes[name] += math.Abs(added[name])
		}
		one := settlement(r, 0)
		one.Sums = map[string]map[string]float64{"consensus": added}
		settlements = append(settlements, one)
	}
	addOutcomes(t, s, 3, settlements...)
	eventually(t, "the sums", func() string {
		got, err := s.Sums(t.Context(), scores, "", day, day)
		for name, x := range want {
			if y := got["consensus"][name]; err == nil && !(math.Abs(x-y) <= 1e-15*sizes[name]) {
				return fmt.Sprintf("%s is %v, want %v", name, y, x)
			}
		}
		return diff(len(want), len(got["consensus"]), err)
	})
}

func expiredSums(t *testing.T, s store.Store) {
	results := unsettled(4)
	record(t, s, results...)
	expiring := func(i int, day string, at time.Time) store.Settlement {
		one := settlement(results[i], 1)
		one.Day, one.ExpiresAt = day, at
		return one
	}
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	addOutcomes(t, s, 4,
		expiring(0, "2026-03-01", past), expiring(1, "2026-03-02", future), expiring(2, "2026-03-03", future), expiring(3, "2026-03-03", past))
	wantSums(t, s, scores, "", "2026-03-01", "2026-03-03", map[string]float64{"n": 1, "sum": 1, "w1": 1})
	wantResult(t, s, asRead(results[0], settlement(results[0], 1).Outcome))
}

// settledByAll has several processes settle the same results, each of them twice: each is
// counted once.
func settledByAll(t *testing.T, s store.Store) {
	results := unsettled(9)
	record(t, s, results...)
	want := map[string]float64{"n": 9, "sum": 9 * 8 / 2}
	var settlements []store.Settlement
	for i, r := range results {
		one := settlement(r, float64(i))
		one.Day = fmt.Sprintf("2026-03-0%d", 1+i%3)
		settlements = append(settlements, one, one)
		want[fmt.Sprintf("w%d", i)] = 1
	}
	var added atomic.Int64
	atOnce(4, func(int) {
		mine := slices.Clone(settlements)
		rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		n, err := s.AddOutcomes(t.Context(), mine)
		if err != nil {
			t.Errorf("add outcomes: %v", err)
		}
		added.Add(int64(n))
	})
	if added.Load() != int64(len(results)) {
		t.Errorf("%d outcomes were added, want %d", added.Load(), len(results))
	}
	wantUnsettled(t, s, group, time.Time{}, time.Time{})
	wantSums(t, s, scores, "", "2026-03-01", "2026-03-03", want)
	wantSums(t, s, scores, "BTC/USDT", "2026-02-28", "2026-03-04", want)
}

func notes(t *testing.T, s store.Store) {
	results := unsettled(3)
	old := Sample(series, baseTime, baseTime.Add(time.Minute)) // is on no list yet
	record(t, s, results[0], results[1], results[2], old)
	addOutcomes(t, s, 1, settlement(results[2], 1))
	noted := func(r *store.Result, reason, outcome string) store.Unsettled {
		u := *EntryOf(r)
		u.Reason = reason
		if outcome != "" {
			u.Outcome = []byte(outcome)
		}
		return u
	}
	note := func(some ...store.Unsettled) {
		t.Helper()
		if err := s.NoteUnsettled(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	note(noted(results[0], "no_candles", `{"reason":"no_candles"}`), noted(results[1], "gap", `{"reason":"gap"}`))
	note(noted(results[0], "gap", `{"reason" : "gap"}`), noted(results[1], "", ""), noted(results[2], "gap", `{}`),
		noted(unsettled(1)[0], "gap", `{}`), noted(old, "price_mismatch", `{"reason":"price_mismatch"}`))
	wantResult(t, s, asRead(results[0], []byte(`{"reason" : "gap"}`)))
	wantResult(t, s, asRead(results[1], nil))
	wantResult(t, s, asRead(results[2], settlement(results[2], 1).Outcome))
	wantResult(t, s, asRead(old, []byte(`{"reason":"price_mismatch"}`)))
	results[0].Unsettled.Reason = "gap"
	old.Unsettled = new(noted(old, "price_mismatch", ""))
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[0], results[1], old)
	addOutcomes(t, s, 2, settlement(results[0], 3), settlement(old, 2))
	wantResult(t, s, asRead(results[0], settlement(results[0], 3).Outcome))
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[1])
}

func importedOutcome(t *testing.T, s store.Store) {
	results := unsettled(3)
	settled, pending, stored := results[0], results[1], results[2]
	settled.Imported, pending.Imported = true, true
	record(t, s, stored)
	outcome, other := settlement(settled, 0.5), settlement(stored, 4)
	settled.Settlement, settled.Unsettled = &outcome, nil
	again := *stored
	again.Settlement, again.Unsettled = &other, nil
	for _, want := range []int{2, 0} {
		if got, err := s.Add(t.Context(), []*store.Result{settled, pending, &again}); got != want || err != nil {
			t.Errorf("added %d, %v; want %d", got, err, want)
		}
	}
	wantResult(t, s, asRead(settled, outcome.Outcome))
	wantResult(t, s, asRead(pending, nil))
	wantResult(t, s, asRead(stored, nil)) // was there already
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, pending, stored)
	addOutcomes(t, s, 1, outcome, settlement(pending, 0.25))
	wantResult(t, s, asRead(settled, outcome.Outcome))
	wantSums(t, s, scores, "", day, day, map[string]float64{"n": 2, "sum": 0.75, "w0.5": 1, "w0.25": 1})
}

func recordedUnsettledAgain(t *testing.T, s store.Store) {
	results := unsettled(2)
	record(t, s, results...)
	addOutcomes(t, s, 1, settlement(results[0], 1))
	results[1].Unsettled.Reason, results[1].Unsettled.Outcome = "gap", []byte(`{"reason":"gap"}`)
	for _, r := range results {
		r.Body = []byte(`{"second":true}`)
	}
	record(t, s, results...)
	wantResult(t, s, asRead(results[0], settlement(results[0], 1).Outcome))
	wantResult(t, s, asRead(results[1], []byte(`{"reason":"gap"}`)))
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[1])
	addOutcomes(t, s, 0, settlement(results[0], 1))
	wantSums(t, s, scores, "", day, day, map[string]float64{"n": 1, "sum": 1, "w1": 1})
}

func expiredUnsettled(t *testing.T, s store.Store) {
	results := unsettled(3)
	results[0].ExpiresAt = time.Now().Add(-time.Minute).Truncate(time.Second)
	results[1].ExpiresAt = time.Now().Add(time.Hour).Truncate(time.Second)
	record(t, s, results...)
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[1:]...)
	if err := s.NoteUnsettled(t.Context(), []store.Unsettled{*results[0].Unsettled}); err != nil {
		t.Error(err)
	}
	addOutcomes(t, s, 0, settlement(results[0], 1))
	wantSums(t, s, scores, "", day, day, nil)
	wantUnsettled(t, s, group, time.Time{}, time.Time{}, results[1:]...)

	// An outcome that came with a result which has expired does not stand in the way of a new one.
	settled := unsettled(1)[0]
	outcome := settlement(settled, 2)
	settled.Settlement, settled.Unsettled, settled.ExpiresAt = &outcome, nil, results[0].ExpiresAt
	record(t, s, settled)
	renewed := unsettled(1)[0]
	renewed.ID, renewed.Position = settled.ID, settled.Position
	renewed.Unsettled.ID, renewed.Unsettled.Position = settled.ID, settled.Position
	if added, err := s.Add(t.Context(), []*store.Result{renewed}); added != 1 || err != nil {
		t.Errorf("added %d, %v; want 1", added, err)
	}
	wantResult(t, s, asRead(renewed, nil))
	addOutcomes(t, s, 1, settlement(renewed, 3))
	wantResult(t, s, asRead(renewed, settlement(renewed, 3).Outcome))
}
