// Package storetest has the tests that every store must pass: [Run] tests a
// [store.Store] against its contract.
//
// The tests assume nothing that the contract does not say. Lists, the latest result and
// counters may lag behind a write, so a test reads them again for some seconds before it
// fails. Results by id, claims and sums may not lag. The times of samples have the
// precision that stores keep: milliseconds, and seconds for an expiry.
package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"thalas/internal/store"
)

// Run runs every test with a new store from open, which must be empty. Run closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, part := range []struct {
		name  string
		tests []test
	}{
		{"results", resultTests},
		{"lists", listTests},
		{"outcomes", outcomeTests},
		{"counters", counterTests},
		{"claims", claimTests},
		{"spending", spendTests},
		{"refusals", refusalTests},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, test := range part.tests {
				t.Run(test.name, func(t *testing.T) {
					s := open(t)
					t.Cleanup(func() { _ = s.Close() })
					test.run(t, s)
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(*testing.T, store.Store)
}

// eventually calls compare until it gives no difference, and fails after ten seconds. A
// store that does not lag passes at the first call.
func eventually(t *testing.T, what string, compare func() (difference string)) {
	t.Helper()
	last := time.Now().Add(10 * time.Second)
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		difference := compare()
		if difference == "" {
			return
		}
		if time.Now().After(last) {
			t.Fatalf("%s (-want +got):\n%s", what, difference)
		}
		time.Sleep(wait)
	}
}

// diff compares what was stored with what was read. Times of the same moment are equal.
func diff(want, got any, err error) string {
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

// baseTime is when the samples begin. It is fixed, so that their days and hours are the
// same in every run of the suite.
var baseTime = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

const (
	series      = "BTC/USDT#5m"
	otherSeries = "ETH/USDT#5m"
)

var idsMade atomic.Uint64

// newID gives an id of that time. The ids of one millisecond grow with each call.
func newID(at time.Time) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], 1<<63|idsMade.Add(1))
	return id.String()
}

// Sample gives a result about a candle.
func Sample(series string, candle, created time.Time) *store.Result {
	id := newID(created)
	return &store.Result{
		ID: id, Schema: 1, Series: series, Position: store.PositionKey(candle, id), Day: store.DayKey(created, false),
		Decision: "BUY", Status: "complete", CreatedAt: created,
		Body: fmt.Appendf(nil, `{"id":%q,"decision":"BUY","current_price":50000.0}`, id),
	}
}

// samples gives results of a series, one made each minute, the oldest first. Each is
// about the candle that opened a minute before the result was made.
func samples(series string, count int) []*store.Result {
	results := make([]*store.Result, count)
	for i := range results {
		created := baseTime.Add(time.Duration(i) * time.Minute)
		results[i] = Sample(series, created.Add(-time.Minute), created)
	}
	return results
}

func record(t *testing.T, s store.Store, results ...*store.Result) {
	t.Helper()
	for _, r := range results {
		if err := s.Record(t.Context(), r, store.Count{}); err != nil {
			t.Fatalf("record %s: %v", r.Position, err)
		}
	}
}

// ids gives the ids of results in reverse order, as a list gives them if they were
// recorded in that order.
func ids(results ...*store.Result) []string {
	var reversed []string
	for i := len(results) - 1; i >= 0; i-- {
		reversed = append(reversed, results[i].ID)
	}
	return reversed
}

// listing reads one series or one day.
type listing func(ctx context.Context, r store.Range) (store.Page, error)

func seriesOf(s store.Store, series string) listing {
	return func(ctx context.Context, r store.Range) (store.Page, error) { return s.Series(ctx, series, r) }
}

func dayOf(s store.Store, day string) listing {
	return func(ctx context.Context, r store.Range) (store.Page, error) { return s.Day(ctx, day, r) }
}

// read reads all pages of a list, of r.Limit results or of 100, and gives the ids in
// their order.
func (list listing) read(ctx context.Context, r store.Range) (ids []string, err error) {
	if r.Limit == 0 {
		r.Limit = 100
	}
	for {
		page, err := list(ctx, r)
		if err != nil {
			return nil, err
		}
		if len(page.Results) > r.Limit {
			return nil, fmt.Errorf("a page of %d, want at most %d", len(page.Results), r.Limit)
		}
		if len(page.Results) < r.Limit && page.Next != "" {
			return nil, fmt.Errorf("a page of %d of %d says that more follow", len(page.Results), r.Limit)
		}
		for _, result := range page.Results {
			ids = append(ids, result.ID)
		}
		if page.Next == "" {
			return ids, nil
		}
		if page.Next == r.Before {
			return nil, fmt.Errorf("the cursor %s leads to itself", page.Next)
		}
		r.Before = page.Next
	}
}

// atOnce calls a function n times at the same time, with the numbers from 0, and waits
// for all calls.
func atOnce(n int, call func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { call(i) })
	}
	all.Wait()
}

// wantResult wants the store to find a result by its id.
func wantResult(t *testing.T, s store.Store, want *store.Result) {
	t.Helper()
	got, err := s.Result(t.Context(), want.ID)
	if d := diff(*want, got, err); d != "" {
		t.Errorf("the result by its id (-want +got):\n%s", d)
	}
}

// wantLatest wants a result to be the latest of its series.
func wantLatest(t *testing.T, what string, s store.Store, want *store.Result) {
	t.Helper()
	eventually(t, what, func() string {
		got, err := s.Latest(t.Context(), want.Series)
		return diff(*want, got, err)
	})
}

func wantList(t *testing.T, what string, list listing, r store.Range, want []string) {
	t.Helper()
	eventually(t, what, func() string {
		got, err := list.read(t.Context(), r)
		return diff(want, got, err)
	})
}
