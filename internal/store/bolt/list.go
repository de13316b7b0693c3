package bolt

// The lists: indexes of results, read from the highest entry down.
//
// An index orders a series by candle and a day by id. Its entries say when their
// results were made and when they expire, so that a result is read only when it is
// part of the page.

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

// Series implements store.Results.
func (s *Store) Series(ctx context.Context, series string, r store.Range) (store.Page, error) {
	if err := r.Validate(store.IsPosition); err != nil {
		return store.Page{}, err
	}
	return s.list(ctx, bySeriesBucket, series, r.OfSeries(), r.Limit)
}

// Day implements store.Results.
func (s *Store) Day(ctx context.Context, day string, r store.Range) (store.Page, error) {
	if err := r.Validate(store.IsID); err != nil {
		return store.Page{}, err
	}
	return s.list(ctx, byDayBucket, day, r.OfDay(), r.Limit)
}

// Latest implements store.Results.
func (s *Store) Latest(ctx context.Context, series string) (store.Result, error) {
	page, err := s.list(ctx, bySeriesBucket, series, store.OfLatest(s.now()), 1)
	if err != nil {
		return store.Result{}, err
	}
	if len(page.Results) == 0 {
		return store.Result{}, store.ErrNotFound
	}
	return page.Results[0], nil
}

func (s *Store) list(ctx context.Context, bucket []byte, list string, b store.Bounds, limit int) (store.Page, error) {
	if store.ValidateText("list", list) != nil {
		return store.Page{}, ctx.Err() // no result can be in such a list
	}
	return view(ctx, s, func(t *transaction) (store.Page, error) { return t.page(ctx, bucket, list, b, limit) })
}

// page reads a list downwards from its upper bound.
func (t *transaction) page(ctx context.Context, bucket []byte, list string, b store.Bounds, limit int) (page store.Page, err error) {
	prefix := measured(list)
	cursor := t.tx.Bucket(bucket).Cursor()
	last := ""
	key, value := lastBelow(cursor, append(prefix, b.Above...))
	for seen := 1; bytes.HasPrefix(key, prefix) && len(key) <= maxKey && string(key[len(prefix):]) >= b.Least; seen++ {
		if seen%1024 == 0 && ctx.Err() != nil {
			return store.Page{}, ctx.Err()
		}
		created, expiry, err := readTimes(value)
		if err != nil {
			return store.Page{}, damagef("an entry of %s: %s", bucket, err)
		}
		if b.HoldsCreated(created) && !t.expired(expiry) {
			if len(page.Results) == limit {
				page.Next = last
				break
			}
			last = string(key[len(prefix):])
			result, err := t.result(store.IDOf(last))
			if errors.Is(err, store.ErrNotFound) {
				err = damagef("the entry %s of %s leads to no result", last, bucket)
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

// lastBelow moves a cursor to the last key below that one.
func lastBelow(cursor *bbolt.Cursor, above []byte) (key, value []byte) {
	if key, _ := cursor.Seek(above); key == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}
