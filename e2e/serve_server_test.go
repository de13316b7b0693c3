package e2e

// A `thalas serve` under test, the providers behind it, and who asks it.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"thalas/internal/simulator"
)

// transcript is what a process writes. It can be waited for.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer  // guarded by mu
	more chan struct{} // closed and renewed by each write; guarded by mu
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await gives the first match, or nil where done comes before.
func (w *transcript) await(pattern *regexp.Regexp, done <-chan struct{}) []string {
	for {
		w.mu.Lock()
		found, more := pattern.FindStringSubmatch(w.text.String()), w.more
		w.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-more:
		case <-done:
			return nil
		}
	}
}

// server is a process that serves.
type server struct {
	url, file string
	process   *os.Process
	out, log  *transcript
	done      chan struct{} // closed when the process has ended
	code      int           // after done; -1: ended by a signal
	client    *http.Client
}

var browser = regexp.MustCompile(`Open the page in a browser: (http://\S+)/\n`)

// startServer runs serve over the file, and returns once it answers.
func startServer(t *testing.T, file string, env ...string) *server {
	t.Helper()
	env = append([]string{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=error", "DATA_FILE=" + file}, env...)
	s := startCommand(t, child(t, env, "serve"))
	s.file = file
	return s
}

func startCommand(t *testing.T, command *exec.Cmd) *server {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("signals can't be sent there")
	}
	s := &server{out: newTranscript(), log: newTranscript(), done: make(chan struct{}), client: newClient()}
	command.Stdout, command.Stderr = s.out, s.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command.Process
	go func() {
		defer close(s.done)
		_ = command.Wait()
		s.code = command.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the log of the server:\n%.5000s", s.log)
		}
		if text := s.log.String(); strings.Contains(text, "goroutine ") || strings.Contains(text, "DATA RACE") {
			t.Errorf("the log of the server holds a trace:\n%.5000s", text)
		}
	})
	found := s.log.await(browser, s.done)
	if found == nil {
		t.Fatalf("it does not serve: exit code %d\n%s", s.code, s.log)
	}
	s.url = found[1]
	return s
}

// kill ends the process as a power cut would.
func (s *server) kill() {
	_ = s.process.Kill()
	<-s.done
}

// terminate ends the process as an operator does.
func (s *server) terminate(t *testing.T, signal os.Signal) {
	t.Helper()
	_ = s.process.Signal(signal)
	<-s.done
	if s.code != 0 {
		t.Errorf("exit code %d after %s:\n%s", s.code, signal, s.log)
	}
}

// newClient gives each request a connection of its own. One that was opened and
// not used would keep an ending server waiting for a while.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: guard}, Timeout: guard}
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // there was none
}

// do sends a request. It can be called from any goroutine.
func (s *server) do(ctx context.Context, method, path, body string, header ...string) reply {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(text), err}
}

func (s *server) get(t *testing.T, path string) reply {
	t.Helper()
	return s.do(t.Context(), http.MethodGet, path, "")
}

func (s *server) ask(t *testing.T, body string, header ...string) reply {
	t.Helper()
	return s.do(t.Context(), http.MethodPost, "/v1/consensus", body, header...)
}

// many makes n requests at the same time.
func many(n int, request func(i int) reply) []reply {
	replies := make([]reply, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { replies[i] = request(i) })
	}
	all.Wait()
	return replies
}

// about is a question.
func about(pair string) string {
	return fmt.Sprintf(`{"pair": %q, "current_price": 50000.5, "market_data": {"rsi": 30, "macd": 150}}`, pair)
}

// result is what tests look at of an answer.
type result struct {
	ID           string
	TotalCostUSD float64 `json:"total_cost_usd"`
	Simulated    bool
}

// resultOf reads an answer that must be a decision.
func resultOf(t *testing.T, r reply) result {
	t.Helper()
	var c result
	if r.err != nil || r.status != 200 {
		t.Fatalf("no decision: %v %d %s", r.err, r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &c); err != nil || c.ID == "" {
		t.Fatalf("%v: %s", err, r.body)
	}
	return c
}

// count gives the runs that the metrics have.
func (s *server) count(t *testing.T) (total, successful int) {
	t.Helper()
	var m struct {
		Total      int `json:"total_requests"`
		Successful int `json:"successful_requests"`
	}
	// Yesterday too: midnight may pass.
	r := s.get(t, "/v1/metrics?from="+time.Now().UTC().Add(-24*time.Hour).Format(time.RFC3339))
	if err := json.Unmarshal([]byte(r.body), &m); err != nil || r.status != 200 {
		t.Fatalf("metrics: %v, %d %s", err, r.status, r.body)
	}
	return m.Total, m.Successful
}

func storeFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "thalas.db")
}

// gatedProviders answer, or hold their answers back until they may give them.
type gatedProviders struct {
	*simulator.Server
	http    *httptest.Server
	arrived chan struct{} // one for each question that is being held back

	mu   sync.Mutex
	gate chan struct{} // closed: answers pass; guarded by mu
}

// gated starts providers whose answers pass.
func gated(t *testing.T) *gatedProviders {
	t.Helper()
	p := &gatedProviders{Server: simulator.New(simulator.Options{}), arrived: make(chan struct{}, 10_000), gate: make(chan struct{})}
	close(p.gate)
	p.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		gate := p.gate
		p.mu.Unlock()
		select {
		case <-gate:
		default:
			// The body first: only then does the server see that a client goes away.
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			p.arrived <- struct{}{}
			select {
			case <-gate:
			case <-r.Context().Done():
				return
			}
		}
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { p.http.CloseClientConnections(); p.http.Close() })
	return p
}

// hold keeps answers back from now on, until release is called.
func (p *gatedProviders) hold() (release func()) {
	gate := make(chan struct{})
	p.mu.Lock()
	p.gate = gate
	p.mu.Unlock()
	return sync.OnceFunc(func() { close(gate) })
}

// awaitHeld waits until n runs hang on all providers.
func (p *gatedProviders) awaitHeld(t *testing.T, runs int) {
	t.Helper()
	for range runs * len(simulator.Providers) {
		select {
		case <-p.arrived:
		case <-time.After(guard):
			t.Fatal("the providers are not asked")
		}
	}
}

// env leads to the providers.
func (p *gatedProviders) env() []string { return plantedAt(p.http.URL) }

var sigterm os.Signal = syscall.SIGTERM

// keeps reports whether what is read back by its id is what was answered, byte for byte,
// with the outcome as its last member.
func keeps(read, answered string) bool {
	return strings.HasPrefix(read, strings.TrimSuffix(answered, "}")+`,"outcome":`)
}
