package main

// watch, against a venue's own wire format, in time that runs faster.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/market/venuetest"
	"thalas/internal/signal"
	"thalas/internal/watch"
)

// fastClock runs faster than time does, from a moment of the past on.
type fastClock struct {
	began, from time.Time
	speed       time.Duration
}

func newFastClock(speed int) *fastClock {
	return &fastClock{began: time.Now(), from: time.Date(2026, 11, 23, 4, 59, 50, 0, time.UTC), speed: time.Duration(speed)}
}

func (c *fastClock) Now() time.Time { return c.from.Add(time.Since(c.began) * c.speed) }

func (c *fastClock) Sleep(ctx context.Context, d time.Duration) error {
	return watch.RealClock{}.Sleep(ctx, d/c.speed)
}

// venueAt serves candles by the clock and gives the environment that leads to it.
func venueAt(t *testing.T, now func() time.Time) (*venuetest.Server, environment) {
	t.Helper()
	server := venuetest.Serve(now)
	t.Cleanup(server.Close)
	var env environment
	for _, name := range []string{"kraken", "coinbase", "okx"} {
		env = append(env, strings.ToUpper(name)+"_BASE_URL="+server.BaseURL(name))
	}
	return server, append(env, "LOG_LEVEL=error", "SIMULATE_PROVIDERS=true", "LISTEN_ADDR=127.0.0.1:0")
}

func TestWatchThroughSeveralCandles(t *testing.T) {
	const rounds = 4
	clock := newFastClock(300) // a minute takes 200 ms
	_, env := venueAt(t, clock.Now)
	w := start(t, clock, env, "watch", "BTC/USDT", "eth-usdt", "--timeframe", "1m", "--json", "--data-file", filepath.Join(t.TempDir(), "thalas.db"))
	url := w.url(t)
	if w.out.await(regexp.MustCompile(fmt.Sprintf(`(?s)(\n.*){%d}`, rounds)), w.done) == nil {
		t.Fatalf("it has ended:\n%s", w.errs)
	}
	var latest struct{ Items []signal.Consensus }
	_, newest := fetch(t, http.MethodGet, url+"/v1/consensus/latest?timeframe=1m&pair=BTC/USDT&pair=ETH/USDT", "")
	if err := json.Unmarshal([]byte(newest), &latest); err != nil || len(latest.Items) != 2 {
		t.Fatalf("%v: %s", err, newest)
	}
	if _, series := fetch(t, http.MethodGet, url+"/v1/series", ""); strings.Count(series, `"watched":true`) != 2 {
		t.Errorf("series: %s; want both as watched", series)
	}
	got := w.stop()
	if got.code != 0 {
		t.Errorf("exit code %d:\n%s", got.code, got.err)
	}

	asked := map[string]string{} // by series and candle, the id
	for line := range strings.Lines(got.out) {
		var s watch.Summary
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		for _, o := range s.Series {
			if o.Status != watch.Decided || !o.Stored || o.Venue != "kraken" {
				continue // a candle that was skipped on a slow machine is no mistake
			}
			key := o.Pair.String() + " " + o.CandleTime.Format(time.TimeOnly)
			if asked[key] != "" {
				t.Errorf("%s was asked about twice", key)
			}
			asked[key] = o.ID
		}
	}
	if len(asked) < 2*rounds-2 {
		t.Errorf("%d answers: %v", len(asked), asked)
	}
	for _, c := range latest.Items {
		if key := c.Pair.String() + " " + c.CandleTime.Format(time.TimeOnly); asked[key] != c.ID || c.CandleTime.Before(clock.from.Add(-time.Minute)) {
			t.Errorf("latest is %s about %s, the rounds say %q", c.ID, key, asked[key])
		}
	}
}

func TestWatchOnce(t *testing.T) {
	server, env := venueAt(t, time.Now)
	args := []string{"watch", "BTC/USDT", "--timeframe", "5m,1h", "--once", "--data-file", filepath.Join(t.TempDir(), "thalas.db")}
	got := thalas(t, env, "", args...)
	if got.code != 0 || strings.Count(got.out, "\n") != 2 || !regexp.MustCompile(`(?m)^\S+  BTC/USDT 1h  candle \d\d-\d\d \d\d:00  (BUY|SELL|HOLD)  confidence \S+  agreement .* decided, SIMULATED, kraken, \$0\.00`).MatchString(got.out) {
		t.Errorf("first: %+v", got)
	}
	fetched := len(server.Requests("kraken"))

	// The same candles, unless one has closed meanwhile.
	got = thalas(t, env, "", args...)
	if got.code != 0 || !strings.Contains(got.out, "already decided") {
		t.Errorf("again: %+v", got)
	}
	if n := len(server.Requests("kraken")) - fetched; n == 2 {
		t.Errorf("candles of both series were fetched again")
	}

	server.Always("kraken", venuetest.Status(http.StatusUnavailableForLegalReasons))
	args = []string{"watch", "SOL/USDT", "--venue", "kraken,okx", "--once", "--data-file", filepath.Join(t.TempDir(), "thalas.db")}
	if got = thalas(t, env, "", args...); got.code != 0 || !strings.Contains(got.out, "decided, SIMULATED, okx") {
		t.Errorf("with a fallback: %+v", got)
	}
	args = []string{"watch", "SOL/USDT", "--venue", "kraken", "--once", "--json", "--data-file", filepath.Join(t.TempDir(), "thalas.db")}
	if got = thalas(t, env, "", args...); got.code != 3 || !strings.Contains(got.out, `"error":"venue_refused"`) || !strings.Contains(got.err, "1 of 1 series have no decision") {
		t.Errorf("without one: %+v", got)
	}
}

func TestWatchMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "thalas.db")
	broken := filepath.Join(t.TempDir(), "broken.json")
	mustWrite(t, broken, "\ufeff"+`{"pairs": ["?"]}`)
	tests := []struct {
		name, want string
		env        environment
		args       []string
	}{
		{"nothing to watch", "nothing to watch", nil, nil},
		{"list and pairs", "leave the others out", nil, []string{"BTC/USDT", "--list", "{}"}},
		{"timeframe of nothing", "are of pairs", nil, []string{"--timeframe", "5m"}},
		{"no file", "the watch list can't be read", nil, []string{"--list", filepath.Join(t.TempDir(), "none.json")}},
		{"broken file", "the watch list " + broken + ": pairs[0]: pair", nil, []string{"--list", broken}},
		{"broken file of a variable", "WATCHLIST: the watch list " + broken + ": pairs[0]: pair", environment{"WATCHLIST=" + broken}, nil},
		{"broken list behind a byte order mark", `did you mean "pairs"?`, nil, []string{"--list", "\ufeff" + `{"pair": ["BTC/USDT"]}`}},
		{"broken list", `did you mean "pairs"?`, nil, []string{"--list", `{"pair": ["BTC/USDT"]}`}},
		{"broken variable", "WATCHLIST: pairs[0]:", environment{`WATCHLIST={"pairs": ["?"]}`}, nil},
		{"several in a variable", "Error: WATCHLIST: 2 mistakes:\n  pairs[0]:", environment{`WATCHLIST={"pairs": ["?"], "wait": 3}`}, nil},
		{"several", "Error: 2 mistakes:\n  min_confidence:", nil, []string{"--list", `{"pairs": ["BTC/USDT"], "min_confidence": 3, "venue": "nowhere"}`}},
		{"wrong pair", `pairs[0]: pair "nonsense!"`, nil, []string{"nonsense!"}},
		{"unknown timeframe", `timeframe "5M" is not known`, nil, []string{"BTC/USDT", "--timeframe", "5M"}},
		{"unknown venue", `venue "nowhere" is not known`, nil, []string{"BTC/USDT", "--venue", "nowhere"}},
		{"unknown provider", "provider_weights.nobody", nil, []string{"--list", `{"pairs": ["BTC/USDT"], "provider_weights": {"nobody": 1}}`}},
		{"delay", "--delay 2h0m0s is not between", nil, []string{"BTC/USDT", "--delay", "2h"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append(environment{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=error", "SIMULATE_PROVIDERS=true"}, tt.env...)
			got := thalas(t, env, "", append([]string{"watch", "--data-file", file, "--once"}, tt.args...)...)
			if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, tt.want) {
				t.Errorf("%+v, want %q", got, tt.want)
			}
			if _, err := os.Stat(file); strings.Contains(got.err, "Listening") || err == nil {
				t.Errorf("it listened, or made its file, before it looked at the list: %s", got.err)
			}
		})
	}
}

// outcomes are one of each kind.
func outcomes(t *testing.T) []watch.Outcome {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	candle := time.Date(2026, 11, 23, 4, 55, 0, 0, time.UTC)
	stop, target := 48750.0, 52250.0
	buy := &signal.Consensus{Decision: signal.Buy, Confidence: 0.743684, AgreementScore: 0.723502, CurrentPrice: 50000, SuggestedStopLoss: &stop, SuggestedTakeProfit: &target}
	hold := &signal.Consensus{Decision: signal.Hold, Confidence: 0.31, AgreementScore: 1, CurrentPrice: 50000}
	list := []watch.Outcome{
		{Status: watch.Decided, Decision: signal.Buy, Consensus: buy, Venue: "kraken", CostUSD: 0.0041, Stored: true},
		{Status: watch.Decided, Decision: signal.Hold, Consensus: hold, Venue: "okx", CostUSD: 0.0041},
		{Status: watch.Already, Decision: signal.Buy, Consensus: buy, Stored: true},
		{Status: watch.NoCandle, Message: "no candle of BTC/USDT 5m"},
		{Status: watch.Failed, Error: "insufficient_responses", Message: "Insufficient successful provider responses: 0 < 2"},
		{Status: watch.NotReached, Message: "the time was up"},
	}
	for i := range list {
		list[i].Pair, list[i].Timeframe, list[i].CandleTime = pair, signal.Timeframes()[i], candle
	}
	return list
}

func TestRoundLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		writeRound(&b, terminal{}.stylesFor(&b), time.Now(), watch.Summary{Series: outcomes(t)})
		golden(t, "watch-lines", b.String())
	})
}

func TestBoardStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		b := &board{redrawn: redrawn{out: s, style: terminal{}.stylesFor(&bytes.Buffer{}), width: func() int { return 120 }}, clock: watch.RealClock{}}
		list := outcomes(t)
		for _, o := range list {
			b.rows = append(b.rows, watch.Outcome{Pair: o.Pair, Timeframe: o.Timeframe})
		}
		b.start(time.Second, b.table)
		synctest.Wait()
		empty := strings.TrimRight(s.text(), "\n")
		b.round(watch.Summary{Series: list, CostUSD: 0.0082}, time.Now().Add(4*time.Minute))
		time.Sleep(3 * time.Second)
		b.end()
		full := strings.TrimRight(s.text(), "\n")
		golden(t, "watch-board", empty+"\n"+full+"\n")
		if before, after := strings.Count(empty, "\n"), strings.Count(full, "\n"); before != after {
			t.Errorf("%d lines became %d", before, after)
		}
	})
}
