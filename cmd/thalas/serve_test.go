package main

// serve, and where it may listen. What needs a second process, signals or load
// is tested end to end.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/config"
	"thalas/internal/watch"
)

// watched is an output that can be waited for.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer  // guarded by mu
	more chan struct{} // closed and renewed by each write; guarded by mu
}

func newWatched() *watched { return &watched{more: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await gives the first match, or nil where done comes before.
func (w *watched) await(pattern *regexp.Regexp, done <-chan struct{}) []string {
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

// started is a command under way.
type started struct {
	out, errs *watched
	done      chan struct{}      // closed when it has ended
	signal    context.CancelFunc // ends it as a signal does
	stop      func() ended       // signals, and waits for the end
}

func start(t *testing.T, clock watch.Clock, env environment, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{out: newWatched(), errs: newWatched(), done: make(chan struct{}), signal: cancel}
	code := 0
	go func() {
		defer close(s.done)
		code = run(ctx, args, terminal{in: strings.NewReader(""), out: s.out, err: s.errs, clock: clock, environ: append(environment{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=error"}, env...)})
	}()
	s.stop = sync.OnceValue(func() ended {
		cancel()
		<-s.done
		return ended{code, s.out.String(), s.errs.String()}
	})
	t.Cleanup(func() { s.stop() })
	return s
}

// url waits until a server answers, and gives its URL.
func (s *started) url(t *testing.T) string {
	t.Helper()
	found := s.errs.await(tryIt, s.done)
	if found == nil {
		t.Fatalf("it does not serve: exit code %d\n%s", s.stop().code, s.stop().err)
	}
	return found[1]
}

// served is a serve, or demo, under way.
type served struct {
	*started
	url string
}

var (
	tryIt   = regexp.MustCompile(`Open the page in a browser: (http://\S+)/\n`)
	staysUp = regexp.MustCompile(`End with Ctrl-C`)
)

// serving starts a command that serves, and returns once it says that it does.
func serving(t *testing.T, env environment, args ...string) *served {
	t.Helper()
	s := start(t, nil, env, args...)
	url := s.url(t)
	if args[0] == "demo" {
		s.out.await(staysUp, s.done)
	}
	return &served{s, url}
}

// post asks a server, and gives the answer.
func post(t *testing.T, url, body string) (status int, answer string) {
	t.Helper()
	return fetch(t, http.MethodPost, url+"/v1/consensus", body)
}

// fetch makes a request on a connection of its own: one that was opened and not used keeps an
// ending server waiting.
func fetch(t *testing.T, method, address, body string, header ...string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func questionAbout(pair string) string {
	return fmt.Sprintf(`{"pair": %q, "current_price": 50000.5, "market_data": {"rsi": 30, "macd": 150}}`, pair)
}

func TestServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "folder", "my.db")
	s := serving(t, environment{"GROK_ENABLED=true"}, "serve", "--data-file", file, "--simulate", "true")
	status, answer := post(t, s.url, questionAbout("BTC/USDT"))
	if status != 200 || !strings.Contains(answer, `"simulated":true`) {
		t.Errorf("%d %s", status, answer)
	}
	got := s.stop()
	if got.code != 0 || got.out != "" {
		t.Errorf("exit code %d, output %q", got.code, got.out)
	}
	for _, want := range []string{
		"Listening on " + s.url + "\n", "Store:     " + file + "\n",
		"Providers: anthropic (claude-haiku-5-5), gemini (gemini-3.5-flash-lite), grok (grok-4.20-0309-non-reasoning), openai (gpt-6-luna)\n",
		"Simulated: no language model is asked.", "Ending: no new questions are taken",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("nothing says %q:\n%s", want, got.err)
		}
	}
}

// A server without keys answers, and says at start what to set.
func TestServeWithoutKeys(t *testing.T) {
	s := serving(t, environment{"XDG_DATA_HOME=" + t.TempDir()}, "serve")
	status, answer := post(t, s.url, questionAbout("BTC/USDT"))
	if status != 503 || !strings.Contains(answer, "No available providers in registry") {
		t.Errorf("%d %s", status, answer)
	}
	got := s.stop()
	for _, want := range []string{"Providers: none. Every question is answered with 503", "  anthropic: no API key: set ANTHROPIC_API_KEY\n", "/thalas/thalas.db\n"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("nothing says %q:\n%s", want, got.err)
		}
	}
}

func TestServeRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	home := "HOME=" + t.TempDir()
	folder := t.TempDir()
	hash := strings.Repeat("0", 64)
	tests := []struct {
		name string
		env  environment
		args []string
		code int
		says string
	}{
		{"every address", environment{home, "LISTEN_ADDR=0.0.0.0:0"}, nil, 2, "0.0.0.0:0 can be reached by others, and no API_KEYS are set"},
		{"every address, by flag", environment{home}, []string{"--listen", ":8787"}, 2, ":8787 can be reached"},
		{"every address of IPv6", environment{home}, []string{"--listen", "[::]:0"}, 2, "can be reached"},
		{"a name", environment{home}, []string{"--listen", "localhost.example.com:0"}, 2, "can be reached"},
		{"another address", environment{home}, []string{"--listen", "192.0.2.1:0"}, 2, "can be reached"},
		{"no address", environment{home}, []string{"--listen", "8787"}, 2, `--listen "8787" is not host:port`},
		{"no port", environment{home}, []string{"--listen", "127.0.0.1:99999"}, 2, "is not host:port"},
		{"no address in the environment", environment{home, "LISTEN_ADDR=here"}, nil, 2, `LISTEN_ADDR is "here"`},
		{"address from an unset variable", environment{home}, []string{"--listen", ""}, 2, "--listen is empty"},
		{"file from an unset variable", environment{home}, []string{"--data-file", ""}, 2, "--data-file is empty"},
		{"address in use", environment{home}, []string{"--listen", taken.Addr().String()}, 1, "cannot listen at " + taken.Addr().String()},
		{"address of another machine", environment{home, "API_KEYS=" + hash}, []string{"--listen", "192.0.2.1:0"}, 1, "cannot listen at 192.0.2.1:0"},
		{"keys that are no hashes", environment{home, "API_KEYS=secret-of-mine"}, nil, 2, "API_KEYS is not right"},
		{"no home", nil, nil, 2, "there is no home folder for the store: set DATA_FILE"},
		{"a folder for a file", environment{home}, []string{"--listen", "127.0.0.1:0", "--data-file", folder}, 1, folder + " is a folder"},
		{"configuration of a model", environment{home, "GROK_EFFORT=high"}, nil, 2, "GROK_EFFORT"},
		{"something behind it", environment{home}, []string{"now"}, 2, "unknown command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wantRefusal(t, tt.env, tt.code, tt.says, append([]string{"serve"}, tt.args...)...)
			if strings.Contains(got.err, "secret-of-mine") || strings.Contains(got.err, "Listening") {
				t.Errorf("said too much:\n%s", got.err)
			}
		})
	}
}

func TestCheckListenAllows(t *testing.T) {
	for _, c := range []config.Config{
		{ListenAddr: "127.0.0.1:8787"}, {ListenAddr: "127.9.9.9:1"}, {ListenAddr: "[::1]:0"}, {ListenAddr: "[::ffff:127.0.0.1]:0"},
		{ListenAddr: "localhost:0"}, {ListenAddr: "LocalHost:0"},
		{ListenAddr: ":8787", APIKeys: []string{"x"}}, {ListenAddr: "example.com:80", APIKeys: []string{"x"}},
	} {
		if err := checkListen(c); err != nil {
			t.Errorf("%s: %v", c.ListenAddr, err)
		}
	}
}

func TestURLOf(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80", "0.0.0.0:81": "http://127.0.0.1:81", "[::]:82": "http://127.0.0.1:82",
		"[::1]:83": "http://[::1]:83", "192.0.2.1:84": "http://192.0.2.1:84", "[2001:db8::1]:85": "http://[2001:db8::1]:85",
	} {
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := urlOf(at); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// With keys it is open to others, and says so; callers of this machine find it.
func TestServeEverywhere(t *testing.T) {
	s := serving(t, environment{"API_KEYS=" + strings.Repeat("0", 64)}, "serve", "--listen", "0.0.0.0:0", "--data-file", filepath.Join(t.TempDir(), "my.db"))
	if status, answer := post(t, s.url, questionAbout("BTC/USDT")); status != 401 || !strings.HasPrefix(s.url, "http://127.0.0.1:") {
		t.Errorf("%s answers %d %s", s.url, status, answer)
	}
	if got := s.stop(); got.code != 0 || !strings.Contains(got.err, s.url+", and every other address of this machine\n") {
		t.Errorf("exit code %d:\n%s", got.code, got.err)
	}
}

// brokenListener fails as one does whose process may open no more files.
type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("no more files") }
func (brokenListener) Close() error              { return nil }

func TestListenerBreaks(t *testing.T) {
	waited := false
	err := answer(t.Context(), io.Discard, brokenListener{}, newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler)), &readiness{}, func(context.Context) error { waited = true; return nil })
	if err == nil || !strings.Contains(err.Error(), "no more files") || !waited {
		t.Errorf("error %v, waited for runs: %t", err, waited)
	}
}

// What does not end is given up on, and that is said.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := drained(newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler)), start.Add(drainTime), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if took := time.Since(start); took != drainTime || err == nil || !strings.Contains(err.Error(), "not everything ended within 40s") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestDataFile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		c       config.Config
		environ environment
		want    string
	}{
		{"configured", config.Config{DataFile: "my.db"}, environment{"HOME=/srv/me"}, "my.db"},
		{"data folder", config.Config{}, environment{"HOME=/srv/me", "XDG_DATA_HOME=/data"}, "/data/thalas/thalas.db"},
		{"data folder that is none", config.Config{}, environment{"HOME=/srv/me", "XDG_DATA_HOME=data"}, "/srv/me/.local/share/thalas/thalas.db"},
		{"home", config.Config{}, environment{"HOME=/srv/me"}, "/srv/me/.local/share/thalas/thalas.db"},
	} {
		if got, err := dataFile(tt.c, tt.environ); got != filepath.FromSlash(tt.want) || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestDemo(t *testing.T) {
	key := strings.Repeat("k", 20)
	file := filepath.Join(t.TempDir(), "demo.db")
	s := serving(t, environment{"GROK_ENABLED=true", "API_KEYS=" + sha256Of(key), "THALAS_API_KEY=" + key},
		"demo", "SPX/USD", "--timeframe", "1d", "--candles", "../../examples/sp500-daily.csv", "--simulate", "auto", "--data-file", file)
	// It stays up, and what it asked is there.
	got := thalas(t, environment{"THALAS_API_KEY=" + key}, "", "latest", "SPX/USD", "--timeframe", "1d", "--url", s.url, "--json")
	var latest struct {
		Pair     string
		Decision string
	}
	if err := json.Unmarshal([]byte(got.out), &latest); err != nil || latest.Pair != "SPX/USD" {
		t.Errorf("%v: %s%s", err, got.out, got.err)
	}
	end := s.stop()
	if end.code != 0 {
		t.Errorf("exit code %d:\n%s", end.code, end.err)
	}
	// Past days were asked about too, once for all demos of a day.
	if want := "1d: 197 settled (197 imported), 1 pending\n"; !strings.Contains(end.out, want) {
		t.Errorf("nothing says %q:\n%s", want, end.out)
	}
	again := serving(t, nil, "demo", "SPX/USD", "--timeframe", "1d", "--candles", "../../examples/sp500-daily.csv", "--simulate", "true", "--data-file", file)
	if said := again.stop(); !strings.Contains(said.out, "1d: 197 settled (197 imported), 2 pending\n") {
		t.Errorf("again it says:\n%s", said.out)
	}
	for _, want := range []string{"SIMULATED: ", latest.Decision + "   confidence ", "curl -s " + s.url + `/v1/consensus -H "x-api-key: $THALAS_API_KEY" -H`, "latest?pair=SPX/USD&timeframe=1d' -H", "The page, in a browser: " + s.url + "/ "} {
		if !strings.Contains(end.out, want) {
			t.Errorf("nothing says %q:\n%s", want, end.out)
		}
	}
	if strings.Contains(end.out+end.err, key) {
		t.Error("the key is shown")
	}
}

// A demo without a decision ends, and says why.
func TestDemoFails(t *testing.T) {
	home := t.TempDir()
	base := environment{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=error", "HOME=" + home}
	candles := []string{"demo", "SPX/USD", "--candles", "../../examples/sp500-daily.csv"}
	for _, tt := range []struct {
		name  string
		env   environment
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"nobody has a key", nil, "", candles, 3, "No available providers in registry"},
		{"everybody fails", simulated(t, "anthropic=wrong_key;openai=quota;gemini=wrong_key;grok=quota"), "", candles, 3, "\n  anthropic: authentication after"},
		{"no key of its own", environment{"API_KEYS=" + strings.Repeat("0", 64)}, "", candles, 1, "Set THALAS_API_KEY to the key."},
		{"no data", nil, "", []string{"demo", "SPX/USD"}, 2, "no market data"},
		{"two pairs", nil, "", []string{"demo", "SPX/USD", "BTC/USDT"}, 2, "accepts 1 arg"},
		{"empty", nil, "", []string{"demo", "SPX/USD", "--candles", ""}, 2, "--candles is empty"},
		{"configuration", environment{"MIN_PROVIDERS=0"}, "", candles, 2, "MIN_PROVIDERS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := thalas(t, append(base[:len(base):len(base)], tt.env...), tt.stdin, tt.args...)
			if got.code != tt.code || !strings.Contains(got.err, tt.says) || got.out != "" || strings.Contains(got.err, "Ending:") {
				t.Errorf("exit code %d, want %d; the error output should hold %q:\n%s%s", got.code, tt.code, tt.says, got.err, got.out)
			}
		})
	}
}
