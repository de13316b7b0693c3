package service

// What the processes that share a store tell each other of the providers: who is kept out,
// for how long, and why. It is read at most every five seconds and written on changes only,
// while a run waits for other things anyway. A lost note costs one call in vain.

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"thalas/internal/provider"
	"thalas/internal/store"
)

const (
	hearEvery  = 5 * time.Second
	hearsayFor = time.Hour // how long a note is kept after the last change; no provider is kept out for longer
)

// hearsay is what a process knows of the common note. The zero value is ready.
type hearsay struct {
	telling sync.Mutex // held while the note is written

	mu      sync.Mutex
	read    time.Time                  // when it was last read; guarded by mu
	version string                     // guarded by mu
	known   map[string]provider.Learnt // by provider: what the note said when it was last read or written; guarded by mu
}

func (s *Service) hearsayKey() string {
	if s.Simulated {
		return "breaker#" + simulatedPrefix + "providers"
	}
	return "breaker#providers"
}

// hear tells the breakers what other processes have learnt, if it is time to read that. It
// returns at once. The caller must call heard before it returns itself.
func (s *Service) hear(ctx context.Context) (heard func()) {
	h := &s.hearsay
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Notes == nil || time.Since(h.read) < hearEvery {
		return func() {}
	}
	h.read = time.Now()
	seen := h.version
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		note, err := s.Notes.Note(ctx, s.hearsayKey())
		if err == nil {
			err = s.believe(note, nil, &seen)
		}
		s.logNote(ctx, providersNotShared, "read", err)
	})
	return reading.Wait
}

// believe tells the breakers what a note says that is new, but for the providers of which
// this process has learnt something itself. A note that was read is out of date if this
// process knows another one than before that; seen is the one before.
func (s *Service) believe(note store.Note, own map[string]provider.Learnt, seen *string) error {
	said := map[string]provider.Learnt{}
	if note.Version != "" {
		if err := json.Unmarshal([]byte(note.Text), &said); err != nil {
			return err
		}
	}
	h := &s.hearsay
	h.mu.Lock()
	defer h.mu.Unlock()
	if note.Version == h.version || seen != nil && *seen != h.version {
		return nil
	}
	for _, e := range s.Registry.Entries() {
		name := e.Provider.Name()
		if _, learnt := own[name]; !learnt && said[name] != h.known[name] {
			e.Breaker.Hear(said[name])
		}
	}
	h.version, h.known = note.Version, said
	return nil
}

// learnt gives what this process knows of all providers, and of which that is new.
func (s *Service) learnt() (all, changed map[string]provider.Learnt, version string) {
	h := &s.hearsay
	h.mu.Lock()
	defer h.mu.Unlock()
	all, changed = map[string]provider.Learnt{}, map[string]provider.Learnt{}
	for _, e := range s.Registry.Entries() {
		name := e.Provider.Name()
		all[name] = e.Breaker.Learnt()
		if all[name] != h.known[name] {
			changed[name] = all[name]
		}
	}
	return all, changed, h.version
}

// tell writes what the calls of this process have shown, if that is new. If another process
// has written meanwhile, it takes that over and tries once more.
func (s *Service) tell(ctx context.Context) {
	if s.Notes == nil || !s.hearsay.telling.TryLock() { // the next run tells it
		return
	}
	defer s.hearsay.telling.Unlock()
	ctx, cancel := writeContext(ctx, noteTimeout)
	defer cancel()
	for range 2 {
		all, changed, version := s.learnt()
		if len(changed) == 0 {
			return
		}
		text, _ := json.Marshal(all) // can't fail: it holds texts and times within the hour
		current, err := s.Notes.Replace(ctx, s.hearsayKey(), version, store.Note{Version: uuid.NewString(), Text: string(text), ExpiresAt: time.Now().Add(hearsayFor)})
		held := errors.Is(err, store.ErrHeld)
		if err == nil || held {
			err = s.believe(current, changed, nil)
		}
		if err != nil || !held {
			s.logNote(ctx, providersNotShared, "write", err)
			return
		}
	}
}
