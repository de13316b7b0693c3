package service

// Slots bound the runs at once, and share them fairly between callers.

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// slotWait is how long a caller that has less than its share waits for a slot.
const slotWait = 2 * time.Second

// slots are taken by runs. A caller that holds less than its fair share waits for
// the next one that becomes free, which goes to the caller that holds the fewest; one
// that has its share is refused at once. Where several callers are known, a part of the
// slots is kept for those that hold few, so that no caller holds them all.
type slots struct {
	most    int // slots in all
	kept    int // of them, for callers that hold less than each
	each    int // slots that every known caller can count on
	callers int // known ones

	mu      sync.Mutex
	taken   int            // guarded by mu
	held    map[string]int // slots by caller, none with 0; guarded by mu
	waiting []*slotWaiter  // in the order of their coming; guarded by mu
}

// slotWaiter is a caller that waits for a slot.
type slotWaiter struct {
	caller string
	given  chan struct{} // closed when the slot is taken for it
}

// newSlots makes slots for so many known callers; with fewer than two none is kept.
func newSlots(most, callers int) *slots {
	s := &slots{most: most, callers: callers, held: map[string]int{}}
	if callers > 1 && most > 1 {
		const part = 8 // an eighth is kept
		s.kept = (most + part - 1) / part
		s.each = max(s.kept/callers, 1)
	}
	return s
}

// acquire takes a slot. Every successful acquire must be followed by one release.
// ErrBusy where none becomes free in time, or ctx ends.
func (s *slots) acquire(ctx context.Context, caller string) error {
	s.mu.Lock()
	if s.mayTake(caller) {
		s.take(caller)
		s.mu.Unlock()
		return nil
	}
	if s.held[caller]+s.waits(caller) >= s.share(caller) {
		defer s.mu.Unlock()
		return s.busy()
	}
	w := &slotWaiter{caller: caller, given: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()

	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case <-w.given:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, w)
	if i < 0 { // it was given at the same moment
		return nil
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return s.busy()
}

// release gives a slot back, and on to who waits.
func (s *slots) release(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.held[caller]--; s.held[caller] == 0 {
		delete(s.held, caller)
	}
	for {
		next := -1
		for i, w := range s.waiting {
			if s.mayTake(w.caller) && (next < 0 || s.held[w.caller] < s.held[s.waiting[next].caller]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := s.waiting[next]
		s.waiting = slices.Delete(s.waiting, next, next+1)
		s.take(w.caller)
		close(w.given)
	}
}

func (s *slots) take(caller string) {
	s.taken++
	s.held[caller]++
}

// mayTake reports whether a free slot is there for the caller: within what it can
// count on any, else one that is kept for no other.
func (s *slots) mayTake(caller string) bool {
	free := s.most - s.taken
	if s.held[caller] < s.each {
		return free > 0
	}
	used := 0 // by others, of what they can count on
	for other, held := range s.held {
		if other != caller {
			used += min(held, s.each)
		}
	}
	return free > min(s.kept, max((s.callers-1)*s.each-used, 0))
}

// share is how many slots the caller may hold and still wait for more: an equal part
// for each caller that holds or wants one.
func (s *slots) share(caller string) int {
	active := maps.Clone(s.held)
	active[caller]++
	for _, w := range s.waiting {
		active[w.caller]++
	}
	room := s.most - s.kept
	return max((room+len(active)-1)/len(active), 1)
}

// waits counts the requests of a caller that wait: with what it holds they are no more
// than its share, so that a flood is not held in memory.
func (s *slots) waits(caller string) (n int) {
	for _, w := range s.waiting {
		if w.caller == caller {
			n++
		}
	}
	return n
}

// busy is the refusal. The caller holds s.mu.
func (s *slots) busy() error {
	return &Error{Message: fmt.Sprintf("%d runs are under way: this process takes %d at once, shared fairly between callers. Try again.", s.taken, s.most), RetryAfter: time.Second, kind: ErrBusy}
}
