package main

// What became of results, on the command line: import, settle, outcomes, scoreboard, show.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/signal"
	"thalas/internal/store/dynamo/dynamotest"
)

// noon is the open time of the first candle that the results below are about.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// priceAt is the open of an hourly candle, and the close of the one before.
func priceAt(hour int) float64 { return math.Round(50000 + 900*math.Sin(float64(hour))) }

// pastResults writes results about the hours from noon on, as export does, and gives the path.
func pastResults(t *testing.T) string {
	t.Helper()
	var results []*signal.Consensus
	for hour := range 9 {
		decision, policy, after := signal.Buy, consensus.Policy{}, 2*time.Second
		switch hour {
		case 1, 2:
			decision = signal.Sell
		case 3:
			policy.MinConfidence = 0.99 // held by the gate
		case 4:
			after = time.Hour // the first candle of its window has closed
		}
		c := decided(priceAt(hour+1), policy, vote("anthropic", decision, .8, 1), vote("openai", signal.Buy, .6, .9))
		if hour == 5 {
			c.CurrentPrice = 500 // of another unit
		}
		results = append(results, hourly(c, noon.Add(time.Duration(hour)*time.Hour), after, hour))
	}
	return writeResults(t, results...)
}

// hourly makes a result one about an hour, which was answered so long after its end.
func hourly(c *signal.Consensus, candle time.Time, after time.Duration, n int) *signal.Consensus {
	c.Timeframe, c.PromptVersion = "1h", "of-the-test"
	c.Timestamp, c.CandleTime, c.ValidUntil = candle.Add(time.Hour+after), candle, candle.Add(2*time.Hour)
	c.ID = pastIDAt(c.Timestamp, n)
	return c
}

func writeResults(t *testing.T, results ...*signal.Consensus) (path string) {
	t.Helper()
	var lines strings.Builder
	for _, c := range results {
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	path = filepath.Join(t.TempDir(), "past.jsonl")
	mustWrite(t, path, lines.String())
	return path
}

func pastIDAt(at time.Time, n int) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012d", ms[:8], ms[8:], n)
}

// candleRow is a row about the hour that begins so many hours after noon.
func candleRow(hour int) string {
	open, close := priceAt(hour), priceAt(hour+1)
	return fmt.Sprintf("%s,%g,%g,%g,%g\n", noon.Add(time.Duration(hour)*time.Hour).Format(time.RFC3339), open, max(open, close)+10, min(open, close)-10, close)
}

// hourlyCandles writes the candles of the hours from noon on: the newest first, one twice, and
// one that is still open, which may be anything.
func hourlyCandles(t *testing.T) (path string) {
	t.Helper()
	rows := candleHeader + time.Now().UTC().Truncate(time.Hour).Format(time.RFC3339) + ",NaN,-1,x,\n"
	for hour := 9; hour >= 0; hour-- {
		rows += candleRow(hour)
	}
	path = filepath.Join(t.TempDir(), "candles.csv")
	mustWrite(t, path, rows+candleRow(7))
	return path
}

const candleHeader = "time,open,high,low,close\n"

func TestSettle(t *testing.T) {
	folder, lines := t.TempDir(), pastResults(t)
	env := environment{"DATA_FILE=" + filepath.Join(folder, "a.db"), "LOG_LEVEL=error"}
	wantRun(t, env, 0, ": 9; there already: 0.", "", "import", lines)

	settle := append([]string{"settle", "btc-usdt", "--source", "my-exchange", "--candles"}, hourlyCandles(t))
	board := []string{"scoreboard", "--from", "2026-03-01", "--to", "2026-03-08", "--prompt-version", "of-the-test"}

	golden(t, "settle-dry", wantRun(t, env, 0, "", "", append(settle, "--dry-run")...).out)
	wantRun(t, env, 0, "No outcomes.", "", "outcomes", "BTC/USDT", "--timeframe", "1h", "--from", "2026-03-03")
	golden(t, "settle", wantRun(t, env, 0, "", "", settle...).out)
	wantRun(t, env, 0, "\nSettled: 0. Open: 4.\n", "", settle...)
	wantRun(t, env, 0, "outcomes: 5, unsettled: 4, scores: 6).", "", "check")
	golden(t, "outcomes", wantRun(t, env, 0, "", "", "outcomes", "BTC/USDT", "--timeframe", "1h").out)
	golden(t, "scoreboard", wantRun(t, env, 0, "", "", board...).out)
	wantRun(t, env, 0, `"voter": "openai"`, "", append(board, "--json")...)
	for hour, want := range map[int]string{
		0: "Outcome: BUY was wrong. The price went from 50757 to 49319, -2.83 %; that is -3.13 % after costs of\n0.30 %. Candles: my-exchange; imported.\n",
		3: "Outcome: HOLD was wrong. The price went from 49319 to 50591, +2.58 %; the BUY of the vote, which the\ngates held, was right.",
		4: "Outcome: not settled, because it was answered when the first candle of its window had closed.\n",
		8: "Outcome: not settled yet; 'thalas settle' does it.\n",
	} {
		at := noon.Add(time.Duration(hour+1)*time.Hour + 2*time.Second)
		if hour == 4 {
			at = noon.Add(6 * time.Hour)
		}
		wantRun(t, env, 0, want, "", "show", pastIDAt(at, hour))
	}

	// Outcomes go along, and a first settlement stands.
	moved, other := filepath.Join(folder, "moved.jsonl"), environment{"DATA_FILE=" + filepath.Join(folder, "b.db")}
	wantRun(t, env, 0, "", "", "export", "BTC/USDT", "--timeframe", "1h", "--format", "jsonl", "-o", moved)
	wantRun(t, other, 0, ": 9;", "", "import", moved)
	wantRun(t, other, 0, "\nSettled: 0. Open: 4.\n", "", append(settle, "--source", "another")...)
	golden(t, "scoreboard", wantRun(t, other, 0, "", "", board...).out)
	golden(t, "outcomes", wantRun(t, other, 0, "", "", "outcomes", "BTC/USDT", "--timeframe", "1h").out)

	// By the server that has the file open.
	served := environment{"DATA_FILE=" + filepath.Join(folder, "c.db")}
	serving(t, served, "serve")
	wantRun(t, served, 0, ": 9;", "", "import", lines)
	golden(t, "settle-dry", wantRun(t, served, 0, "", "", append(settle, "--dry-run")...).out)
	golden(t, "settle", wantRun(t, served, 0, "", "", settle...).out)
	golden(t, "scoreboard", wantRun(t, served, 0, "", "", board...).out)
}

// Outcomes in the tables are those of the file.
func TestSettleOnTables(t *testing.T) {
	engine, err := dynamotest.Start(t.Context(), dynamotest.Local)
	if missing := (*dynamotest.NotInstalled)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, set := range []string{"AWS_ENDPOINT_URL_DYNAMODB=" + engine.URL, "AWS_REGION=" + dynamotest.Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"} {
		name, value, _ := strings.Cut(set, "=")
		t.Setenv(name, value) // the SDK reads them
	}
	tables := dynamotest.NewTables(t, engine.Client())
	env := environment{"RESULTS_TABLE=" + tables.Results, "METRICS_TABLE=" + tables.Metrics, "COORDINATION_TABLE=" + tables.Coordination, "LOG_LEVEL=error"}
	settle := append([]string{"settle", "BTC/USDT", "--source", "my-exchange", "--candles"}, hourlyCandles(t))

	wantRun(t, env, 0, ": 9; there already: 0.", "", "import", pastResults(t))
	golden(t, "settle-dry", wantRun(t, env, 0, "", "", append(settle, "--dry-run")...).out)
	golden(t, "settle", wantRun(t, env, 0, "", "", settle...).out)
	wantRun(t, env, 0, "\nSettled: 0. Open: 4.\n", "", settle...)
	golden(t, "outcomes", wantRun(t, env, 0, "", "", "outcomes", "BTC/USDT", "--timeframe", "1h").out)
	golden(t, "scoreboard", wantRun(t, env, 0, "", "", "scoreboard", "--from", "2026-03-01", "--to", "2026-03-08", "--prompt-version", "of-the-test").out)
}

// A file with one wrong candle settles nothing, and the mistake is told with its line.
func TestSettleRefuses(t *testing.T) {
	folder := t.TempDir()
	env := environment{"DATA_FILE=" + filepath.Join(folder, "a.db"), "LOG_LEVEL=error", "KRAKEN_BASE_URL=http://127.0.0.1:1"}
	wantRun(t, env, 2, "", "there is no store at", "settle")
	wantRun(t, env, 0, ": 9;", "", "import", pastResults(t))
	good := candleHeader
	for hour := range 12 {
		good += candleRow(hour)
	}
	at := func(hour int, prices string) string {
		return noon.Add(time.Duration(hour)*time.Hour).Format(time.RFC3339) + "," + prices + "\n"
	}
	csv := filepath.Join(folder, "candles.csv")
	for _, test := range []struct{ name, rows, says string }{
		{"one that differs", good + at(3, "1,2,1,2"), "line 14, 2026-03-02T15:00:00Z: it differs from line 5, which is of the same time: give each candle once; nothing was settled"},
		{"off the grid", good + "2026-03-03T01:30:00Z,1,2,1,2\n", "line 14, 2026-03-03T01:30:00Z: no candle of 1h opens then"},
		{"its close is above its high", good + at(30, "1,2,1,3"), "line 14, 2026-03-03T18:00:00Z: "},
		{"negative", good + at(30, "1,2,-1,2"), `line 14, column low: "-1" is not a price`},
		{"NaN", good + at(30, "1,2,1,NaN"), `line 14, column close: "NaN" is not a price`},
		{"no times", "open,high,low,close\n1,2,1,2\n", "the CSV has no column of times"},
		{"one row", candleHeader + candleRow(1), "the times of its candles do not tell their timeframe: give --timeframe"},
		{"all open", candleHeader + "2199-01-01T00:00:00Z,1,2,1,2\n2199-01-01T01:00:00Z,1,2,1,2\n", "none of its candles has closed yet"},
		{"no CSV", "", "the CSV is empty"},
	} {
		mustWrite(t, csv, test.rows)
		wantRun(t, env, 2, "", "--candles "+csv+": "+test.says, "settle", "BTC/USDT", "--candles", csv, "--source", "x")
	}
	mustWrite(t, csv, good)
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"BTC/USDT", "--timeframe", "5m", "--candles", csv, "--source", "x"}, 2, "its candles are 1h apart, and the timeframe is 5m"},
		{[]string{"BTC/USDT", "--candles", csv}, 2, "--source must say where"},
		{[]string{"BTC/USDT", "ETH/USDT", "--candles", csv, "--source", "x"}, 2, "of one pair, and 2 are named"},
		{[]string{"--candles", csv, "--source", "x"}, 2, "of one pair, and 0 are named"},
		{[]string{"BTC/USDT", "--candles", csv, "--source", "x", "--venue", "kraken"}, 2, "leave one of them out"},
		{[]string{"BTC/USDT", "--source", "x"}, 2, "give the file too"},
		{[]string{"?"}, 2, "pair"},
		{[]string{"--from", "yesterday"}, 2, "--from \"yesterday\" is not a time"},
		{[]string{"--venue", "mtgox"}, 2, "mtgox"},
		{[]string{"--venue", "kraken"}, 1, "no candles could be had for 1 series"},
	} {
		wantRun(t, env, test.code, "", test.says, append([]string{"settle"}, test.args...)...)
	}
	if got := wantRun(t, env, 0, "", "", "outcomes", "BTC/USDT", "--timeframe", "1h", "--json"); strings.Contains(got.out, "settled_at\": \"") {
		t.Errorf("something is settled:\n%s", got.out)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 3 {
		t.Errorf("%v, left behind: %v", err, left)
	}
}

// A venue gives the candles. Its made-up price fits one of the two results.
func TestSettleByVenue(t *testing.T) {
	_, env := venueAt(t, time.Now)
	env = append(env, "DATA_FILE="+filepath.Join(t.TempDir(), "a.db"))
	candle := time.Now().UTC().Truncate(time.Hour).Add(-10 * time.Hour)
	buy := func(price float64, n int) *signal.Consensus {
		return hourly(decided(price, consensus.Policy{}, vote("anthropic", signal.Buy, .8, 1)), candle, 0, n)
	}
	path := writeResults(t, buy(54000, 0), buy(66000, 1))
	wantRun(t, env, 0, ": 2;", "", "import", path)
	wantRun(t, env, 0, "BTC/USDT 1h: 1 settled by candles from kraken, 1 price mismatch\n", "", "settle", "--venue", "kraken")
	wantRun(t, append(env, "SETTLE_VENUES=coinbase"), 0, "BTC/USDT 1h: 0 settled, 1 price mismatch\n", "", "settle", "--timeframe", "1h")
}
