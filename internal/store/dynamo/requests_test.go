package dynamo_test

// Tests of the requests that an operation sends, and of their costs.

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

var opening = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

const series = "BTC/USDT#5m"

// newResult makes a result of the present, with a body of that size.
func newResult(t testing.TB, bytes int) *store.Result {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := storetest.Sample(series, now, now)
	r.ExpiresAt = now.Add(90 * 24 * time.Hour).Truncate(time.Second)
	r.Body = []byte(`"` + strings.Repeat("x", bytes-2) + `"`)
	return r
}

// marketBytes is what 60 candles have in gzip.
const marketBytes = 2000

// TestCapacityOfARun uses DynamoDB Local only, because moto invents its numbers.
func TestCapacityOfARun(t *testing.T) {
	s, tables, watching := openSpied(t, engines[0].start(t))
	if err := s.Record(t.Context(), nil, dynamo.FullCount()); err != nil {
		t.Fatal(err)
	}
	watching.takeConsumed(tables)

	key, owner := "idem#caller#"+strings.Repeat("a", 64), uuid.NewString()
	if _, err := s.Claim(t.Context(), key, store.Claim{
		Owner: owner, Payload: strings.Repeat("b", 64), Until: time.Now().Add(time.Minute), ExpiresAt: time.Now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	lease := store.Lease{Key: "budget#2026-03-02", Amount: 20_000, Until: time.Now().Add(time.Minute), ExpiresAt: time.Now().Add(time.Hour)}
	if _, err := s.Reserve(t.Context(), lease, 10_000_000); err != nil {
		t.Fatal(err)
	}
	r := newResult(t, 5000)
	r.Market, r.Unsettled = make([]byte, marketBytes), storetest.EntryOf(r)
	if err := s.Record(t.Context(), r, dynamo.FullCount()); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), lease, 8_500); err != nil {
		t.Fatal(err)
	}
	if err := s.Complete(t.Context(), key, owner, r.ID); err != nil {
		t.Fatal(err)
	}

	// A body of 5,000 bytes, the candles and its attributes are 8 KB, and its entry in the list of
	// unsettled results is 1 KB. The two are a transaction, which costs twice as much. An
	// hour with every counter of every provider is 4 KB, or just above. Claiming, reserving,
	// settling and completing are one unit each.
	used := watching.takeConsumed(tables)
	t.Logf("write capacity units of a run: %v", used)
	most := map[string]float64{"results": 16, "by_series": 2, "by_day": 2, "metrics": 7, "coordination": 4}
	for part, units := range used {
		if units > most[part] {
			t.Errorf("%s: %g write capacity units, want at most %g", part, units, most[part])
		}
	}
	for part := range most {
		if used[part] == 0 {
			t.Errorf("%s: nothing was measured: %v", part, used)
		}
	}
}

// A run whose votes others may share writes a note twice: when it begins, and with its votes.
// Those of four providers have 3.5 KB if each gives its reasons in 550 bytes. The size before
// a write counts as well as that after it.
func TestCapacityOfNotes(t *testing.T) {
	s, tables, watching := openSpied(t, engines[0].start(t))
	old := ""
	for _, test := range []struct {
		name  string
		bytes int
		units float64
	}{{"a run begins", 23, 1}, {"it has ended", 3500, 4}, {"it is asked again within its candle", 23, 4}, {"that has ended", 3500, 4}} {
		note := store.Note{Version: uuid.NewString(), Text: strings.Repeat("x", test.bytes), ExpiresAt: time.Now().Add(time.Hour)}
		if _, err := s.Replace(t.Context(), "flight#"+strings.Repeat("a", 64), old, note); err != nil {
			t.Fatal(err)
		}
		units := watching.takeConsumed(tables)["coordination"]
		t.Logf("write capacity units of a note when %s: %g", test.name, units)
		if units != test.units {
			t.Errorf("%s: %g write capacity units, want %g", test.name, units, test.units)
		}
		old = note.Version
	}
}

// A board reads the sums of all pairs by one query a day. Settling a result bills its whole
// item, the sums of each voter and the entry of the list.
func TestCapacityOfSums(t *testing.T) {
	s, tables, watching := openSpied(t, engines[0].start(t))
	const days = 2
	results := storetest.Hourly(12) // ten pairs, over midnight
	var settlements []store.Settlement
	for i, r := range results {
		r.Body, r.Market = newResult(t, 5000).Body, make([]byte, marketBytes)
		settlements = append(settlements, storetest.Settlement(r, i/10%6))
	}
	fill(t, engines[0].start(t).Client(), tables, results)
	watching.takeConsumed(tables)
	if added, err := s.AddOutcomes(t.Context(), settlements); added != len(settlements) || err != nil {
		t.Fatalf("added %d, %v", added, err)
	}
	used := watching.takeConsumed(tables)
	// The item has 8 KB with its outcome of 1 KB, and a transaction costs twice as much. DynamoDB
	// Local reports one of the writes to Metrics; there are six, of items below 1 KB.
	units := used["results"] / float64(len(settlements))
	t.Logf("write capacity units of a settlement: %g for the result, and %d for the sums and the list", units, 2*(5+1))
	if units > 16 || used["by_series"] > 0 {
		t.Errorf("%v for %d results, want at most 16 each, and none of the indexes", used, len(settlements))
	}
	watching.takeRequests()
	sums, err := s.Sums(t.Context(), "scores#1h#v1", "", "2026-02-28", "2026-03-09")
	if err != nil || len(sums) != 5 {
		t.Fatalf("sums of %d voters, %v", len(sums), err)
	}
	requests, used := watching.takeRequests(), watching.takeConsumed(tables)
	t.Logf("%d days with %d results: %d requests and %g read capacity units", days, len(results), len(requests), used["metrics"])
	// A unit is 8 KB. A day has 50 items, of some 300 bytes with six results or so, and of
	// less than 1 KB with 24. An empty day is half a unit.
	if len(requests) != 10 || used["metrics"] > 2*days+.5*(10-days) {
		t.Errorf("%d requests and %v units, want 10 and at most %v", len(requests), used, 2*days+.5*(10-days))
	}
}

func TestRequests(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		s, _, watching := openSpied(t, server)
		want := func(what string, err error, requests ...string) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			got := watching.takeRequests()
			slices.Sort(got)
			if d := cmp.Diff(requests, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		r := newResult(t, 100)
		claim := store.Claim{Owner: "first", Until: time.Now().Add(time.Minute), ExpiresAt: time.Now().Add(time.Hour)}
		want("record", s.Record(t.Context(), r, store.Count{At: opening, Add: map[string]int64{"requests": 1}}), "PutItem, conditional", "UpdateItem")
		want("record nothing", s.Record(t.Context(), nil, store.Count{At: opening}))
		for _, step := range []string{"record an unsettled result", "record it again"} {
			r.Unsettled = storetest.EntryOf(r)
			want(step, s.Record(t.Context(), r, store.Count{}), "TransactWriteItems: Put, conditional Put")
		}
		_, err := s.Result(t.Context(), r.ID)
		want("result", err, "GetItem, consistent")
		want("note", s.NoteUnsettled(t.Context(), []store.Unsettled{*r.Unsettled}), "GetItem, consistent", "TransactWriteItems: Update, conditional Put")
		_, err = s.ListUnsettled(t.Context(), "pending#5m", opening, time.Time{})
		want("list unsettled results", err, "Query, consistent")
		settled := []store.Settlement{{
			Unsettled: *r.Unsettled, Day: "2026-03-02", Sums: map[string]map[string]float64{"consensus": {"n": 1}, "xai#grok-4": {"n": 1}},
		}}
		settled[0].Outcome = []byte(`{}`)
		_, err = s.AddOutcomes(t.Context(), settled)
		want("add an outcome", err, "TransactWriteItems: Update, conditional Update Update Delete")
		_, err = s.AddOutcomes(t.Context(), settled)
		want("add it again", err, "DeleteItem", "TransactWriteItems: Update, conditional Update Update Delete")
		want("note what is settled", s.NoteUnsettled(t.Context(), []store.Unsettled{*r.Unsettled}),
			"DeleteItem", "GetItem, consistent", "TransactWriteItems: Update, conditional Put")
		want("record what is settled", s.Record(t.Context(), r, store.Count{}), "PutItem", "TransactWriteItems: Put, conditional Put")
		_, err = s.Sums(t.Context(), "scores#5m#v1", "BTC/USDT", "2026-03-01", "2026-03-03")
		want("sums", err, "Query", "Query", "Query")
		_, err = s.Latest(t.Context(), series)
		want("latest", err, "BatchGetItem of 1, consistent", "Query of by_series")
		_, err = s.Series(t.Context(), series, store.Range{Limit: 50})
		want("series", err, "BatchGetItem of 1, consistent", "Query of by_series")
		_, err = s.Day(t.Context(), "2026-01-01", store.Range{Limit: 50})
		want("an empty day", err, "Query of by_day")
		_, err = s.Hours(t.Context(), "2026-03-01", "2026-03-02")
		want("hours", err, "Query", "Query")
		_, err = s.Claim(t.Context(), "idem#a", claim)
		want("claim", err, "PutItem, conditional")
		_, err = s.Claim(t.Context(), "idem#a", claim)
		if errors.Is(err, store.ErrHeld) {
			err = nil
		}
		want("claim what is held", err, "PutItem, conditional")
		want("complete", s.Complete(t.Context(), "idem#a", "first", "x"), "UpdateItem, conditional")
		want("release", s.Release(t.Context(), "idem#a", "first"), "UpdateItem, conditional")
		lease := store.Lease{Key: "budget#a", Amount: 4, Until: time.Now().Add(time.Minute), ExpiresAt: time.Now().Add(time.Hour)}
		_, err = s.Reserve(t.Context(), lease, 10)
		want("reserve", err, "UpdateItem, conditional")
		want("settle", s.Settle(t.Context(), lease, 2), "UpdateItem, conditional")
		want("settle what has ended by itself", s.Settle(t.Context(), lease, 2), "UpdateItem, conditional", "UpdateItem, conditional")
		_, err = s.Spending(t.Context(), lease.Key)
		want("spending", err, "GetItem, consistent")
		dead := lease
		dead.Until = time.Now().Add(-time.Minute)
		_, err = s.Reserve(t.Context(), dead, 10)
		want("reserve with a killed process", err, "UpdateItem, conditional")
		_, err = s.Reserve(t.Context(), lease, 10)
		want("reserve what it held", err, "UpdateItem, conditional", "UpdateItem, conditional", "UpdateItem, conditional")
		_, err = s.Reserve(t.Context(), lease, 10)
		if errors.Is(err, store.ErrLimit) {
			err = nil
		}
		want("reserve over the limit", err, "UpdateItem, conditional")
		dead.Key, dead.Amount = "budget#b", 1
		for i := range 8 {
			dead.Until = time.Now().Add(-time.Duration(i+1) * time.Minute)
			requests := []string{"UpdateItem, conditional"}
			if i == 7 { // more ended leases than a record may have
				requests = append(requests, "UpdateItem, conditional")
			}
			_, err = s.Reserve(t.Context(), dead, 0)
			want("reserve with many killed processes", err, requests...)
		}
		lease.ExpiresAt = time.Now().Add(-time.Minute)
		want("settle for the last time", s.Settle(t.Context(), lease, 2), "UpdateItem, conditional")
		_, err = s.Reserve(t.Context(), lease, 10)
		want("reserve from an expired sum", err, "PutItem, conditional", "UpdateItem, conditional")
		r = newResult(t, 100)
		want("record a result on no list", s.Record(t.Context(), r, store.Count{}), "PutItem, conditional")
		want("note what is on no list", s.NoteUnsettled(t.Context(), []store.Unsettled{*storetest.EntryOf(r)}),
			"GetItem, consistent", "TransactWriteItems: Update, conditional Put")
		if err := s.Record(t.Context(), &store.Result{}, store.Count{}); err == nil {
			t.Error("an empty result was recorded")
		}
		want("what is refused", nil)
	})
}

// A range reads the results that can belong to it, not the whole series.
func TestRangeReadsWhatItNeeds(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		s, tables, watching := openSpied(t, server)
		var results []*store.Result
		for i := range 60 {
			results = append(results, resultAt(opening.Add(time.Duration(i)*10*time.Minute)))
		}
		fill(t, server.Client(), tables, results)
		r := store.Range{From: results[20].CreatedAt, To: results[22].CreatedAt, Limit: 50}
		for name, list := range map[string]struct {
			read func() (store.Page, error)
			want string
		}{
			// A day is read from an hour before the range to an hour after it: 14 of 60.
			"series": {func() (store.Page, error) { return s.Series(t.Context(), series, r) }, "Query of by_series; BatchGetItem of 2, consistent"},
			"day":    {func() (store.Page, error) { return s.Day(t.Context(), "2026-03-02", r) }, "Query of by_day; BatchGetItem of 14, consistent"},
		} {
			page, err := list.read()
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Results) != 2 || page.Results[0].ID != results[21].ID || page.Results[1].ID != results[20].ID || page.Next != "" {
				t.Errorf("%s: got %d results and the cursor %q, want the two of the range", name, len(page.Results), page.Next)
			}
			if read := strings.Join(watching.takeRequests(), "; "); read != list.want {
				t.Errorf("%s: asked for %s, want %s", name, read, list.want)
			}
		}
	})
}

// Results that are newer or older than the range are not read, whenever they were made.
func TestRangeOfALongSeries(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		s, tables, watching := openSpied(t, server)
		const runs = 48
		var results []*store.Result
		for i := range runs {
			results = append(results, resultAt(opening.AddDate(0, 0, 10*i)))
		}
		fill(t, server.Client(), tables, results)
		middle := opening.AddDate(0, 0, 10*runs/2)
		r := store.Range{From: middle.Add(-time.Minute), To: middle.Add(time.Minute), Limit: 1}
		want := "Query of by_series; BatchGetItem of 1, consistent"
		for _, step := range []string{"answers in time", "a late answer elsewhere"} {
			page, err := s.Series(t.Context(), series, r)
			if read := strings.Join(watching.takeRequests(), "; "); err != nil || len(page.Results) != 1 || page.Next != "" || read != want {
				t.Errorf("%s: %d results, %v; asked for %s, want %s", step, len(page.Results), err, read, want)
			}
			late := resultAt(middle)
			late.Position = store.PositionKey(opening, late.ID)
			if err := s.Record(t.Context(), late, store.Count{}); err != nil {
				t.Fatal(err)
			}
			if read := strings.Join(watching.takeRequests(), "; "); read != "PutItem, conditional" {
				t.Errorf("a late answer was recorded by %s, want one PutItem", read)
			}
		}
	})
}
