package main

// The reading commands over a store that a server has filled.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/simulator"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

func sha256Of(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

// filled is a store file with answers, in the order in which they were given.
type filled struct {
	file    string
	env     environment // of whoever reads it
	answers []string
	ids     []string
}

// fill lets a server answer about the pairs, with providers that are not
// simulated as far as it knows.
func fill(t *testing.T, pairs ...string) *filled {
	t.Helper()
	running, err := simulator.Start(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	f := &filled{file: filepath.Join(t.TempDir(), "my.db")}
	f.env = append(environment(running.Env()), "LOG_LEVEL=error", "DATA_FILE="+f.file)
	s := serving(t, f.env, "serve")
	for _, pair := range pairs {
		f.ask(t, s, questionAbout(pair))
	}
	if got := s.stop(); got.code != 0 {
		t.Fatalf("exit code %d:\n%s", got.code, got.err)
	}
	return f
}

func (f *filled) ask(t *testing.T, s *served, question string) {
	t.Helper()
	status, answer := post(t, s.url, question)
	var document struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &document); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	f.answers, f.ids = append(f.answers, answer), append(f.ids, document.ID)
}

// with gives the environment with more in it.
func (f *filled) with(more ...string) environment { return slices.Concat(f.env, more) }

// read gives an answer as it is read back: with what became of it.
func (f *filled) read(t *testing.T, i int) string {
	t.Helper()
	whole, err := service.WithOutcome(&store.Result{Body: []byte(f.answers[i])})
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}

// scrubbed hides what differs from run to run.
func scrubbed(text string) string {
	for _, rule := range []struct{ pattern, with string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`, "ID"},
		{`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`, "TIME"},
		{`\b(\d+h)?(\d+m)?\d+s ago(; no longer valid)?`, "AGE ago"},
		{`\d+(\.\d+)? (ms|s)\b`, "SPAN"},
		{`(\S)   *`, "$1  "},
	} {
		text = regexp.MustCompile(rule.pattern).ReplaceAllString(text, rule.with)
	}
	return text
}

// indented is how a command prints a document.
func indented(t *testing.T, document string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(document), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func TestReadingCommands(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT", "BTC/USDT", "BTC/USDT")
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"show", []string{"show", f.ids[1]}},
		{"latest", []string{"latest", "btc-usdt", "--timeframe", "5m", "--max-age", "10m"}},
		{"history", []string{"history", "BTC/USDT"}},
		{"history-of-the-day", []string{"history"}},
		{"history-limited", []string{"history", "--limit", "1"}},
		{"replay", []string{"replay", "BTC/USDT", "--min-confidence", "0.9"}},
		{"replay-unchanged", []string{"replay", "btc-usdt", "--timeframe", "5m", "--from", "2026-01-01"}},
		{"replay-empty", []string{"replay", "SOL/USDT", "--weights", "openai=1"}},
		{"history-empty", []string{"history", "SOL/USDT"}},
		{"health", []string{"health"}},
		{"health-probed", []string{"health", "--probe"}},
		{"metrics", []string{"metrics"}},
		{"metrics-of-the-past", []string{"metrics", "--from", "2026-01-01", "--to", "2026-01-02"}},
		{"export", []string{"export"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := thalas(t, f.env, "", tt.args...)
			if got.code != 0 || got.err != "" {
				t.Errorf("exit code %d, error output %q", got.code, got.err)
			}
			golden(t, tt.name, scrubbed(got.out))
		})
	}
}

// What is printed with --json is the API's document, digit by digit.
func TestReadingJSON(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT", "BTC/USDT")
	list := func(of ...int) string {
		var parts []string
		for _, i := range of {
			parts = append(parts, f.read(t, i))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	for _, tt := range []struct{ name, want, command string }{
		{"show", f.read(t, 0), "show " + f.ids[0] + " --json"},
		{"latest", f.answers[2], "latest BTC/USDT --json"},
		{"history", list(2, 0), "history BTC/USDT --json"},
		{"history of the day", list(2, 1, 0), "history --json"},
		{"history, page by page", list(2, 1), "history --json --limit 2"},
		{"history before", "[]", "history BTC/USDT --to 2026-01-01 --json"},
		{"history after", "[]", "history BTC/USDT --from 2999-01-01T00:00:00+02:00 --json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := thalas(t, f.env, "", strings.Fields(tt.command)...)
			if got.code != 0 || got.err != "" {
				t.Errorf("exit code %d, error output %q", got.code, got.err)
			}
			if diff := cmp.Diff(indented(t, tt.want), got.out); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for command, field := range map[string]string{"health --json": "provider_health", "metrics --json --window hour": "registry_status"} {
		got := thalas(t, f.env, "", strings.Fields(command)...)
		var document map[string]json.RawMessage
		if err := json.Unmarshal([]byte(got.out), &document); err != nil || document[field] == nil || got.code != 0 {
			t.Errorf("%s: exit code %d, %v:\n%s", command, got.code, err, got.out)
		}
	}
}

// A file, a server and the server that has the file open say the same.
func TestSources(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT")
	commands := [][]string{{"show", f.ids[0]}, {"latest", "ETH/USDT", "--json"}, {"history", "--json"}, {"export", "--format", "jsonl"}, {"metrics", "--json"}, {"replay", "BTC/USDT", "--min-confidence", "1", "--json"}}
	var want []string
	for _, args := range commands {
		want = append(want, scrubbed(thalas(t, f.env, "", args...).out))
	}
	key := "the-key-of-a-caller"
	s := serving(t, f.with("API_KEYS="+sha256Of(key)), "serve")
	type test struct {
		name   string
		env    environment
		args   []string
		code   int
		output string // standard output; empty: not looked at
		says   string // on the error output
	}
	tests := []test{
		{"no key", f.env, []string{"latest", "BTC/USDT"}, 1, "", "Set THALAS_API_KEY"},
		{"wrong key", f.with("THALAS_API_KEY=another"), []string{"latest", "BTC/USDT"}, 1, "", "It is what THALAS_API_KEY says."},
		{"wrong mode", f.with("THALAS_API_KEY=" + key), []string{"latest", "BTC/USDT", "--simulate", "true"}, 2, "", "is in use by the server at " + s.url},
		{"right mode", f.with("THALAS_API_KEY=" + key), []string{"latest", "BTC/USDT", "--simulate", "false"}, 0, "", ""},
		{"second server", f.with("LISTEN_ADDR=127.0.0.1:0"), []string{"serve"}, 1, "", "is in use by another process, the server at " + s.url + ": ask that server"},
		{"health without a key", f.env, []string{"health"}, 0, "", ""},
	}
	for i, args := range commands {
		tests = append(tests,
			test{"the file's server: " + args[0], f.with("THALAS_API_KEY=" + key), args, 0, want[i], ""},
			test{"a server: " + args[0], environment{"THALAS_URL=" + s.url + "/", "THALAS_API_KEY=" + key}, args, 0, want[i], ""})
	}
	t.Run("all", func(t *testing.T) { // ends before the server does
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel() // a second for each that finds the file in use
				got := thalas(t, tt.env, "", tt.args...)
				if got.code != tt.code || !strings.Contains(got.err, tt.says) || strings.Contains(got.err, key) {
					t.Errorf("exit code %d, want %d and %q:\n%s", got.code, tt.code, tt.says, got.err)
				}
				if diff := cmp.Diff(tt.output, scrubbed(got.out)); tt.output != "" && diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

// Simulated results of a file show only where they are asked for.
func TestSimulatedApart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.db")
	f := &filled{}
	s := serving(t, nil, "serve", "--simulate", "true", "--data-file", file)
	f.ask(t, s, questionAbout("BTC/USDT"))
	s.stop()
	tests := []struct {
		name   string
		env    environment
		args   string
		code   int
		output string
	}{
		{"latest", nil, "latest BTC/USDT", 3, "Simulated results are kept apart: --simulate true shows them."},
		{"latest, simulated", nil, "latest BTC/USDT --simulate true", 0, "SIMULATED"},
		{"history", nil, "history BTC/USDT", 0, "No results. Simulated results are kept apart"},
		{"history, as configured", environment{"SIMULATE_PROVIDERS=auto"}, "history BTC/USDT", 0, "SIMULATED"},
		{"history, auto with a key", environment{"SIMULATE_PROVIDERS=auto", "GROK_API_KEY=test-key-of-grok"}, "history", 0, "No results."},
		{"history, false", environment{"SIMULATE_PROVIDERS=true"}, "history --simulate false", 0, "No results."},
		{"replay", nil, "replay BTC/USDT", 0, "No results. Simulated results are kept apart"},
		{"replay, simulated", nil, "replay BTC/USDT --simulate true", 0, "SIMULATED"},
		{"export", nil, "export", 0, "No results. Simulated results are kept apart"},
		{"export, simulated", nil, "export --format jsonl --simulate auto", 0, f.ids[0]},
		{"by id", nil, "show " + f.ids[0], 0, "SIMULATED"},
		{"health, probed", environment{"GROK_ENABLED=true"}, "health --probe --simulate true", 0, "SIMULATED"},
		{"nonsense", nil, "history --simulate maybe", 2, `"maybe" is not known`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := thalas(t, tt.env, "", append(strings.Fields(tt.args), "--data-file", file)...)
			if got.code != tt.code || !strings.Contains(got.out+got.err, tt.output) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", got.code, tt.code, tt.output, got.out, got.err)
			}
		})
	}
}

func TestReadingRefused(t *testing.T) {
	f := fill(t, "BTC/USDT")
	const unknown = "019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"
	missing := filepath.Join(t.TempDir(), "none.db")
	text := filepath.Join(t.TempDir(), "text.db")
	mustWrite(t, text, strings.Repeat("hello\n", 2000))
	tests := []struct {
		name string
		env  environment
		args string
		code int
		says string
	}{
		{"unknown id", nil, "show " + unknown, 1, "There is no consensus"},
		{"no id", nil, "show BTC/USDT", 2, "is not the id of a result"},
		{"no latest yet", nil, "latest SOL/USDT", 3, "There is no consensus for SOL/USDT 5m yet."},
		{"another timeframe", nil, "latest BTC/USDT --timeframe 1h", 3, "There is no consensus for BTC/USDT 1h yet."},
		{"max-age of nothing", nil, "latest BTC/USDT --max-age 0s", 2, "--max-age 0s"},
		{"max-age of a fraction", nil, "latest BTC/USDT --max-age 1500ms", 2, "whole seconds"},
		{"max-age of no length", nil, "latest BTC/USDT --max-age soon", 2, "--max-age"},
		{"latest of a contract", nil, "latest BTCUSD_PERP", 2, "write BTC/USD, or BTC/USD:USD for a perpetual"},
		{"latest of what is no pair", nil, "latest BTCXYZ", 3, "send one such as BTC/USDT"},
		{"two mistakes", nil, "latest " + strings.Repeat("x", 301) + " --timeframe 7m", 2, "2 mistakes:\n  PAIR "},
		{"pair that is none", nil, "history " + strings.Repeat("x", 301), 2, "PAIR pair is longer than 300 characters"},
		{"timeframe of no pair", nil, "history --timeframe 5m", 2, "--timeframe is of a pair"},
		{"limit of nothing", nil, "history --limit 0", 2, "--limit 0 is outside 1…10000"},
		{"limit of all", nil, "history --limit 10001", 2, "export has no limit"},
		{"from is no time", nil, "history --from yesterday", 2, `--from "yesterday" is not a time`},
		{"to is no time", nil, "export --to 25:00", 2, `--to "25:00" is not a time`},
		{"span that is empty", nil, "history BTC/USDT --from 2026-02-01 --to 2026-01-01", 2, "--to "},
		{"export span that is empty", nil, "export --from 2026-02-01 --to 2026-01-01", 2, "the span is empty"},
		{"export span of all times", nil, "export --from 1970-01-01", 2, "over 3660 days"},
		{"replay of no pair", nil, "replay", 2, "accepts 1 arg"},
		{"replay of a pair that is none", nil, "replay BTC-PERP --min-confidence 0.7", 2, "PAIR pair \"BTC-PERP\" names a contract and no pair: write its pair, such as BTC/USDT"},
		{"replay, timeframe", nil, "replay BTC/USDT --timeframe 7m", 2, "--timeframe "},
		{"replay, gate", nil, "replay BTC/USDT --min-confidence 70", 2, "--min-confidence 70 is outside 0…1"},
		{"replay, gate that is no number", nil, "replay BTC/USDT --min-agreement NaN", 2, "--min-agreement NaN is outside 0…1"},
		{"replay, weights", nil, "replay BTC/USDT --weights openai", 2, `"openai" is not a provider and a weight`},
		{"replay, unknown provider", nil, "replay BTC/USDT --weights openapi=1", 2, "--weights openapi is no known provider"},
		{"replay span that is empty", nil, "replay BTC/USDT --from 2026-02-01 --to 2026-01-01", 2, "--to is not after from"},
		{"format", nil, "export --format xlsx", 2, "allowed is csv or jsonl"},
		{"output that cannot be", nil, "export -o " + filepath.Join(missing, "x"), 2, "--output: "},
		{"output that is a folder", nil, "export -o " + filepath.Dir(missing), 2, "--output: "},
		{"window", nil, "metrics --window week", 2, "--window "},
		{"metrics of all times", nil, "metrics --from 1970-01-01", 2, "--from "},
		{"metrics at no time", nil, "metrics --from never", 2, "--from"},
		{"no file yet", nil, "latest BTC/USDT --data-file " + missing, 2, "there is no store at " + missing},
		{"no store", nil, "history --data-file " + text, 1, "damaged, or not a store file"},
		{"no home", environment{"DATA_FILE="}, "history", 2, "no home folder"},
		{"url and file", nil, "history --url http://127.0.0.1:1 --data-file x", 2, "leave --data-file and --simulate out"},
		{"url and mode", nil, "history --url http://127.0.0.1:1 --simulate true", 2, "leave --data-file and --simulate out"},
		{"url without a scheme", nil, "history --url localhost:8787", 2, "is not one such as http://127.0.0.1:8787"},
		{"url with a password", nil, "history --url http://me:secret@127.0.0.1:1", 2, "without user"},
		{"nobody listens", nil, "history --url http://127.0.0.1:1", 1, "no answer from http://127.0.0.1:1: "},
		{"nobody listens, from the environment", environment{"THALAS_URL=http://127.0.0.1:1"}, "health", 1, "no answer from http://127.0.0.1:1: "},
		{"configuration", environment{"MIN_PROVIDERS=0"}, "history", 2, "MIN_PROVIDERS"},
		{"configuration of a model", environment{"GROK_EFFORT=high"}, "history", 2, "GROK_EFFORT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wantRefusal(t, append(tt.env, f.env...), tt.code, tt.says, strings.Fields(tt.args)...)
			if strings.Contains(got.err, "secret") {
				t.Errorf("a password is shown:\n%s", got.err)
			}
		})
	}
	for _, args := range [][]string{{"history", "--from", ""}, {"history", "--url", ""}, {"latest", "BTC/USDT", "--timeframe", ""}, {"metrics", "--window", ""}, {"export", "-o", ""}, {"replay", "BTC/USDT", "--weights", ""}, {"health", "--simulate", ""}, {"show", unknown, "--data-file", ""}} {
		wantRefusal(t, f.env, 2, "is empty: give it a value, or leave it out", args...)
	}
}

func TestMadeText(t *testing.T) {
	made := time.Date(2026, 11, 23, 5, 0, 1, 250e6, time.UTC)
	c := &signal.Consensus{Timestamp: made, ValidUntil: made.Add(299 * time.Second)}
	for after, want := range map[time.Duration]string{
		62 * time.Second:  "Made 2026-11-23 05:00:01 UTC, 1m2s ago",
		299 * time.Second: "Made 2026-11-23 05:00:01 UTC, 4m59s ago; no longer valid",
		48 * time.Hour:    "Made 2026-11-23 05:00:01 UTC, 48h0m0s ago; no longer valid",
	} {
		if got := madeText(c, made.Add(after)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// reopened opens the file, and gives its first result.
func (f *filled) reopened(t *testing.T) (*bolt.Store, store.Result) {
	t.Helper()
	s, err := bolt.Open(f.file, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Result(t.Context(), f.ids[0])
	if err != nil {
		t.Fatal(err)
	}
	return s, result
}

// A result that is too old is no result.
func TestStale(t *testing.T) {
	f := fill(t, "BTC/USDT")
	s, result := f.reopened(t)
	result.Series, result.CreatedAt = "OLD/USDT#5m", time.Now().Add(-time.Hour)
	result.ID = "01935000-0000-7000-8000-000000000000"
	result.Position, result.ExpiresAt = store.PositionKey(result.CreatedAt, result.ID), time.Time{}
	result.Body = []byte(`{"id": "01935000-0000-7000-8000-000000000000"}`)
	if err := errors.Join(s.Record(t.Context(), &result, store.Count{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, f.env, 3, "is 1h0m0s old, older than the 10m0s asked for", "latest", "OLD/USDT", "--max-age", "10m")
	// What another version wrote is not guessed at.
	for _, command := range []string{"latest OLD/USDT", "history OLD/USDT"} {
		wantRefusal(t, f.env, 1, "is not what this version knows", strings.Fields(command)...)
	}
}

// The health of a file is that of a process which would serve it.
func TestUnavailable(t *testing.T) {
	f := fill(t, "BTC/USDT")
	for _, more := range []string{"", "--json"} {
		wantRun(t, environment{"DATA_FILE=" + f.file}, 1, "unavailable", "Error: unavailable: 0 providers can be asked, 1 are required", append([]string{"health"}, strings.Fields(more)...)...)
	}
	var env environment
	for _, entry := range f.env {
		if !strings.HasPrefix(entry, "GEMINI_API_KEY=") {
			env = append(env, entry)
		}
	}
	wantRun(t, env, 0, "no API key: set GEMINI_API_KEY", "", "health")
}

func TestFailuresShow(t *testing.T) {
	f := &filled{file: filepath.Join(t.TempDir(), "my.db")}
	env := append(simulated(t, "grok=bad_request*;gemini=rate_limit_long"), "DATA_FILE="+f.file, "DAILY_BUDGET_USD=10")
	s := serving(t, env, "serve")
	for range 2 {
		f.ask(t, s, questionAbout("BTC/USDT"))
	}
	s.stop()
	for name, args := range map[string][]string{"health-degraded": {"health"}, "metrics-with-failures": {"metrics"}} {
		golden(t, name, scrubbed(wantRun(t, env, 0, "", "", args...).out))
	}
}

// A probe that fails is told as what it is, although the last vote was good.
func TestProbeFails(t *testing.T) {
	f := &filled{file: filepath.Join(t.TempDir(), "my.db")}
	env := append(simulated(t, "anthropic=ok,wrong_key*"), "DATA_FILE="+f.file)
	s := serving(t, env, "serve")
	f.ask(t, s, questionAbout("BTC/USDT"))
	s.stop()
	if got := wantRun(t, env, 0, "probe failed: authentication", "", "health", "--probe"); !strings.HasPrefix(got.out, "degraded ") {
		t.Error(got.out)
	}
}

// The free text that the compatibility route has stored is read like a pair.
func TestReadingFreeText(t *testing.T) {
	f := fill(t)
	const question = "=Will Bitcoin reach $100k? 50 % #1 + more"
	s := serving(t, f.env, "serve")
	status, answer := fetch(t, http.MethodPost, s.url+"/api/v1/strategies/llm-consensus", questionAbout(question))
	if status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if got := s.stop(); got.code != 0 {
		t.Fatalf("the server ended with %d: %s", got.code, got.err)
	}
	for _, tt := range []struct {
		says string
		args []string
	}{
		{`"pair": "` + question + `"`, []string{"latest", question, "--json"}},
		{`"pair": "` + question + `"`, []string{"history", "  " + question, "--json"}},
		{`"runs": 1`, []string{"replay", question, "--json"}},
		{",'" + question + ",", []string{"export", question}},
	} {
		wantRun(t, f.env, 0, tt.says, "", tt.args...)
	}
}

func TestExport(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT", "BTC/USDT")
	slices.Reverse(f.answers)
	slices.Reverse(f.ids)
	want := strings.Join([]string{f.read(t, 0), f.read(t, 1), f.read(t, 2), ""}, "\n")
	path := filepath.Join(t.TempDir(), "signals")
	mustWrite(t, path, "old")
	if err := os.Chmod(path, 0o640); err != nil { // its readers must be able to read the new one too
		t.Fatal(err)
	}
	wantRefusal(t, f.env, 2, "the span is over 3660 days", "export", "--format", "jsonl", "-o", path, "--to", "2999-01-01", "--from", time.Now().UTC().Format(time.DateOnly))
	if content, err := os.ReadFile(path); string(content) != "old" || err != nil {
		t.Errorf("a refused export leaves %q, %v", content, err)
	}
	tomorrow := time.Now().UTC().Add(day).Format(time.DateOnly)
	if got := wantRun(t, f.env, 0, "", "", "export", "--format", "jsonl", "-o", path, "--from", time.Now().UTC().Add(-day).Format(time.RFC3339), "--to", tomorrow); got.out != "" {
		t.Error(got.out)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != want {
		t.Errorf("%v, got\n%swant\n%s", err, content, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" {
		t.Errorf("%v, the file that was replaced has other permissions: %v", err, info)
	}
	if rest, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".thalas-*")); len(rest) > 0 {
		t.Errorf("files are left: %v %v", rest, err)
	}

	got := thalas(t, f.env, "", "export", "BTC/USDT")
	rows, err := csv.NewReader(strings.NewReader(got.out)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "id" || rows[1][0] != f.ids[0] || rows[2][0] != f.ids[2] {
		t.Errorf("%v, rows %q", err, rows)
	}
	if same := thalas(t, f.env, "", "export", "BTC/USDT", "-o", "-"); same.out != got.out {
		t.Errorf("-o - writes %q", same.out)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err == nil {
		thalas(t, f.env, "", "export", "BTC/USDT", "-o", link)
		if content, err := os.ReadFile(path); err != nil || string(content) != got.out {
			t.Errorf("through a link: %v, %q", err, content)
		}
	}
}

// A list is read to its end, however many pages it has.
func TestPages(t *testing.T) {
	f := fill(t, "BTC/USDT")
	s, template := f.reopened(t)
	const many = 1100
	for i := range many {
		r := template
		r.ID = fmt.Sprintf("%s%012x", template.ID[:24], i)
		r.Series, r.Position = "MANY/USDT#5m", store.PositionKey(template.CreatedAt.Truncate(5*time.Minute), r.ID)
		r.Body = fmt.Appendf(nil, `{"id":"%s"}`, r.ID)
		if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]int{"export MANY/USDT --format jsonl": many, "export --format jsonl": many + 1} {
		if got := thalas(t, f.env, "", strings.Fields(command)...); strings.Count(got.out, "\n") != want {
			t.Errorf("%s: %d lines, want %d; exit code %d: %s", command, strings.Count(got.out, "\n"), want, got.code, got.err)
		}
	}
	got := thalas(t, f.env, "", "history", "MANY/USDT", "--limit", "1001", "--json")
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list) != 1001 || !slices.IsSortedFunc(list, func(a, b struct{ ID string }) int { return strings.Compare(b.ID, a.ID) }) {
		t.Errorf("%v, %d results", err, len(list))
	}
}

// A server that is another one, or stands behind something else, is not believed.
func TestStrangeServers(t *testing.T) {
	const id = "019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"
	commands := []string{"show " + id, "latest BTC/USDT", "history", "export", "health", "metrics"}
	for name, handler := range map[string]http.HandlerFunc{
		"another service": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) },
		"a page":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `<html>`) },
		"a broken proxy":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) },
		"a down proxy": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"message": "down"}`)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/", http.StatusFound)
		},
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id": "x"`)
		},
	} {
		server := httptest.NewServer(handler)
		for _, command := range commands {
			got := thalas(t, environment{"THALAS_API_KEY=key-of-mine"}, "", append(strings.Fields(command), "--url", server.URL)...)
			if got.code != 1 || got.out != "" && command != "export" || !strings.HasPrefix(got.err, "Error: ") || strings.Contains(got.err, "key-of-mine") {
				t.Errorf("%s, %s: exit code %d: %s%s", name, command, got.code, got.err, got.out)
			}
		}
		server.Close()
	}
}

func TestReadingIsInterrupted(t *testing.T) {
	f := fill(t, "BTC/USDT")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"history"}, {"export"}, {"health"}} {
		var out, errs bytes.Buffer
		if code := run(ctx, args, terminal{in: strings.NewReader(""), out: &out, err: &errs, environ: f.env}); code != 1 || !strings.Contains(errs.String(), "no answer from "+f.file+": context canceled") {
			t.Errorf("%v: exit code %d: %s", args, code, errs.String())
		}
	}
}

// A result that cannot be written is no success.
func TestReadingIntoNowhere(t *testing.T) {
	f := fill(t, "BTC/USDT")
	for _, command := range []string{"show " + f.ids[0], "latest BTC/USDT --json", "history", "history SOL/USDT", "history --json", "export", "export --format jsonl", "health", "health --json", "metrics", "metrics --json"} {
		var errs bytes.Buffer
		code := run(t.Context(), strings.Fields(command), terminal{in: strings.NewReader(""), out: brokenWriter{}, err: &errs, environ: f.env})
		if code != 1 || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%s: exit code %d: %s", command, code, errs.String())
		}
	}
}
