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

// statusOf gives the status of a route, on a connection of its own.
func statusOf(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestServeSaysThatItEnds(t *testing.T) {
	ctx, terminate := context.WithCancel(t.Context())
	defer terminate()
	errs, done, clock := newWatched(), make(chan struct{}), heldClock{release: make(chan struct{})}
	code := -1
	go func() {
		defer close(done)
		code = run(ctx, []string{"serve", "--data-file", filepath.Join(t.TempDir(), "thalas.db")},
			terminal{out: io.Discard, err: errs, clock: clock, environ: environment{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=error", "SIMULATE_PROVIDERS=true"}})
	}()
	found := errs.await(tryIt, done)
	if found == nil {
		t.Fatal(errs.String())
	}
	url := found[1]
	for _, path := range []string{"/livez", "/readyz"} {
		if status := statusOf(t, url+path); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	terminate()
	if errs.await(regexp.MustCompile("Ending in 5s: /readyz says so"), done) == nil {
		t.Fatalf("it ends at once: %s", errs.String())
	}
	if live, ready := statusOf(t, url+"/livez"), statusOf(t, url+"/readyz"); live != 200 || ready != 503 {
		t.Errorf("while it ends /livez gives %d and /readyz %d, want 200 and 503", live, ready)
	}
	if status, body := post(t, url, questionAbout("BTC/USDT")); status != 200 || strings.Contains(body, "timeout_cut") {
		t.Errorf("a question that came meanwhile: %d %s", status, body)
	}
	close(clock.release)
	<-done
	if code != 0 || !strings.Contains(errs.String(), "Ending: no new questions are taken") {
		t.Errorf("exit code %d: %s", code, errs.String())
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
