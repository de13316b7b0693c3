package dynamo

// The lists: an index gives the keys of a list in their order, and the results
// are read by them.
//
// A range is one of the times when results were made, which the index does not
// hold: it orders a day by id and a series by candle. Both lie near that time, so a
// range is looked for between two orders; what is not near leaves a mark (stray.go).
// The time in an id is that of its run: ids that were made too far from the range
// are left out of what the index gives, and the rest is read.

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// apart is the most that lies between the time in an id, which is made when a
// run begins, and the result's CreatedAt, which is when it ends. It has to be
// longer than any run; a longer one only reads more.
const apart = time.Hour

// keysAtOnce is the most keys that one query asks for: some 170 bytes each.
const keysAtOnce = 4000

// index is one kind of list.
type index struct {
	name     string
	list     string // the attribute that names the list
	order    string // the attribute that it is ordered by
	isCursor func(string) bool
	listOf   func(*store.Result) string
	orderOf  func(*store.Result) string
	byID     bool // ordered by when the ids were made, not by candle
}

var (
	bySeries = &index{
		name: "by_series", list: "series", order: "position", isCursor: store.IsPosition,
		listOf:  func(r *store.Result) string { return r.Series },
		orderOf: func(r *store.Result) string { return r.Position },
	}
	byDay = &index{
		name: "by_day", list: "day", order: "id", isCursor: store.IsID, byID: true,
		listOf:  func(r *store.Result) string { return r.Day },
		orderOf: func(r *store.Result) string { return r.ID },
	}
)

// Series implements store.Results.
func (s *Store) Series(ctx context.Context, series string, r store.Range) (store.Page, error) {
	return s.list(ctx, bySeries, series, r)
}

// Day implements store.Results.
func (s *Store) Day(ctx context.Context, day string, r store.Range) (store.Page, error) {
	return s.list(ctx, byDay, day, r)
}

// Latest implements store.Results.
func (s *Store) Latest(ctx context.Context, series string) (store.Result, error) {
	ahead := time.Now().Add(store.MaxAhead + time.Millisecond) // the first millisecond that is too late
	results, err := s.walk(ctx, bySeries, series, part{
		high: store.PositionsFrom(ahead.UnixMilli()), within: windowOf(store.Range{To: ahead}),
	}, 1)
	if err != nil {
		return store.Result{}, err
	}
	if len(results) == 0 {
		return store.Result{}, store.ErrNotFound
	}
	return results[0], nil
}

func (s *Store) list(ctx context.Context, in *index, list string, r store.Range) (page store.Page, err error) {
	if r.Limit < 1 {
		return page, fmt.Errorf("a limit of %d: it must be above 0", r.Limit)
	}
	if r.Before != "" && !in.isCursor(r.Before) {
		return page, store.ErrCursor
	}
	p, err := s.part(ctx, in, list, r)
	if err != nil {
		return page, err
	}
	// One more tells whether something follows.
	page.Results, err = s.walk(ctx, in, list, p, r.Limit+1)
	if err != nil {
		return store.Page{}, err
	}
	if len(page.Results) > r.Limit {
		page.Results = page.Results[:r.Limit]
		page.Next = in.orderOf(&page.Results[r.Limit-1])
	}
	return page, nil
}

// part is what is looked at of a list: the orders from low on and below high, empty
// where there is no bound, and of their results those that were made within a window.
type part struct {
	low, high string
	within    window
}

// part gives the part of a list that holds a range.
func (s *Store) part(ctx context.Context, in *index, list string, r store.Range) (p part, err error) {
	if err := s.usable(ctx); err != nil || store.ValidateText("list", list) != nil {
		return part{}, err
	}
	p.within = windowOf(r)
	p.low, p.high, err = s.span(ctx, in, list, r)
	return p, err
}

// walk gives the first wanted results of a part of a list.
func (s *Store) walk(ctx context.Context, in *index, list string, p part, wanted int) ([]store.Result, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if store.ValidateText("list", list) != nil {
		return nil, nil // nothing can be in it
	}
	var results []store.Result
	query := s.query(in, list, p.low, p.high)
	if query == nil {
		return nil, nil
	}
	// Most often what was asked for is what comes first. Where it is not, because
	// of a range or of what expired, more is looked at in one go each time.
	size, chunk := wanted, wanted
	for {
		query.Limit = aws.Int32(int32(min(size, keysAtOnce)))
		answer, err := s.client.Query(ctx, query)
		if err != nil {
			return nil, failed("list by "+in.list, s.tables.Results, err)
		}
		entries := in.entriesWithin(answer.Items, p.within, p.high)
		for len(entries) > 0 {
			n := min(len(entries), batches*batch, chunk)
			found, err := s.resultsOf(ctx, in, list, entries[:n])
			if err != nil {
				return nil, err
			}
			now := time.Now()
			for i := range found {
				if p.within.holds(&found[i]) && !gone(&found[i], now) {
					results = append(results, found[i])
				}
			}
			if len(results) >= wanted {
				return results[:wanted], nil
			}
			entries = entries[n:]
			chunk = max(wanted-len(results), 2*min(chunk, batches*batch))
		}
		if answer.LastEvaluatedKey == nil {
			return results, nil
		}
		query.ExclusiveStartKey = answer.LastEvaluatedKey
		size = 4 * min(size, keysAtOnce)
	}
}

// window is a range in milliseconds.
type window struct {
	from, to int64
}

func windowOf(r store.Range) window {
	w := window{math.MinInt64, math.MaxInt64}
	if !r.From.IsZero() {
		w.from = r.From.UnixMilli()
	}
	if !r.To.IsZero() {
		w.to = r.To.UnixMilli()
	}
	return w
}

func (w window) holds(r *store.Result) bool {
	made := r.CreatedAt.UnixMilli()
	return made >= w.from && made < w.to
}

// entry is what an index says about a result.
type entry struct {
	id    string
	order string
}

// entriesWithin gives the entries of an index below high whose results can belong
// to a range, in their order.
func (in *index) entriesWithin(keys []map[string]types.AttributeValue, w window, high string) (entries []entry) {
	const most = int64(apart / time.Millisecond)
	for _, key := range keys {
		id, _ := key["id"].(*types.AttributeValueMemberS)
		order, _ := key[in.order].(*types.AttributeValueMemberS)
		if id == nil || order == nil || high != "" && order.Value >= high {
			continue
		}
		made := store.MadeAt(id.Value).UnixMilli()
		if (w.from == math.MinInt64 || made >= w.from-most) && (w.to == math.MaxInt64 || made < w.to+most) {
			entries = append(entries, entry{id.Value, order.Value})
		}
	}
	return entries
}

// resultsOf reads the results of entries, in their order. An index may still list
// a result where it stood before it was recorded again.
func (s *Store) resultsOf(ctx context.Context, in *index, list string, entries []entry) ([]store.Result, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	found, err := s.results(ctx, ids)
	if err != nil {
		return nil, err
	}
	var results []store.Result
	for _, e := range entries {
		result, exists := found[e.id]
		if exists && in.listOf(&result) == list && in.orderOf(&result) == e.order {
			results = append(results, result)
		}
	}
	return results, nil
}
