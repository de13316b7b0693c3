package service

// The bounds on concurrent runs: slots, which callers share fairly, and memory. A run
// holds its question until the models have answered: the parsed request, and the prompt
// that is made of it.

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// slotWait is how long a caller that has less than its share waits for a slot.
const slotWait = 2 * time.Second

// slots gives each run a slot. When no slot is free, a caller that holds less than its
// fair share waits, and a caller that has its share is refused at once. A slot that
// becomes free goes to the waiting caller that holds the fewest. With several known
// callers a part of the slots is reserved for those that hold few, so that no caller
// holds all of them.
type slots struct {
	total      int // all slots
	reserved   int // of them reserved for callers that hold less than guaranteed
	guaranteed int // slots that every known caller can count on
	callers    int // the number of known callers

	mu      sync.Mutex
	taken   int            // guarded by mu
	held    map[string]int // slots by caller, none with 0; guarded by mu
	waiting []*slotWaiter  // first come, first; guarded by mu
}

// slotWaiter is a request of a caller that waits for a slot.
type slotWaiter struct {
	caller string
	given  chan struct{} // closed when the slot is taken for it
}

// newSlots makes slots for a number of known callers. With fewer than two callers no
// slot is reserved.
func newSlots(total, callers int) *slots {
	s := &slots{total: total, callers: callers, held: map[string]int{}}
	if callers > 1 && total > 1 {
		const part = 8 // an eighth is reserved
		s.reserved = (total + part - 1) / part
		s.guaranteed = max(s.reserved/callers, 1)
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
	if !s.mayWait(caller) {
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
	if i < 0 { // the slot was given at the same moment
		return nil
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return s.busy()
}

// release gives a slot back, and hands free slots to the requests that wait.
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

// mayTake reports whether there is a free slot for the caller. A caller that holds less
// than guaranteed may take any; others may not take those that are reserved for other callers.
func (s *slots) mayTake(caller string) bool {
	free := s.total - s.taken
	if s.held[caller] < s.guaranteed {
		return free > 0
	}
	used := 0 // reserved slots that other callers hold already
	for other, held := range s.held {
		if other != caller {
			used += min(held, s.guaranteed)
		}
	}
	return free > min(s.reserved, max((s.callers-1)*s.guaranteed-used, 0))
}

// mayWait reports whether one more request of the caller may wait. What a caller holds and
// waits for is bounded by an equal part of the slots for each caller that holds one or
// waits for one, so that a flood of requests is refused and not held in memory.
func (s *slots) mayWait(caller string) bool {
	active := maps.Clone(s.held)
	active[caller]++
	for _, w := range s.waiting {
		active[w.caller]++
	}
	room := s.total - s.reserved
	return active[caller] <= max((room+len(active)-1)/len(active), 1)
}

// busy makes the refusal. The caller holds s.mu.
func (s *slots) busy() error {
	return &Error{Message: fmt.Sprintf("%d runs are under way: this process takes %d at once, shared fairly between callers. Try again.", s.taken, s.total), RetryAfter: time.Second, kind: ErrBusy}
}

const (
	// runBytes is what every run needs, mostly for the buffers of its connections.
	runBytes = 128 << 10
	// heldBytes is the most memory that a byte of a question takes. A question of many
	// short numbers takes that much; one of candles takes six bytes for each of its own.
	heldBytes = 10
	// clockSize is the assumed size of a scheduled question, which is made of candles.
	clockSize = 64 << 10
)

// memory is the memory that concurrent runs may hold together.
type memory struct {
	bound int64
	left  *semaphore.Weighted
}

// newMemory gives runs three quarters of the memory limit of the Go runtime
// (GOMEMLIMIT). The rest is for everything else and for garbage: with less room the
// garbage collector would take too much processor time.
func newMemory() memory {
	bound := debug.SetMemoryLimit(-1)
	if bound != math.MaxInt64 { // which means no limit
		bound = bound / 4 * 3
	}
	return memory{bound, semaphore.NewWeighted(bound)}
}

// take reserves the memory for the run of a question of size bytes, until free is
// called. A run that is alone always gets it.
func (m *memory) take(size int) (free func(), err error) {
	needs := min(runBytes+heldBytes*int64(size), m.bound)
	if !m.left.TryAcquire(needs) {
		return nil, &Error{Message: "The runs under way need all the memory that GOMEMLIMIT leaves for them. Try again.", RetryAfter: time.Second, kind: ErrBusy}
	}
	return func() { m.left.Release(needs) }, nil
}
