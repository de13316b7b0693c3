package service

// Reading stored results back.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// readTimeout bounds a read of the store.
const readTimeout = 5 * time.Second

// Show gives the stored result of an id, or [ErrNotFound].
func (s *Service) Show(ctx context.Context, id string) (store.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := s.Store.Result(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return result, &Error{kind: ErrNotFound, Message: fmt.Sprintf("There is no consensus %q, or it is no longer kept.", id)}
	}
	return result, wrap(err, "to read the consensus")
}

// Latest gives the newest result of a series by candle. It gives [ErrNoSignal] if there
// is none, and [ErrStale] if it was made longer than maxAge ago; a maxAge of 0 is any age.
func (s *Service) Latest(ctx context.Context, pair signal.Pair, timeframe signal.Timeframe, maxAge time.Duration) (store.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := s.Store.Latest(ctx, store.SeriesKey(pair.String(), string(timeframe), s.Simulated))
	switch age := time.Since(result.CreatedAt); {
	case errors.Is(err, store.ErrNotFound):
		message := fmt.Sprintf("There is no consensus for %s %s yet. Ask for one by POST /v1/consensus.", pair, timeframe)
		if _, wrong := signal.ParsePair(pair.String()); wrong != nil {
			message = fmt.Sprintf("There is no consensus for %s %s yet. It is read as free text, which the compatibility route takes, since the %s.", pair, timeframe, wrong)
		}
		return result, &Error{kind: ErrNoSignal, Message: message}
	case err != nil:
		return result, unreachable("to read the latest consensus", err)
	case maxAge > 0 && age > maxAge:
		return store.Result{}, &Error{kind: ErrStale, Message: fmt.Sprintf("The newest consensus for %s %s is %s old, older than the %s asked for.", pair, timeframe, age.Round(time.Second), maxAge)}
	}
	return result, nil
}

// Query selects stored results: with a pair those of a series, without a pair those of a
// UTC day, which is the day of From, or today if From is zero.
type Query struct {
	Pair      signal.Pair      // or the free text of the compatibility route
	Timeframe signal.Timeframe // empty: signal.DefaultTimeframe
	From      time.Time        // with a pair the earliest candle, without one the earliest time of an answer; zero: no bound
	To        time.Time        // the same times are before it; zero: no bound
	Cursor    string           // Next of the page before
	Limit     int              // 1…MaxLimit; 0: DefaultLimit
}

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// History lists stored results, newest first. Its error is [signal.FieldErrors] if the
// Cursor is not of this list.
func (s *Service) History(ctx context.Context, q Query) (store.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Timeframe == "" {
		q.Timeframe = signal.DefaultTimeframe
	}
	r := store.Range{From: q.From, To: q.To, Before: q.Cursor, Limit: q.Limit}
	var page store.Page
	var err error
	if q.Pair.IsZero() {
		day := q.From
		if day.IsZero() {
			day = time.Now()
		}
		page, err = s.Store.Day(ctx, store.DayKey(day, s.Simulated), r)
	} else {
		page, err = s.Store.Series(ctx, store.SeriesKey(q.Pair.String(), string(q.Timeframe), s.Simulated), r)
	}
	if errors.Is(err, store.ErrCursor) {
		return page, signal.FieldErrors{{Field: "cursor", Message: "is not a next_cursor of this list: leave it out to begin anew", Value: q.Cursor}}
	}
	return page, wrap(err, "to read the history")
}

func wrap(err error, what string) error {
	if err != nil {
		return unreachable(what, err)
	}
	return nil
}
