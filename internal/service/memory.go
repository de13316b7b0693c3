package service

// The bound on what runs hold at once. A run holds its question, as it was read and
// as the models are asked it, until they have answered.

import (
	"math"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// runBytes is what a run needs whatever it asks: above all the buffers of its
	// connections.
	runBytes = 128 << 10
	// heldBytes is what each byte of a question takes at the most, where it is many short
	// numbers; one of candles takes six.
	heldBytes = 10
	// clockSize stands for the size of a question that is made here, of candles.
	clockSize = 64 << 10
)

// memory is what runs at once may hold.
type memory struct {
	bound int64
	left  *semaphore.Weighted
}

// newMemory gives runs three quarters of the memory that the Go runtime keeps to
// (GOMEMLIMIT). The rest is for what else the process holds, and for garbage: with less
// room for it the collector would take the processor from the runs.
func newMemory() memory {
	bound := debug.SetMemoryLimit(-1)
	if bound != math.MaxInt64 { // else there is no limit
		bound = bound / 4 * 3
	}
	return memory{bound, semaphore.NewWeighted(bound)}
}

// take reserves what the run of a question of that size needs, until free is called. A
// run that is alone always gets it.
func (m *memory) take(size int) (free func(), err error) {
	needs := min(runBytes+heldBytes*int64(size), m.bound)
	if !m.left.TryAcquire(needs) {
		return nil, &Error{Message: "The runs under way need all the memory that GOMEMLIMIT leaves for them. Try again.", RetryAfter: time.Second, kind: ErrBusy}
	}
	return func() { m.left.Release(needs) }, nil
}
