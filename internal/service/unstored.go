package service

// Results that were paid for and could not be stored. They are kept in this process,
// so that who asks the same again gets them, and written as soon as that works.

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// notStored is what an answer says that could not be stored.
var notStored = signal.Warning{Code: signal.WarnNotStored, Message: "the result could not be stored whole: it may not be found again, and history and metrics may lack it"}

// mostUnstored bounds what is kept: some 20 kB each. Beyond it the oldest is lost.
const mostUnstored = 256

// unstoredResult is what was to be written.
type unstoredResult struct {
	result *store.Result
	count  store.Count
}

// unstored keeps results until they are written. The zero value is ready.
type unstored struct {
	mu      sync.Mutex
	results []unstoredResult // the oldest first; guarded by mu
}

func (u *unstored) add(r unstoredResult) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.results = append(u.results, r)
	if extra := len(u.results) - mostUnstored; extra > 0 {
		u.results = append([]unstoredResult(nil), u.results[extra:]...)
	}
}

// find gives the result of an id.
func (u *unstored) find(id string) (r unstoredResult, found bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, kept := range u.results {
		if kept.result.ID == id {
			return kept, true
		}
	}
	return unstoredResult{}, false
}

func (u *unstored) remove(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	kept := u.results[:0]
	for _, r := range u.results {
		if r.result.ID != id {
			kept = append(kept, r)
		}
	}
	clear(u.results[len(kept):])
	u.results = kept
}

// result reads a result. One that this process could not store is tried to be stored
// again, and given whether or not that works.
func (s *Service) result(ctx context.Context, id string) (result store.Result, stored bool, err error) {
	kept, found := s.unstored.find(id)
	result, err = s.Store.Result(ctx, id)
	if !found {
		return result, err == nil, err
	}
	if errors.Is(err, store.ErrNotFound) {
		writing, cancel := ending(ctx, writeTimeout)
		defer cancel()
		err = s.Store.Record(writing, kept.result, kept.count)
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Result still not stored:", slog.String("run", id), slog.String("error", err.Error()))
	} else {
		s.unstored.remove(id)
		s.log.LogAttrs(ctx, slog.LevelInfo, "Result stored after all:", slog.String("run", id))
	}
	return *kept.result, err == nil, nil
}
