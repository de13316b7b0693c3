package bolt

// The lists: indexes of results, read from the highest entry down.
//
// An entry says when its result was made and when it expires, so that a result
// is read only when it is part of the page. Entries are ordered by a time of
// their own, the candle's or the id's, while a range is one of the times when
// results were made. The spans bucket holds for each list how far the two were
// ever apart: what lies outside of that need not be looked at, and nothing that
// belongs to the range is missed, however late an answer came.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

// index is one kind of list.
type index struct {
	bucket   []byte
	isCursor func(string) bool
	timeOf   func(order string) int64 // the time that an entry is ordered by, in milliseconds
	from     func(int64) string       // the least order of an entry of that time or later
}

var (
	bySeries = index{bySeriesBucket, store.IsPosition, candleOf, store.PositionsFrom}
	byDay    = index{byDayBucket, store.IsID, func(id string) int64 { return store.MadeAt(id).UnixMilli() }, store.IDsFrom}
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
	if store.ValidateText("series", series) != nil {
		return store.Result{}, errors.Join(ctx.Err(), store.ErrNotFound) // nothing can be in it
	}
	page, err := view(ctx, s, func(t *transaction) (store.Page, error) {
		ahead := t.now.Add(store.MaxAhead + time.Millisecond) // the first millisecond that is too late
		return bySeries.page(ctx, t, series, store.Range{Before: store.PositionsFrom(ahead.UnixMilli()), To: ahead, Limit: 1})
	})
	if err != nil {
		return store.Result{}, err
	}
	if len(page.Results) == 0 {
		return store.Result{}, store.ErrNotFound
	}
	return page.Results[0], nil
}

func (s *Store) list(ctx context.Context, in index, list string, r store.Range) (page store.Page, err error) {
	if r.Limit < 1 {
		return page, fmt.Errorf("a limit of %d: it must be above 0", r.Limit)
	}
	if r.Before != "" && !in.isCursor(r.Before) {
		return page, store.ErrCursor
	}
	if store.ValidateText("list", list) != nil {
		return page, ctx.Err() // nothing can be in it
	}
	return view(ctx, s, func(t *transaction) (store.Page, error) { return in.page(ctx, t, list, r) })
}

// page walks a list down from the range's end.
func (in index) page(ctx context.Context, t *transaction, list string, r store.Range) (page store.Page, err error) {
	prefix := measured(list)
	least, above, err := in.bounds(t, list, r)
	if err != nil {
		return page, err
	}
	from, to := milliseconds(r.From, math.MinInt64), milliseconds(r.To, math.MaxInt64)
	cursor := t.tx.Bucket(in.bucket).Cursor()
	last := ""
	key, value := lastBelow(cursor, append(prefix, above...))
	for seen := 1; bytes.HasPrefix(key, prefix) && len(key) <= maxKey && string(key[len(prefix):]) >= least; seen++ {
		if seen%1024 == 0 && ctx.Err() != nil {
			return store.Page{}, ctx.Err()
		}
		created, expiry, err := readTimes(value)
		if err != nil {
			return store.Page{}, damagedRecord("an entry of %s: %s", in.bucket, err)
		}
		if created >= from && created < to && !t.expired(expiry) {
			if len(page.Results) == r.Limit {
				page.Next = last
				break
			}
			last = string(key[len(prefix):])
			result, err := t.result(idOf(last))
			if errors.Is(err, store.ErrNotFound) {
				err = damagedRecord("the entry %s of %s leads to no result", last, in.bucket)
			}
			if err != nil {
				return store.Page{}, err
			}
			page.Results = append(page.Results, result)
		}
		key, value = cursor.Prev()
	}
	return page, nil
}

// bounds gives the orders between which everything of a range lies: the least
// one, and one above all.
func (in index) bounds(t *transaction, list string, r store.Range) (least, above string, err error) {
	above = highest
	if r.Before != "" {
		above = r.Before
	}
	span, found, err := in.span(t, list)
	if err != nil || !found {
		return least, above, err
	}
	if !r.To.IsZero() {
		above = min(above, in.from(r.To.UnixMilli()-span.least))
	}
	if !r.From.IsZero() {
		least = in.from(r.From.UnixMilli() - span.most)
	}
	return least, above, nil
}

// lastBelow moves a cursor to the last key below that one.
func lastBelow(cursor *bbolt.Cursor, above []byte) (key, value []byte) {
	if key, _ := cursor.Seek(above); key == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}

// add puts an entry into a list.
func (in index) add(t *transaction, list, order string, created, expiry int64) error {
	return errors.Join(
		t.put(in.bucket, append(measured(list), order...), pairOfTimes(created, expiry)),
		in.widen(t, list, created-in.timeOf(order)),
	)
}

// remove takes an entry out of a list, and the list's span with its last entry.
func (in index) remove(t *transaction, list, order string) error {
	prefix := measured(list)
	if err := t.delete(in.bucket, append(prefix, order...)); err != nil {
		return err
	}
	if next, _ := t.tx.Bucket(in.bucket).Cursor().Seek(prefix); bytes.HasPrefix(next, prefix) {
		return nil
	}
	return t.delete(spansBucket, in.spanKey(list))
}

// span is how much later than their order's time the results of a list were
// made, in milliseconds.
type span struct{ least, most int64 }

func (in index) spanKey(list string) []byte { return append(measured(in.bucket), list...) }

func (in index) span(t *transaction, list string) (s span, found bool, err error) {
	value := t.get(spansBucket, in.spanKey(list))
	if value == nil {
		return span{}, false, nil
	}
	s.least, s.most, err = readTimes(value)
	return s, err == nil, err
}

// widen makes room for one more result in a list's span.
func (in index) widen(t *transaction, list string, later int64) error {
	s, found, err := in.span(t, list)
	if err != nil || found && s.least <= later && later <= s.most {
		return err
	}
	if !found {
		s = span{later, later}
	}
	return t.put(spansBucket, in.spanKey(list), pairOfTimes(min(s.least, later), max(s.most, later)))
}

// highest is above every order.
const highest = store.AboveAll

// candleOf gives the candle's time of a position.
func candleOf(position string) int64 {
	candle, _, _ := strings.Cut(position, "#")
	at, _ := time.Parse(time.RFC3339, candle) // store.IsPosition held
	return at.UnixMilli()
}

// idOf gives the id in an order, which ends with it.
func idOf(order string) string { return order[strings.LastIndexByte(order, '#')+1:] }

func milliseconds(at time.Time, zero int64) int64 {
	if at.IsZero() {
		return zero
	}
	return at.UnixMilli()
}
