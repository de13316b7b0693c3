package main

// Whether questions are taken, for load balancers: one that looks is told before
// the server stops listening, so that it sends nobody into a closed door.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"thalas/internal/watch"
)

const (
	// lingerTime is how long a server goes on after it has said that it ends.
	lingerTime = 5 * time.Second
	// lookedLately is how long ago /readyz was asked by somebody who will ask again.
	lookedLately = time.Minute
)

// readiness says whether a server takes questions.
type readiness struct {
	clock watch.Clock

	mu     sync.Mutex
	looked time.Time // when it was asked last; guarded by mu
	endsBy time.Time // when everything has ended; zero: nobody has said so; guarded by mu
}

// ready reports whether questions are taken, and remembers that somebody asked.
func (r *readiness) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looked = r.clock.Now()
	return r.endsBy.IsZero()
}

// linger says that the server ends. Where somebody looks at that, it gives them the
// time to see it, in which questions are still answered.
func (r *readiness) linger(says io.Writer) {
	r.mu.Lock()
	r.endsBy = time.Now().Add(drainTime)
	wait := !r.looked.IsZero() && r.clock.Now().Sub(r.looked) <= lookedLately
	r.mu.Unlock()
	if wait {
		fmt.Fprintf(says, "Ending in %s: /readyz says so to the load balancer that asks it. Ctrl-C again ends at once.\n", lingerTime)
		_ = r.clock.Sleep(context.Background(), lingerTime)
	}
}

// bound has what comes after the server said that it ends be done by then.
func (r *readiness) bound(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		endsBy := r.endsBy
		r.mu.Unlock()
		if !endsBy.IsZero() {
			const toAnswer = time.Second
			ctx, cancel := context.WithDeadline(request.Context(), endsBy.Add(-toAnswer))
			defer cancel()
			request = request.WithContext(ctx)
		}
		handler.ServeHTTP(w, request)
	})
}
