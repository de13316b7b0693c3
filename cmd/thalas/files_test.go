package main

// The commands about the store's file: backup, import, check and compact, with and
// without a server that has it open, and what is said of a damaged one.

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/store/bolt"
)

// wantRun runs a command and holds what it says against parts of it.
func wantRun(t *testing.T, env environment, code int, out, says string, args ...string) ended {
	t.Helper()
	got := thalas(t, env, "", args...)
	if got.code != code || !strings.Contains(got.out, out) || !strings.Contains(got.err, says) {
		t.Errorf("%q: exit code %d, want %d with %q and %q:\n%s%s", args, got.code, code, out, says, got.out, got.err)
	}
	return got
}

// wantRefusal is wantRun for a command that prints nothing but why.
func wantRefusal(t *testing.T, env environment, code int, says string, args ...string) ended {
	t.Helper()
	got := wantRun(t, env, code, "", says, args...)
	if got.out != "" {
		t.Errorf("%q prints:\n%s", args, got.out)
	}
	return got
}

func exported(t *testing.T, file string, more ...string) string {
	t.Helper()
	return wantRun(t, environment{"DATA_FILE=" + file}, 0, "", "", append([]string{"export", "--format", "jsonl"}, more...)...).out
}

func TestBackup(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT")
	folder := t.TempDir()
	stopped, running := filepath.Join(folder, "stopped.db"), filepath.Join(folder, "running.db")
	wantRun(t, f.env, 0, stopped+" is written, and sound (results: 2, hours of counters: 1, claims: 0, sums: 0, size: ", "", "backup", stopped)

	s := serving(t, f.with("API_KEYS="+sha256Of("the-key-of-a-caller")), "serve")
	wantRun(t, f.env, 0, "sound (results: 2,", "", "backup", running) // without the key: the file's folder is what counts
	wantRun(t, f.env, 1, "", "'thalas backup copy.db', then 'thalas check --data-file copy.db'", "check")
	wantRun(t, f.env, 1, "", "while nobody has it open", "compact")
	wantRun(t, f.env, 2, "", "is the store's file itself", "backup", f.file)
	wantRun(t, f.env, 2, "", "no regular file", "backup", folder)
	wantRun(t, f.env, 2, "", "no copy can be written", "backup", filepath.Join(folder, "none", "x.db"))
	if err := os.Remove(f.file); err != nil { // by mistake: what the server has open is saved
		t.Fatal(err)
	}
	saved := filepath.Join(folder, "saved.db")
	wantRun(t, f.env, 0, "sound (results: 2,", "", "backup", saved)
	s.stop()
	wantRun(t, f.env, 2, "", "there is no store at", "backup", saved)
	mustWrite(t, f.file+".addr", s.url+"\nof-a-server-that-was-killed\n")
	wantRun(t, f.env, 1, "", "there is no store at "+f.file+", and no server gives", "backup", saved)

	for _, path := range []string{stopped, running, saved} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want one that only its owner reads", path, info.Mode(), err)
		}
		if got := exported(t, path); got != f.read(t, 1)+"\n"+f.read(t, 0)+"\n" {
			t.Errorf("%s holds\n%s", path, got)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(folder, ".thalas-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// The local routes do not exist for who does not show the token, from elsewhere or at all.
func TestLocalRoutes(t *testing.T) {
	f := fill(t, "BTC/USDT")
	s := serving(t, f.env, "serve")
	_, token := bolt.Announced(f.file)
	if info, err := os.Stat(f.file + ".addr"); err != nil || info.Mode().Perm() != 0o600 || len(token) < 20 {
		t.Fatalf("the token %q lies in %v, %v", token, info, err)
	}
	for _, test := range []struct {
		name, method, path, token string
		status                    int
	}{
		{"backup", "GET", localBackup, token, 200},
		{"without a token", "GET", localBackup, "", 404},
		{"with another token", "GET", localBackup, token[1:] + "A", 404},
		{"another method", "POST", localBackup, token, 404},
		{"import without a token", "POST", localImport, "", 404},
		{"settling without a token", "POST", localSettle, "", 404},
		{"settling of nothing", "POST", localSettle, token, 500},
		{"import of nothing", "POST", localImport, token, 200},
		{"another path", "GET", "/-/other", token, 404},
	} {
		if status, _ := fetch(t, test.method, s.url+test.path, "", localToken, test.token); status != test.status {
			t.Errorf("%s: %d, want %d", test.name, status, test.status)
		}
	}
	l := &localServer{openedStore: openedStore{token: token}}
	for from, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "192.0.2.7:1": false, "": false} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = from
		r.Header.Set(localToken, token)
		if got := l.isAllowed(r); got != want {
			t.Errorf("from %q: %v, want %v", from, got, want)
		}
	}
}

func TestImport(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT", "BTC/USDT")
	folder := t.TempDir()
	simulated := filepath.Join(folder, "simulated.db")
	sim := &filled{}
	server := serving(t, nil, "serve", "--simulate", "true", "--data-file", simulated)
	sim.ask(t, server, questionAbout("BTC/USDT"))
	server.stop()

	lines, other := filepath.Join(folder, "some.jsonl"), filepath.Join(folder, "other.db")
	all := exported(t, f.file) + exported(t, simulated, "--simulate", "true")
	mustWrite(t, lines, "\ufeff"+strings.ReplaceAll(all, "\n", "\r\n\n"))
	to := environment{"DATA_FILE=" + other}
	wantRun(t, to, 0, "Results imported into "+other+": 4; there already: 0.", "", "import", lines)
	wantRun(t, to, 0, "Results imported into "+other+": 0; there already: 4.", "", "import", lines)
	if got := exported(t, other); got != exported(t, f.file) {
		t.Errorf("real results, want those that were exported, byte for byte:\n%s", got)
	}
	if got := exported(t, other, "--simulate", "true"); got != sim.read(t, 0)+"\n" {
		t.Errorf("simulated results:\n%s", got)
	}
	wantRun(t, to, 0, "is sound (results: 4, hours of counters: 0,", "", "check")

	// By the server that has the file open.
	running := filepath.Join(folder, "running.db")
	s := serving(t, environment{"DATA_FILE=" + running}, "serve")
	to = environment{"DATA_FILE=" + running}
	wantRun(t, to, 0, "Results imported into "+s.url+": 4; there already: 0.", "", "import", lines)
	wantRun(t, to, 0, "Results imported into "+s.url+": 0; there already: 4.", "", "import", lines)
	wantRun(t, to, 0, f.ids[2], "", "latest", "BTC/USDT", "--json")
	s.stop()
}

// A line that is no whole result is refused with its number, and nothing is stored.
func TestImportRefuses(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT")
	sound := exported(t, f.file)
	with := func(change func(map[string]any)) string {
		var document map[string]any
		if err := json.Unmarshal([]byte(f.answers[0]), &document); err != nil {
			t.Fatal(err)
		}
		change(document)
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set := func(name string, value any) string { return with(func(d map[string]any) { d[name] = value }) }
	vote := func(name string, value any) string {
		return with(func(d map[string]any) { d["provider_responses"].([]any)[1].(map[string]any)[name] = value })
	}
	folder := t.TempDir()
	for _, test := range []struct{ name, line, says string }{
		{"cut", f.answers[0][:200], "it is not JSON: unexpected end"},
		{"CSV", "id,timestamp", "it is not JSON"},
		{"a list", "[" + f.answers[0] + "]", "it is of a wrong kind, array"},
		{"a price that is a text", set("current_price", "50000"), "current_price is of a wrong kind, string"},
		{"two", f.answers[0] + f.answers[1], "after top-level value"},
		{"null", "null", "timestamp is missing"},
		{"no id", set("id", ""), `id "" is no id of a result`},
		{"a UUIDv4", set("id", "5d2c5ad8-5f8e-4d4e-9b4e-3a2f6f0a1b2c"), "is no id of a result"},
		{"an id of another time", set("id", "019ab0c4-83e2-7000-8000-00000000000a"), "timestamp is not of the time in its id"},
		{"an unknown decision", set("decision", "WAIT"), "none of BUY, SELL, HOLD"},
		{"a decision in lower case", set("decision", "hold"), `decision "hold"`},
		{"no decision", set("raw_decision", nil), `raw_decision ""`},
		{"no pair", set("pair", ""), "pair"},
		{"a pair in another form", set("pair", "btc-usdt"), `pair "btc-usdt" is missing, or not in its one form`},
		{"an unknown timeframe", set("timeframe", "7m"), "timeframe"},
		{"no timeframe", with(func(d map[string]any) { delete(d, "timeframe") }), "timeframe is missing"},
		{"another status", set("status", "failed"), `status "failed"`},
		{"no price", set("current_price", 0), "current_price is not above 0"},
		{"a number without end", strings.Replace(f.answers[0], `"current_price":`, `"current_price":1e999,"x":`, 1), "current_price"},
		{"a confidence above 1", set("confidence", 1.2), "outside 0…1"},
		{"no votes", set("provider_responses", []any{}), "it has no votes"},
		{"a vote too few", with(func(d map[string]any) { d["provider_responses"] = d["provider_responses"].([]any)[1:] }), "not those of its votes"},
		{"a vote that is none", vote("decision", "WAIT"), "none of BUY, SELL, HOLD"},
		{"a vote of nobody", vote("provider", ""), "vote 2 does not name its provider"},
		{"a vote of a weight below 0", vote("weight", -1), "outside 0…1"},
		{"no candle", set("candle_time", nil), "candle_time is missing"},
		{"a candle of another timeframe", set("timeframe", "1h"), "valid_until is not two timeframes after candle_time"},
		{"another time", set("timestamp", "2020-01-01T00:00:00Z"), "timestamp is not of the time in its id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, file := filepath.Join(t.TempDir(), "lines.jsonl"), filepath.Join(t.TempDir(), "none.db")
			mustWrite(t, lines, sound+"\n"+test.line+"\n"+sound)
			got := wantRun(t, environment{"DATA_FILE=" + file}, 2, "", "\n  line 4: ", "import", lines)
			if !strings.Contains(got.err, test.says) || !strings.Contains(got.err, "nothing was stored") {
				t.Errorf("it does not say %q:\n%s", test.says, got.err)
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("a file was made")
			}
		})
	}
	many := filepath.Join(folder, "many.jsonl")
	mustWrite(t, many, strings.Repeat("{}\n", 12))
	wantRun(t, f.env, 2, "", "line 5: timestamp is missing, or no time of this era\n  and 7 more", "import", many)
	wantRun(t, f.env, 2, "", "no such file", "import", filepath.Join(folder, "none"))

	// What this version does not know yet is kept.
	newer := filepath.Join(folder, "newer.jsonl")
	line := set("outcome_of_a_later_version", map[string]any{"x": 1})
	mustWrite(t, newer, line)
	file := filepath.Join(folder, "newer.db")
	wantRun(t, environment{"DATA_FILE=" + file}, 0, ": 1; there already: 0.", "", "import", newer)
	if got := exported(t, file); !strings.HasPrefix(got, line[:len(line)-1]+`,"outcome":`) {
		t.Errorf("it was changed:\n%s\nto\n%s", line, got)
	}
}

func TestCheckAndCompact(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT")
	want := exported(t, f.file)
	wantRun(t, f.env, 0, f.file+" is sound (results: 2, hours of counters: 1, claims: 0, sums: 0, size: ", "", "check")
	wantRun(t, f.env, 0, "kB after.\n", "", "compact")
	if got := exported(t, f.file); got != want {
		t.Errorf("compacting has changed the results to\n%s", got)
	}
	for _, command := range []string{"check", "compact"} {
		wantRun(t, f.env, 2, "", "there is no store at", command, "--data-file", f.file+".none")
		wantRun(t, environment{"RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c"}, 2, "", "DynamoDB tables, which have backups of their own", command)
	}
}

// Whoever reads a damaged file is told which it is, what is wrong and what to do.
func TestDamagedFileIsNamed(t *testing.T) {
	f := fill(t, "BTC/USDT", "ETH/USDT", "BTC/USDT")
	content, err := os.ReadFile(f.file)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.ReplaceAll(content, []byte(`{"schema":1,`), []byte(`{"schema:1},`)) // the header of each result
	if bytes.Equal(content, spoilt) {
		t.Fatal("nothing was spoilt")
	}
	mustWrite(t, f.file, string(spoilt))
	for _, args := range [][]string{{"history"}, {"history", "BTC/USDT"}, {"latest", "BTC/USDT"}, {"show", f.ids[0]}, {"export"}, {"replay", "BTC/USDT"}} {
		got := wantRun(t, f.env, 1, "", f.file+" is damaged", args...)
		for _, part := range []string{"the result ", "'thalas check'", "restore it from a backup"} {
			if !strings.Contains(got.err, part) {
				t.Errorf("%q does not say %q:\n%s", args, part, got.err)
			}
		}
	}
	got := wantRun(t, f.env, 1, "the result "+f.ids[0], f.file+" is damaged, or not a store file, and no result of it can be read", "check")
	if !strings.Contains(got.out, "by_series: 3 entries lead to no record that can be read") {
		t.Errorf("check says\n%s", got.out)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	wantRun(t, f.env, 1, "", "was not written", "backup", copied)
	wantRun(t, f.env, 1, "", "is damaged", "compact")
	if _, err := os.Stat(copied); err == nil {
		t.Error("a damaged copy was kept")
	}

	// One result is damaged, in its answer, and the others are as they were.
	answer := `{"id":"` + f.ids[1] + `","status":"comple`
	spoilt = bytes.ReplaceAll(content, []byte(answer+"te"), []byte(answer+"at"))
	mustWrite(t, f.file, string(spoilt))
	wantRun(t, f.env, 1, "its body is not what was written", f.file+" is damaged. What can be read of it: results: 2,", "check")

	mustWrite(t, f.file, string(content[:len(content)/2]))
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"compact"}, {"check"}, {"latest", "BTC/USDT"}} {
		if got := wantRun(t, f.env, 1, "", f.file+" is damaged", args...); strings.Contains(got.out+got.err, "runtime error") {
			t.Errorf("%q says\n%s%s", args, got.out, got.err)
		}
	}

	mustWrite(t, f.file, string(content[:4096])+strings.Repeat("noise", 20_000))
	wantRun(t, f.env, 1, "", f.file+" is damaged", "history")
	wantRun(t, f.env, 1, "", f.file+" is damaged", "check")
}

// An import that takes long tells how far it has come, and a short one tells nothing.
func TestProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.jsonl")
	mustWrite(t, path, strings.Repeat("{}\n", 50*batchResults))
	synctest.Test(t, func(t *testing.T) {
		var out, errs bytes.Buffer
		err := importAll(terminal{out: &out, err: &errs}, path, 50*batchResults, "the file", func(bodies [][]byte) (int, error) {
			time.Sleep(100 * time.Millisecond) // virtual
			return len(bodies), nil
		})
		if err != nil || out.String() != "Results imported into the file: 10000; there already: 0.\n" {
			t.Errorf("%q, %v", out.String(), err)
		}
		if want := "Imported 4000 of 10000 results …\nImported 8000 of 10000 results …\n"; errs.String() != want {
			t.Errorf("got %q, want %q", errs.String(), want)
		}
	})
}
