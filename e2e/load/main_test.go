package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be the children that the program under test
// starts: itself as stub and bare, and a small server with a store.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "stub", "bare":
			os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
		case "serve":
			fmt.Fprintln(os.Stderr, "forgetful server:", http.ListenAndServe(os.Getenv("LISTEN_ADDR"), newForgetful()))
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
	mux.Handle("GET /v1/health", f.consensus)
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
var tiny = []string{"--closed=20ms", "--open=60ms", "--rounds=2", "--connections=1", "--rate=100", "--delay=5ms", "--soak=10", "--warmup=1ns", "--limit=1m"}

// measured runs the program in a folder of its own, which must be empty afterwards.
func measured(t *testing.T, args ...string) (code int, stdout, stderr string) {
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

func TestMeasurement(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := measured(t, append(tiny, "--json", "--binary", self)...)
	if code != exitGood {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	checkReport(t, stdout, "bare", "thalas")

	code, stdout, stderr = measured(t, append(tiny, "--only=bare")...)
	if code != exitGood {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"Closed loop: 1 connections", "Open loop: 100 arrivals a second", "Soak: 10 requests", "Every question was answered"} {
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
	program, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(program, "help", "serve").Run(); err != nil {
		t.Skipf("thalas has no command serve yet: %v", err)
	}
	code, stdout, stderr := measured(t, append(tiny, "--json", "--binary", program)...)
	if code != exitGood {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	checkReport(t, stdout, "bare", "thalas")

	code, stdout, stderr = measured(t, "--closed=0", "--open=0", "--soak=64", "--connections=16", "--body=126000", "--warmup=0", "--only=thalas", "--binary", program)
	if code != exitGood || !strings.Contains(stdout, "Every question was answered") {
		t.Errorf("large questions: exit status %d\n%s%s", code, stdout, stderr)
	}
}

// checkReport holds what must be true of any good run, however slow.
func checkReport(t *testing.T, text string, servers ...string) {
	t.Helper()
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in the report:\n%s", err, text)
	}
	if len(r.Phases) != 3 {
		t.Fatalf("got %d phases, want 3:\n%s", len(r.Phases), text)
	}
	for _, p := range r.Phases {
		if len(p.Servers) != len(servers) || p.Ratios == nil || p.Ratios.Throughput == nil {
			t.Fatalf("%s: got %d servers, want %v with a ratio:\n%s", p.Name, len(p.Servers), servers, text)
		}
		for i, f := range p.Servers {
			if f.Server != servers[i] || f.Sent == 0 || f.Answers["200"] != f.Sent || f.Latency == nil || f.Overhead == nil {
				t.Errorf("%s: %s: got %+v, want %s with times and an answer to each question", p.Name, f.Server, f, servers[i])
			}
			if wantLookedUp := f.Server != "bare"; wantLookedUp && f.LookedUp != f.Sent {
				t.Errorf("%s: %s: looked up %d of %d answers", p.Name, f.Server, f.LookedUp, f.Sent)
			}
			if p.Name == "open" && (f.Added == nil || f.Added.P50 < 0) {
				t.Errorf("open: %s: added %+v: the providers did not take their time", f.Server, f.Added)
			}
		}
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
		{"miscount", "thalas: counter successful_requests rose by 9, want 10"},
		{"exit", "exit status 3"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			code, stdout, stderr := measured(t, "--closed=0", "--open=0", "--soak=10", "--connections=1", "--warmup=0", "--only=thalas", "--binary", self, "--env", "FAULT="+tt.fault)
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
	total.add(q, http.StatusOK, []byte(`{"id":"a","pair":"BTC/USDT","current_price":50000,"participating_providers":3,"overhead_ms":1,"warnings":[{"code":"not_stored"}]}`), nil, 0)
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
		{"no rate", []string{"--rate=0"}, "want a rate above 0"},
		{"unknown program", []string{"--only=other"}, "neither bare nor thalas"},
		{"server elsewhere", []string{"--url=http://192.0.2.1:80"}, "want http://127.0.0.1:PORT"},
		{"two servers", []string{"--url=http://127.0.0.1:8787", "--only=thalas"}, "do not go with it"},
		{"stub for everybody", []string{"stub", "--listen=0.0.0.0:0"}, "not an address on the loopback"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := measured(t, tt.args...)
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
