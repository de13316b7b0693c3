package service

// Results that were paid for and could not be stored. They are kept in this process,
// so that who asks the same again gets them, and written as soon as that works.

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

// notStored is what an answer says that could not be stored.
var notStored = signal.Warning{Code: signal.WarnNotStored, Message: "the result could not be stored whole: it may not be found again, and history and metrics may lack it"}

// mostUnstored bounds what is kept: some 20 kB each. Beyond it the oldest is lost.
const mostUnstored = 256

// backlogTime is how long one answer waits for the storing of others that could not be
// stored before it.
const backlogTime = time.Second

// unstoredResult is what was to be written.
type unstoredResult struct {
	result *store.Result
	count  store.Count
	busy   bool // somebody is writing it; guarded by unstored.mu
}

// unstored keeps results until they are written. The zero value is ready.
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

// find gives the result of an id, with an empty id the oldest; nil where there is
// none. It is the caller's to write, and to hand back to done, unless somebody else is
// at it.
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

// done ends what find began. A result that was written is kept no longer.
func (u *unstored) done(r *unstoredResult, written bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r.busy = false
	if i := slices.Index(u.results, r); written && i >= 0 {
		u.results = slices.Delete(u.results, i, i+1)
	}
}

// result reads a result. One that this process could not store is tried to be stored
// again, and given whether or not that works.
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

// storeAgain tries to store a result of find. It may be there already: then only its
// count was lost, or the word that it was stored.
func (s *Service) storeAgain(ctx context.Context, kept *unstoredResult) bool {
	ctx, cancel := ending(ctx, writeTimeout)
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
