package main

// A server that a load balancer looks at says that it ends before it stops listening.

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/watch"
)

// heldClock is a clock whose sleepers sleep until they are let go.
type heldClock struct {
	watch.RealClock
	release chan struct{}
}

func (c heldClock) Sleep(ctx context.Context, _ time.Duration) error {
	select {
	case <-c.release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestServeSaysThatItEnds(t *testing.T) {
	clock := heldClock{release: make(chan struct{})}
	s := start(t, clock, environment{"SIMULATE_PROVIDERS=true"}, "serve", "--data-file", filepath.Join(t.TempDir(), "thalas.db"))
	url := s.url(t)
	statusOf := func(path string) int {
		status, _ := fetch(t, http.MethodGet, url+path, "")
		return status
	}
	if live, ready := statusOf("/livez"), statusOf("/readyz"); live != 200 || ready != 200 {
		t.Errorf("/livez gives %d and /readyz %d", live, ready)
	}
	s.signal()
	if s.errs.await(regexp.MustCompile("Ending in 5s: /readyz says so"), s.done) == nil {
		t.Fatalf("it ends at once: %s", s.errs)
	}
	if live, ready := statusOf("/livez"), statusOf("/readyz"); live != 200 || ready != 503 {
		t.Errorf("while it ends /livez gives %d and /readyz %d, want 200 and 503", live, ready)
	}
	if status, body := post(t, url, questionAbout("BTC/USDT")); status != 200 || strings.Contains(body, "timeout_cut") {
		t.Errorf("a question that came meanwhile: %d %s", status, body)
	}
	close(clock.release)
	if got := s.stop(); got.code != 0 || !strings.Contains(got.err, "Ending: no new questions are taken") {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
}

// Only somebody who looks is waited for, and what comes meanwhile is done in time.
func TestLinger(t *testing.T) {
	for name, test := range map[string]struct {
		looked time.Duration // before the end; 0: never
		want   time.Duration
	}{
		"nobody looked": {0, 0}, "somebody looked just now": {time.Second, lingerTime}, "a minute ago": {lookedLately, lingerTime}, "long ago": {lookedLately + time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &readiness{clock: watch.RealClock{}}
				if test.looked > 0 {
					if !r.ready() {
						t.Error("not ready")
					}
					time.Sleep(test.looked)
				}
				signalled := time.Now()
				r.linger(io.Discard)
				if took := time.Since(signalled); took != test.want {
					t.Errorf("it took %s, want %s", took, test.want)
				}
				if r.ready() {
					t.Error("ready while it ends")
				}
				r.bound(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
					if deadline, ok := request.Context().Deadline(); !ok || !deadline.Before(signalled.Add(drainTime)) {
						t.Errorf("a question that comes now may take until %s after the signal", deadline.Sub(signalled))
					}
				})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			})
		})
	}
}
