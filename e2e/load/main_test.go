package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"thalas/e2e/process"
)

// TestMain lets the test binary be the children that the program under test
// starts: itself as stub and bare, and a small server with a store.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "stub", "bare":
			os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
		case "serve":
			listener, err := net.Listen("tcp", os.Getenv("LISTEN_ADDR"))
			if err == nil {
				process.Announce(os.Stdout, listener.Addr())
				err = http.Serve(listener, newForgetful())
			}
			fmt.Fprintln(os.Stderr, "forgetful server:", err)
			os.Exit(1)
		}
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else each child takes a second to end
	os.Exit(m.Run())
}

// forgetful is the bare program with ids, a store and counters, and with the
// fault that the environment variable FAULT names.
type forgetful struct {
	consensus http.Handler
	fault     string
	mu        sync.Mutex // guards what follows
	kept      [][]byte
	runs      int
}

func newForgetful() http.Handler {
	f := &forgetful{
		consensus: newBare(strings.TrimSuffix(os.Getenv("OPENAI_BASE_URL"), "/openai")).handler(),
		fault:     os.Getenv("FAULT"),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/consensus", f.ask)
	mux.HandleFunc("GET /v1/consensus/{id}", f.show)
	mux.HandleFunc("GET /v1/metrics", f.metrics)
	return mux
}

func (f *forgetful) ask(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	f.consensus.ServeHTTP(answer, r)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs++
	if f.fault == "exit" {
		os.Exit(3)
	}
	if f.fault == "refuse" && f.runs == 2 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"type": "http://x/problems/insufficient-responses", "status": 503}`)
		return
	}
	id := fmt.Sprintf("%04d", len(f.kept))
	body := append([]byte(`{"id":"`+id+`",`), answer.Body.Bytes()[1:]...)
	f.kept = append(f.kept, body)
	if f.fault == "other question" {
		body = bytes.Replace(body, []byte(`"pair":"BTC`), []byte(`"pair":"ETH`), 1)
	}
	_, _ = w.Write(body)
}

func (f *forgetful) show(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, body := range f.kept {
		if fmt.Sprintf("%04d", i) == r.PathValue("id") && (f.fault != "forget" || i != 1) {
			_, _ = w.Write(body)
			return
		}
	}
	http.NotFound(w, r)
}

func (f *forgetful) metrics(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.kept)
	c := counters{Total: f.runs, Successful: n, Failed: f.runs - n}
	if f.fault == "miscount" && n > 0 {
		c.Successful--
	}
	for _, name := range providerNames {
		c.Providers = append(c.Providers, struct {
			Provider  string `json:"provider"`
			Successes int    `json:"successes"`
		}{name, n})
	}
	_ = json.NewEncoder(w).Encode(c)
}

// tiny is a whole measurement in as little time as it takes.
var tiny = []string{"--closed=20ms", "--open=60ms", "--rounds=2", "--connections=1", "--rate=100", "--delay=5ms", "--soak=10", "--warmup=1ns"}

// runLoad runs the program in a folder of its own, which must be empty afterwards.
func runLoad(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return code, out.String(), errs.String()
}

func TestOfBareOnly(t *testing.T) {
	code, stdout, stderr := runLoad(t, append(tiny, "--only=bare")...)
	if code != exitGood {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"Closed loop: 1 connections", "Fixed rate: 100 arrivals a second", "Soak: 10 requests", "Every question was answered"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report has no %q:\n%s", want, stdout)
		}
	}
}

// TestServer measures the real server, so that its command line, its environment
// and its answers stay what this program takes them for.
func TestServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	program, err := buildServer(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runLoad(t, append(tiny, "--binary", program)...)
	if code != exitGood {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	checkReport(t, stdout)

	code, stdout, stderr = runLoad(t, "--closed=0", "--open=0", "--soak=64", "--connections=16", "--body=126000", "--warmup=0", "--only=thalas", "--binary", program)
	if code != exitGood || !strings.Contains(stdout, "Every question was answered") {
		t.Errorf("large questions: exit status %d\n%s%s", code, stdout, stderr)
	}
}

// checkReport holds what must be true of any good run, however slow.
func checkReport(t *testing.T, text string) {
	t.Helper()
	tables := strings.Split(text, "\n\n")
	if len(tables) != 5 { // the machine, three phases, what holds of all
		t.Fatalf("got %d parts, want 5:\n%s", len(tables), text)
	}
	for _, table := range tables[1:4] {
		lines := map[string][]string{}
		for line := range strings.Lines(table) {
			if len(line) > 26 {
				lines[strings.TrimSpace(line[:26])] = strings.Fields(line[26:])
			}
		}
		answered, looked := lines["answered 200"], lines["looked up by id"]
		if len(answered) != 2 || len(looked) != 2 || answered[0] == "0" || answered[1] == "0" || looked[0] != "0" || looked[1] != answered[1] {
			t.Errorf("got %v answered and %v looked up, want all that thalas answered looked up:\n%s", answered, looked, table)
		}
		for _, what := range []string{"consensus a second", "overhead_ms p50 ms"} {
			if len(lines[what]) < 2 {
				t.Errorf("the table has no %q of both:\n%s", what, table)
			}
		}
		if added, ok := lines["added latency p50 ms"]; ok && (strings.HasPrefix(added[0], "-") || strings.HasPrefix(added[1], "-")) {
			t.Errorf("added %v: the providers did not take their time", added)
		}
	}
	if !strings.Contains(text, "added latency p50 ms") {
		t.Errorf("nothing was measured at a fixed rate:\n%s", text)
	}
}

func TestFailuresAreFound(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ fault, want string }{
		{"refuse", "soak: thalas: 1 × 503 insufficient-responses"},
		{"forget", "soak: thalas: 1 × GET by id: 404"},
		{"other question", "thalas: 10 × pair or current_price is not the one that was asked"},
		{"miscount", "thalas: counter successful_requests is 9, want 10"},
		{"exit", "exit status 3"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			code, stdout, stderr := runLoad(t, "--closed=0", "--open=0", "--soak=10", "--connections=1", "--warmup=0", "--only=thalas", "--binary", self, "--env", "FAULT="+tt.fault)
			if code != exitFailures {
				t.Errorf("exit status %d, want %d", code, exitFailures)
			}
			if !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("nothing says %q:\n%s%s", tt.want, stdout, stderr)
			}
		})
	}
}

func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	total := newTally()
	q := question{pair: "BTC/USDT", price: "50000"}
	total.add([]question{q}, []*vegeta.Result{{Code: http.StatusOK, Body: []byte(`{"id":"a","pair":"BTC/USDT","current_price":50000,"participating_providers":3,"overhead_ms":1,"warnings":[{"code":"not_stored"}]}`)}})
	for _, want := range []string{"3 of 4 providers took part", "warned of as not_stored"} {
		if total.faults[want] != 1 {
			t.Errorf("got faults %v, want %q", total.faults, want)
		}
	}
}

func TestInterrupt(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress := interrupt{cancel}
	if code := run(ctx, []string{"--only=bare", "--closed=10ms", "--rounds=1000", "--open=0", "--soak=0", "--warmup=0"}, &bytes.Buffer{}, progress); code != exitFailures {
		t.Errorf("exit status %d, want %d", code, exitFailures)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// interrupt interrupts when the first round is reported.
type interrupt struct{ cancel func() }

func (i interrupt) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("round 1 ")) {
		i.cancel()
	}
	return len(p), nil
}

func TestMistakes(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"--speed=9"}, "not defined: -speed"},
		{"argument", []string{"fast"}, `unknown argument "fast"`},
		{"no rounds", []string{"--rounds=0"}, "at least 1 round"},
		{"body over the limit", []string{"--body=300000"}, "a body of 0 to 250000 bytes"},
		{"no rate", []string{"--rate=0"}, "want a rate of 1"},
		{"unknown program", []string{"--only=other"}, "neither bare nor thalas"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := runLoad(t, tt.args...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("got exit status %d, output %q and %q, want %d and %q", code, stdout, stderr, exitUsage, tt.want)
			}
		})
	}
}

func TestLargeQuestions(t *testing.T) {
	t.Parallel()
	questions, err := newQuestions(time.Now(), 126_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if n := len(q.body); n < 126_000 || n > 127_000 {
			t.Fatalf("a question has %d bytes, want 126,000 or a few more", n)
		}
	}
}
