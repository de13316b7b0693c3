package orchestrator

// Waiting for many that were asked at once, some of which may never answer.

import (
	"context"
	"time"
)

// grace is what providers have, after the context has ended, to notice. Those of
// ours need microseconds; one that never looks is left behind.
const grace = 250 * time.Millisecond

// collect takes results as they come, as long as more of them are outstanding. It
// returns at most grace after ctx has ended. The channel has to hold all, so that
// nobody blocks who comes later.
func collect[T any](ctx context.Context, results <-chan T, outstanding func() bool, take func(T)) {
	over := ctx.Done()
	var patience <-chan time.Time
	for outstanding() {
		select {
		case r := <-results:
			take(r)
		case <-over:
			over, patience = nil, time.After(grace)
		case <-patience:
			for len(results) > 0 { // came in the same moment
				take(<-results)
			}
			return
		}
	}
}
