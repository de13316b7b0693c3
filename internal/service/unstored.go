package service

// Results that were paid for and could not be stored. This process keeps them in memory:
// a repeated question gets them, and they are stored as soon as the store takes writes.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// notStored is the warning of a result that could not be stored.
var notStored = signal.Warning{Code: signal.WarnNotStored, Message: "the result could not be stored whole: it may not be found again, and history and metrics may lack it"}

// mostUnstored is the most results that are kept in memory, some 20 kB each. If there
// are more, the oldest is lost.
const mostUnstored = 256

// backlogTime is how long one answer waits for the storing of others that could not be
// stored before it.
const backlogTime = time.Second

// unstoredResult is a result with its count, as they should have been stored.
type unstoredResult struct {
	result *store.Result
	count  store.Count
	busy   bool // it is being written; guarded by unstored.mu
}

// unstored holds results until they are stored. The zero value is empty and ready.
type unstored struct {
	mu      sync.Mutex
	results []*unstoredResult // the oldest first; guarded by mu
}

// add keeps a result, and gives the id of the one that is lost for it, if one is.
func (u *unstored) add(result *store.Result, count store.Count) (lost string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.results = append(u.results, &unstoredResult{result: result, count: count})
	if len(u.results) > mostUnstored {
		lost = u.results[0].result.ID
		u.results = slices.Delete(u.results, 0, 1)
	}
	return lost
}

// find gives the result of an id, or with an empty id the oldest that is not being
// written; nil if there is none. If mine is true, the caller must write it and then call
// done. If it is false, another goroutine is writing it.
func (u *unstored) find(id string) (r *unstoredResult, mine bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, kept := range u.results {
		if id != "" && kept.result.ID != id || id == "" && kept.busy {
			continue
		}
		mine, kept.busy = !kept.busy, true
		return kept, mine
	}
	return nil, false
}

// done reports the end of a write that find began. A result that was written is dropped.
func (u *unstored) done(r *unstoredResult, written bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r.busy = false
	if i := slices.Index(u.results, r); written && i >= 0 {
		u.results = slices.Delete(u.results, i, i+1)
	}
}

// result reads a result. If this process could not store it before, it tries again, and
// gives the result whether or not that works.
func (s *Service) result(ctx context.Context, id string) (result store.Result, stored bool, err error) {
	kept, mine := s.unstored.find(id)
	if kept == nil {
		result, err = s.Store.Result(ctx, id)
		return result, err == nil, err
	}
	return *kept.result, mine && s.storeAgain(ctx, kept), nil
}

// storeBacklog stores results that could not be stored, the oldest first, until that
// does not work, or the time is over.
func (s *Service) storeBacklog(ctx context.Context, until time.Time) {
	for time.Now().Before(until) {
		if kept, mine := s.unstored.find(""); !mine || !s.storeAgain(ctx, kept) {
			return
		}
	}
}

// storeLast stores what it can before the process ends, and says what is lost with it.
func (s *Service) storeLast(ctx context.Context, until time.Time) error {
	s.storeBacklog(ctx, until)
	s.unstored.mu.Lock()
	defer s.unstored.mu.Unlock()
	if lost := len(s.unstored.results); lost > 0 {
		return fmt.Errorf("answers that could not be stored, and are lost now: %d; the log says which and why", lost)
	}
	return nil
}

// storeAgain stores a result that find gave. The result may be in the store already: a
// write can succeed although its answer is lost, and then only its count may be missing.
func (s *Service) storeAgain(ctx context.Context, kept *unstoredResult) bool {
	ctx, cancel := writeContext(ctx, writeTimeout)
	defer cancel()
	_, err := s.Store.Result(ctx, kept.result.ID)
	if errors.Is(err, store.ErrNotFound) {
		err = s.Store.Record(ctx, kept.result, kept.count)
	}
	s.unstored.done(kept, err == nil)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Result still not stored:", slog.String("run", kept.result.ID), slog.String("error", err.Error()))
		return false
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "Result stored after all:", slog.String("run", kept.result.ID))
	return true
}
