package api_test

// Which keys are accepted, which callers are slowed down, and how the log names them.

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/api"
)

// A request without a key is refused, whatever hashes are configured.
func TestNoKeyIsNeverAccepted(t *testing.T) {
	f := newServer(t, setup{api: options(sha(""), sha("\n"), sha("planted-caller-key"))})
	for name, header := range map[string][]string{"absent": nil, "empty": {"x-api-key", ""}, "a space": {"x-api-key", " "}} {
		t.Run(name, func(t *testing.T) {
			f.get(t, "/v1/consensus", header...).problem(t, 401, "unauthorized")
		})
	}
	f.get(t, "/v1/consensus", "x-api-key", "planted-caller-key").want(t, 200)
}

// guess sends a key to a handler from an address, and gives the answer and its time.
func guess(handler http.Handler, address, key string) (*httptest.ResponseRecorder, time.Duration) {
	r := httptest.NewRequest(http.MethodGet, "/nothing", nil)
	r.RemoteAddr = address
	r.Header.Set("X-Api-Key", key)
	answer := httptest.NewRecorder()
	began := time.Now()
	handler.ServeHTTP(answer, r)
	return answer, time.Since(began)
}

func TestWrongKeysAreSlowedDown(t *testing.T) {
	f := newServer(t, setup{api: options(sha("right"))})
	synctest.Test(t, func(t *testing.T) {
		const here, there = "192.0.2.1:1000", "192.0.2.2:1000"
		statuses := map[int]int{}
		var slow time.Duration
		for i := range 40 {
			answer, took := guess(f.Config.Handler, here, fmt.Sprint("wrong", i))
			statuses[answer.Code]++
			slow += took
			if answer.Code == 429 && answer.Header().Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			if right, took := guess(f.Config.Handler, here, "right"); right.Code != 404 || took != 0 {
				t.Fatalf("after %d wrong keys the right one is answered with %d after %s", i+1, right.Code, took)
			}
		}
		// While the first ones are answered, some are forgotten.
		if statuses[429] == 0 || statuses[401] < 20 || slow < 15*time.Second || statuses[401]+statuses[429] != 40 {
			t.Errorf("40 wrong keys were answered with %v in %s", statuses, slow)
		}
		if answer, took := guess(f.Config.Handler, there, "wrong"); answer.Code != 401 || took != 0 {
			t.Errorf("the first wrong key of another address: %d after %s", answer.Code, took)
		}
		time.Sleep(3 * time.Minute)
		if answer, took := guess(f.Config.Handler, here, "wrong"); answer.Code != 401 || took != 0 {
			t.Errorf("a wrong key after three minutes: %d after %s", answer.Code, took)
		}
	})
	if log := f.log.String(); !strings.Contains(log, "Wrong API keys:") || !strings.Contains(log, "address=192.0.2.1") {
		t.Error("the log does not say who tries keys")
	}
}

// The number of delayed answers is limited, and so is the number of remembered addresses.
func TestWrongKeysFromEverywhere(t *testing.T) {
	f := newServer(t, setup{api: options(sha("right"))})
	synctest.Test(t, func(t *testing.T) {
		var asking sync.WaitGroup
		var mu sync.Mutex
		delayed, refused := 0, 0
		for i := range 200 {
			asking.Go(func() {
				for range 6 { // the sixth is delayed
					answer, took := guess(f.Config.Handler, fmt.Sprintf("[2001:db8:%x::1]:1", i), "wrong")
					mu.Lock()
					if took > 0 {
						delayed++
					}
					if answer.Code == 429 {
						refused++
					}
					mu.Unlock()
				}
			})
		}
		asking.Wait()
		if delayed != 64 || refused != 136 {
			t.Errorf("%d answers were delayed and %d refused, want 64 and 136", delayed, refused)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		for i := range 5000 {
			guess(f.Config.Handler, fmt.Sprintf("[2001:db8:1:%x::1]:1", i), "wrong")
		}
		if n := api.Addresses(f.Config.Handler); n > 4097 {
			t.Errorf("%d addresses are remembered", n)
		}
		for i := range 6 { // hosts of one network are one
			answer, took := guess(f.Config.Handler, fmt.Sprintf("[2001:db8:1:1::%x]:1", i+1), "wrong")
			if i == 5 && took == 0 {
				t.Errorf("the wrong keys of one network are not counted together: %d at once", answer.Code)
			}
		}
		if right, took := guess(f.Config.Handler, "[2001:db8:1:ffff::1]:1", "right"); right.Code != 404 || took != 0 {
			t.Errorf("the right key is answered with %d after %s", right.Code, took)
		}
	})
}

// The log names a caller by the first digits of the key's hash, if there are keys.
func TestLogNamesTheCaller(t *testing.T) {
	const key = "planted-caller-key"
	f := newServer(t, setup{api: options(sha(key)), faults: "anthropic=server_error*"})
	f.post(t, "/v1/consensus", goodBody, "x-api-key", key).want(t, 200)
	f.post(t, "/v1/consensus", edited("min_providers", "3"), "x-api-key", key).want(t, 503)
	f.post(t, compatPath, goodBody, "x-api-key", key).want(t, 200)
	f.get(t, "/v1/consensus").want(t, 401)
	for line := range strings.Lines(f.log.String()) {
		says := strings.Contains(line, "caller="+sha(key)[:8]+" ") || strings.HasSuffix(line, "caller="+sha(key)[:8]+"\n")
		switch {
		case strings.Contains(line, "status=401"):
			if strings.Contains(line, "caller=") {
				t.Errorf("somebody unknown is named: %s", line)
			}
		case strings.Contains(line, "Answered:"), strings.Contains(line, "Refused:"):
			if !says || !strings.Contains(line, "run=") {
				t.Errorf("the caller or the run is missing: %s", line)
			}
		}
		if strings.Contains(line, key) || strings.Contains(line, sha(key)) {
			t.Errorf("the key is given away: %s", line)
		}
	}
	open := newServer(t, setup{})
	open.get(t, "/nothing")
	if strings.Contains(open.log.String(), "caller=") {
		t.Error("a caller is named where there are no keys")
	}
}

func TestLiveAndReady(t *testing.T) {
	ready := true
	f := newServer(t, setup{api: api.Options{APIKeys: []string{sha("right")}, Ready: func() bool { return ready }}})
	f.get(t, "/livez").want(t, 200)
	f.get(t, "/readyz").want(t, 200)
	ready = false
	f.get(t, "/livez").want(t, 200)
	f.get(t, "/readyz").want(t, 503)
	if strings.Contains(string(f.get(t, "/openapi.json").body), "/readyz") {
		t.Error("/readyz is in the contract, which functions serve too")
	}
	newServer(t, setup{}).get(t, "/readyz").problem(t, 404, "unknown-route")
}
