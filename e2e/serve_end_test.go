package e2e

// How a server ends: by a signal, by a power cut, and what is there after it.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A signal in the middle of fifty runs: nobody new is let in, all fifty are
// answered, and what was answered is stored.
func TestTerminatedInTheMiddle(t *testing.T) {
	t.Parallel()
	const runs = 50
	p := gated(t)
	file := storeFile(t)
	s := startServer(t, file, p.env()...)
	release := p.hold()
	answers := make(chan []reply)
	go func() {
		answers <- many(runs, func(i int) reply {
			return s.do(t.Context(), http.MethodPost, "/v1/consensus", about(fmt.Sprintf("C%d/USDT", i)))
		})
	}()
	p.awaitHeld(t, runs)
	_ = s.process.Signal(sigterm)
	if s.log.await(regexp.MustCompile("Ending: no new questions are taken"), s.done) == nil {
		t.Fatalf("it ends at once:\n%s", s.log)
	}
	address := strings.TrimPrefix(s.url, "http://")
	for { // it says so just before it closes the door
		connection, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = connection.Close()
	}
	release()
	replies := <-answers
	<-s.done
	if s.code != 0 {
		t.Errorf("exit code %d:\n%s", s.code, s.log)
	}
	s = startServer(t, file, p.env()...)
	for i, r := range replies {
		if stored := s.get(t, "/v1/consensus/"+resultOf(t, r).ID); stored.status != 200 || !keeps(stored.body, r.body) {
			t.Errorf("run %d: answered\n%s\nand stored %d\n%s", i, r.body, stored.status, stored.body)
		}
	}
	if total, successful := s.count(t); total != runs || successful != runs {
		t.Errorf("%d runs and %d decisions are counted, want %d", total, successful, runs)
	}
	s.terminate(t, os.Interrupt)
}

// Who has no patience ends it at once by a second signal.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	p.hold()
	lost := make(chan reply)
	go func() {
		lost <- s.do(context.Background(), http.MethodPost, "/v1/consensus", about("BTC/USDT"))
	}()
	p.awaitHeld(t, 1)
	_ = s.process.Signal(os.Interrupt)
	if s.log.await(regexp.MustCompile("Ctrl-C again ends at once"), s.done) == nil {
		t.Fatalf("it ends at once:\n%s", s.log)
	}
	for ended := false; !ended; { // one that comes together with the first is the same to it
		_ = s.process.Signal(os.Interrupt)
		select {
		case <-s.done:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if r := <-lost; r.err == nil || s.code != -1 {
		t.Errorf("exit code %d, and the question is answered: %d %s", s.code, r.status, r.body)
	}
	startServer(t, s.file, p.env()...).terminate(t, sigterm)
}

// A power cut under load, again and again: the file opens, every answer that was
// given is in it byte for byte, and nothing is half written.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	p := gated(t)
	file := storeFile(t)
	answered := map[string]string{}
	for range 4 {
		s := startServer(t, file, p.env()...)
		for id, body := range killedAfter(t, s, 10+rand.IntN(60)) {
			answered[id] = body
		}
		s = startServer(t, file, p.env()...)
		for id, body := range answered {
			if stored := s.get(t, "/v1/consensus/"+id); stored.status != 200 || !keeps(stored.body, body) {
				t.Fatalf("answered\n%s\nand stored %d\n%s", body, stored.status, stored.body)
			}
		}
		_, counted := s.count(t)
		s.terminate(t, sigterm)
		stored := exported(t, file)
		if len(stored) != counted || counted < len(answered) {
			t.Errorf("%d results are stored, %d decisions counted, %d answered", len(stored), counted, len(answered))
		}
	}
	t.Logf("%d answers were given", len(answered))
}

// killedAfter asks a server by eight clients, kills it after some answers, and
// gives all that came.
func killedAfter(t *testing.T, s *server, enough int) map[string]string {
	answered := map[string]string{}
	var mu sync.Mutex // guards answered
	reached := make(chan struct{})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				r := s.do(context.Background(), http.MethodPost, "/v1/consensus", about("BTC/USDT"))
				if r.err != nil {
					return
				}
				var document result
				if err := json.Unmarshal([]byte(r.body), &document); err != nil || r.status != 200 {
					t.Errorf("%d %s", r.status, r.body)
					return
				}
				mu.Lock()
				answered[document.ID] = r.body
				if len(answered) == enough {
					close(reached)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-reached:
	case <-s.done:
		t.Errorf("it ends by itself")
	}
	s.kill()
	clients.Wait()
	return answered
}

// exported gives everything that a file holds of today and yesterday.
func exported(t *testing.T, file string) []json.RawMessage {
	t.Helper()
	o := thalas(t, []string{"DATA_FILE=" + file}, "", "export", "--format", "jsonl", "--from", time.Now().UTC().Add(-24*time.Hour).Format(time.DateOnly))
	if o.code != 0 {
		t.Fatalf("the file can't be read: %s", o)
	}
	var documents []json.RawMessage
	for line := range bytes.Lines([]byte(o.out)) {
		if !json.Valid(line) {
			t.Errorf("half a result is stored: %s", line)
		}
		documents = append(documents, slices.Clone(line))
	}
	return documents
}

// A client that goes away has asked all the same: the run is paid for, so it is
// finished and stored.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	release := p.hold()
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan reply)
	go func() { gone <- s.do(ctx, http.MethodPost, "/v1/consensus", about("BTC/USDT")) }()
	p.awaitHeld(t, 1)
	leave()
	if r := <-gone; r.err == nil {
		t.Fatalf("it was answered: %d %s", r.status, r.body)
	}
	for range 20 { // time enough for the server to see it
		if r := s.get(t, "/v1/health"); r.status != 200 {
			t.Fatalf("health: %d %s", r.status, r.body)
		}
	}
	if r := s.get(t, "/v1/consensus/latest?pair=BTC/USDT"); r.status != 404 {
		t.Errorf("latest before the end of the run: %d %s", r.status, r.body)
	}
	release()
	s.terminate(t, sigterm) // waits for the run
	o := thalas(t, []string{"DATA_FILE=" + s.file}, "", "latest", "BTC/USDT", "--json")
	c := decisionOf(t, o)
	if len(c.Responses) != 4 || len(c.Failures) != 0 {
		t.Errorf("the run was cut short: %s", o)
	}
	for provider, asked := range p.Requests() {
		if asked != 1 {
			t.Errorf("%s was asked %d times", provider, asked)
		}
	}
}

// Beyond the bound a question is refused at once, reading goes on, and there is
// room again afterwards.
func TestTooManyRuns(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), append(p.env(), "MAX_CONCURRENT_RUNS=2")...)
	release := p.hold()
	answers := make(chan []reply)
	go func() {
		answers <- many(2, func(int) reply {
			return s.do(t.Context(), http.MethodPost, "/v1/consensus", about("BTC/USDT"))
		})
	}()
	p.awaitHeld(t, 2)
	for _, path := range []string{"/v1/consensus", "/api/v1/strategies/llm-consensus"} {
		r := s.do(t.Context(), http.MethodPost, path, about("BTC/USDT"))
		if r.status != 503 || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "2 runs are under way") {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
	}
	if r := s.get(t, "/v1/health"); r.status != 200 {
		t.Errorf("health: %d %s", r.status, r.body)
	}
	release()
	for _, r := range <-answers {
		resultOf(t, r)
	}
	resultOf(t, s.ask(t, about("BTC/USDT")))
	if total, _ := s.count(t); total != 3 {
		t.Errorf("%d runs are counted, want 3: a refused question is none", total)
	}
	s.terminate(t, sigterm)
}
