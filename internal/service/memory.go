package service

// The bound on the memory of concurrent runs. A run holds its question until the models
// have answered: the parsed request, and the prompt that is made of it.

import (
	"math"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
)

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
