package storetest

// Results by their id.

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"time"

	"thalas/internal/store"
)

var resultTests = []test{
	{"found by id, series and day", foundEverywhere},
	{"the body byte for byte", keepsBody},
	{"unknown ids", unknownIDs},
	{"recorded again", recordedAgain},
	{"markets", markets},
	{"added", addedResults},
	{"expired", expiredResults},
	{"nothing is shared with the caller", sharesNothing},
}

func foundEverywhere(t *testing.T, s store.Store) {
	for _, want := range []*store.Result{
		Sample(series, baseTime, baseTime.Add(time.Minute)),
		{
			ID: "019ab0c4-83e2-7000-8000-00000000000a", Schema: 2, Series: "simulated#Will it rain?#1d",
			Position: "2026-11-23T04:55:00Z#019ab0c4-83e2-7000-8000-00000000000a", Day: "simulated#2026-11-23",
			Decision: "HOLD", Status: "degraded", Body: []byte(`{}`),
			CreatedAt: time.Date(2026, 11, 23, 5, 0, 1, 250e6, time.UTC), ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Second),
		},
	} {
		record(t, s, want)
		wantResult(t, s, want)
		wantLatest(t, "the latest", s, want)
		for what, list := range map[string]listing{"series": seriesOf(s, want.Series), "day": dayOf(s, want.Day)} {
			eventually(t, what, func() string {
				got, err := list(t.Context(), store.Range{Limit: 10})
				return diff(store.Page{Results: []store.Result{*want}}, got, err)
			})
		}
	}
}

func keepsBody(t *testing.T, s store.Store) {
	for _, body := range []string{
		" {\r\n\t\"a\" : 1 }\n\n",
		`{"reasoning":"<b>up & away</b> \u003c \u2028"}`,
		`{"reasoning":"Öl ↑ 原油 🛢️ \u0000 ` + "\u2028\ufeff" + `"}`,
		`{"p":0.00001234,"q":1e-7,"r":50000.0,"s":123456789012345678901234567890}`,
		`{"a":1,"a":2}`,
		`"` + strings.Repeat("0123456789abcdef", 16<<10) + `"`,
	} {
		r := Sample(series, baseTime, baseTime)
		r.Body = []byte(body)
		record(t, s, r)
		wantResult(t, s, r)
	}
}

func unknownIDs(t *testing.T, s store.Store) {
	record(t, s, Sample(series, baseTime, baseTime))
	for name, id := range map[string]string{
		"another": newID(baseTime), "nothing": "", "no id": "latest", "a long text": strings.Repeat("x", 100_000), "NUL": "\x00",
	} {
		if got, err := s.Result(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %+v, %v; want ErrNotFound", name, got, err)
		}
	}
	if got, err := s.Latest(t.Context(), otherSeries); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("latest of a series without results: got %+v, %v; want ErrNotFound", got, err)
	}
}

func recordedAgain(t *testing.T, s store.Store) {
	neighbour := Sample(series, baseTime, baseTime)
	first := Sample(series, baseTime, baseTime)
	record(t, s, neighbour, first)
	second := *first
	second.Series, second.Position = otherSeries, store.PositionKey(baseTime.Add(-time.Hour), first.ID)
	second.Day = "2026-03-03"
	second.CreatedAt, second.Body, second.Decision = baseTime.Add(24*time.Hour), []byte(`{"second":true}`), "SELL"
	record(t, s, &second)
	wantResult(t, s, &second)
	wantList(t, "the new series", seriesOf(s, otherSeries), store.Range{}, ids(first))
	wantList(t, "the new day", dayOf(s, "2026-03-03"), store.Range{}, ids(first))
	wantList(t, "the old series", seriesOf(s, series), store.Range{}, ids(neighbour))
	wantList(t, "the old day", dayOf(s, first.Day), store.Range{}, ids(neighbour))
	record(t, s, &second)
	wantList(t, "the series after another Record", seriesOf(s, otherSeries), store.Range{}, ids(first))
}

// markets are given only where they are asked for, and live as long as their results.
func markets(t *testing.T, s store.Store) {
	zipped := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text)) // a bytes.Buffer takes everything
		_ = w.Close()
		return b.Bytes()
	}
	want := func(what, id string, want []byte, wantErr error) {
		t.Helper()
		if got, err := s.Market(t.Context(), id); !bytes.Equal(got, want) || !errors.Is(err, wantErr) {
			t.Errorf("%s: got %q, %v; want %q, %v", what, got, err, want, wantErr)
		}
	}
	none, one, added, expired := Sample(series, baseTime, baseTime), Sample(series, baseTime, baseTime), Sample(series, baseTime, baseTime), Sample(series, baseTime, baseTime)
	one.Market, added.Market, expired.Market = zipped("one"), zipped("added"), zipped("expired")
	expired.ExpiresAt = time.Now().Add(-time.Minute).Truncate(time.Second)
	record(t, s, none, one, expired)
	if _, err := s.Add(t.Context(), []*store.Result{added}); err != nil {
		t.Fatal(err)
	}
	want("a result without one", none.ID, nil, nil)
	want("a recorded one", one.ID, one.Market, nil)
	want("an added one", added.ID, added.Market, nil)
	want("an expired one", expired.ID, nil, store.ErrNotFound)
	want("an unknown id", newID(baseTime), nil, store.ErrNotFound)
	want("no id", "latest", nil, store.ErrNotFound)

	plain := *one
	plain.Market = nil
	wantResult(t, s, &plain)
	eventually(t, "the list", func() string {
		page, err := s.Series(t.Context(), series, store.Range{Limit: 10})
		for _, r := range page.Results {
			if r.Market != nil {
				return "a result in a list has its market"
			}
		}
		return diff(3, len(page.Results), err)
	})
	record(t, s, &plain)
	want("recorded again without", one.ID, nil, nil)
	large := Sample(series, baseTime, baseTime)
	large.Market = make([]byte, store.MaxMarket+1)
	if err := s.Record(t.Context(), large, store.Count{}); err == nil {
		t.Error("a market that is too large was stored")
	}
}

func addedResults(t *testing.T, s store.Store) {
	add := func(what string, want int, results ...*store.Result) {
		t.Helper()
		if got, err := s.Add(t.Context(), results); got != want || err != nil {
			t.Errorf("%s: added %d, %v; want %d", what, got, err, want)
		}
	}
	results := samples(series, 6)
	ancient := Sample(series, baseTime.AddDate(-6, 0, 0), baseTime.Add(time.Minute))
	expired := Sample(series, baseTime, baseTime.Add(20*time.Minute))
	expired.ExpiresAt = time.Now().Add(-time.Minute).Truncate(time.Second)
	record(t, s, results[0], results[3], expired)

	other := *results[3]
	other.Body = []byte(`{"other":true}`)
	renewed := *expired
	renewed.ExpiresAt = time.Now().Add(time.Hour).Truncate(time.Second)
	add("some are stored", 5, results[0], results[1], results[2], &other, results[4], ancient, &renewed)
	add("all are stored", 0, results[0], results[1], results[2], &other, results[4], ancient, &renewed)
	add("none", 0)
	add("one twice", 1, results[5], results[5])
	for _, want := range []*store.Result{results[0], results[1], results[2], results[3], results[4], results[5], ancient, &renewed} {
		wantResult(t, s, want)
	}
	wantList(t, "series", seriesOf(s, series), store.Range{}, ids(ancient, results[0], results[1], &renewed, results[2], results[3], results[4], results[5]))
	wantList(t, "a range", seriesOf(s, series), store.Range{From: baseTime.Add(time.Minute), To: baseTime.Add(2 * time.Minute)}, ids(results[2]))
	wantHours(t, s, "2026-03-01", "2026-03-02") // Add counts no run
}

func expiredResults(t *testing.T, s store.Store) {
	results := samples(series, 9)
	var unexpired []*store.Result
	for i, r := range results {
		switch i % 3 {
		case 0:
			r.ExpiresAt = time.Now().Add(time.Hour).Truncate(time.Second)
		case 2:
			r.ExpiresAt = time.Now().Add(-time.Minute).Truncate(time.Second)
		}
		if i%3 != 2 {
			unexpired = append(unexpired, r)
		}
	}
	record(t, s, results...)
	newest := results[len(results)-1]
	if got, err := s.Result(t.Context(), newest.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an expired one by id: %+v, %v; want ErrNotFound", got, err)
	}
	wantLatest(t, "the latest that has not expired", s, unexpired[len(unexpired)-1])
}

func sharesNothing(t *testing.T, s store.Store) {
	r := Sample(series, baseTime, baseTime)
	want := bytes.Clone(r.Body)
	record(t, s, r)
	clear(r.Body)
	for range 2 {
		got, err := s.Result(t.Context(), r.ID)
		if err != nil || !bytes.Equal(got.Body, want) {
			t.Fatalf("body = %q, %v; want %q", got.Body, err, want)
		}
		clear(got.Body)
	}
}
