package api_test

// What became of results, from the question to the scoreboard, over real HTTP.

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/api"
	"thalas/internal/market"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// pastRuns asks once, and imports the answer as one of each of the last n hours.
func pastRuns(t *testing.T, f *fixture, n int, header ...string) (ids []string, series market.Series) {
	t.Helper()
	var c signal.Consensus
	f.post(t, "/v1/consensus", edited("timeframe", `"1h"`), header...).want(t, 200).into(t, &c)
	if c.Probability == nil || c.Probability.Needed != 100 || c.Probability.Value != nil {
		t.Errorf("probability %+v", c.Probability)
	}
	series = market.Series{Pair: c.Pair, Timeframe: c.Timeframe}
	first := time.Now().UTC().Truncate(time.Hour).Add(-time.Duration(n+4) * time.Hour)
	var lines [][]byte
	for i := range n {
		c.CandleTime = first.Add(time.Duration(i) * time.Hour)
		c.Timestamp, c.ValidUntil = c.CandleTime.Add(time.Hour+time.Second), c.CandleTime.Add(2*time.Hour)
		c.VotesAt = c.Timestamp
		ms := fmt.Sprintf("%012x", c.Timestamp.UnixMilli())
		c.ID = fmt.Sprintf("%s-%s-7000-8000-%012x", ms[:8], ms[8:], i)
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		lines, ids = append(lines, line), append(ids, c.ID)
	}
	if added, err := f.service.Import(t.Context(), lines); err != nil || added != n {
		t.Fatalf("%d imported, %v", added, err)
	}
	slices.Reverse(ids) // the newest first
	return ids, series
}

// settle gives the server candles that all rise from 50000 to 50500.
func settle(t *testing.T, f *fixture, series market.Series) {
	t.Helper()
	var candles []signal.Candle
	last := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	for at := last.Add(-30 * time.Hour); !at.After(last); at = at.Add(time.Hour) {
		var c signal.Candle
		c.Time = at
		for text, into := range map[string]*signal.Number{"50000": &c.Open, "50600": &c.High, "49900": &c.Low, "50500": &c.Close} {
			var err error
			if *into, err = signal.ParseNumber(text); err != nil {
				t.Fatal(err)
			}
		}
		candles = append(candles, c)
	}
	if err := f.service.SettleFrom(t.Context(), series, candles, "planted"); err != nil {
		t.Fatal(err)
	}
}

func TestFromQuestionToScoreboard(t *testing.T) {
	f := newServer(t, setup{service: service.Options{RoundTripCost: 0.003}})
	ids, series := pastRuns(t, f, 5)
	one := "/v1/consensus/" + ids[0]
	pending := f.get(t, one).want(t, 200)
	if got := pending.object(t)["outcome"].(map[string]any); got["status"] != "pending" || pending.header.Get("Cache-Control") != "private, max-age=0" {
		t.Errorf("%v, Cache-Control %q", got, pending.header.Get("Cache-Control"))
	}
	settle(t, f, series)
	settled := f.get(t, one, "If-None-Match", pending.header.Get("ETag")).want(t, 200) // it is another one now
	outcome := settled.object(t)["outcome"].(map[string]any)
	if outcome["status"] != "settled" || outcome["class"] != "up" || outcome["imported"] != true || !strings.Contains(settled.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%v, Cache-Control %q", outcome, settled.header.Get("Cache-Control"))
	}
	f.get(t, one, "If-None-Match", settled.header.Get("ETag")).want(t, 304)
	if latest := f.get(t, "/v1/consensus/latest?pair=BTC/USDT&timeframe=1h").want(t, 200); strings.Contains(string(latest.body), `"outcome"`) {
		t.Error("latest has an outcome")
	}

	from := time.Now().UTC().Add(-48 * time.Hour).Format(time.DateOnly)
	for _, path := range []string{"/v1/outcomes?pair=btc-usdt&timeframe=1h", "/v1/outcomes?timeframe=1h&from=" + from, "/v1/outcomes?from=" + from + "T12:00:00Z"} {
		t.Run(path, func(t *testing.T) {
			var got []string
			for next := "&limit=2"; next != ""; {
				var page struct {
					Items []struct{ ID string }
					Next  *string `json:"next_cursor"`
				}
				f.get(t, path+next).want(t, 200).into(t, &page)
				for _, item := range page.Items {
					got = append(got, item.ID)
				}
				if next = ""; page.Next != nil {
					next = "&limit=2&cursor=" + *page.Next
				}
			}
			if diff := cmp.Diff(ids, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
	if other := f.get(t, "/v1/outcomes?timeframe=1d&from="+from).want(t, 200); string(other.body) != `{"items":[],"next_cursor":null}` {
		t.Errorf("of another timeframe: %s", other.body)
	}
	golden(t, "outcomes.json", scrubbed(t, f.get(t, "/v1/outcomes?pair=BTC/USDT&timeframe=1h&limit=1").want(t, 200).body))

	table := f.get(t, "/v1/outcomes?pair=BTC/USDT&timeframe=1h", "Accept", "text/csv").want(t, 200)
	rows, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || len(rows) != 6 || table.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" {
		t.Fatalf("%d rows, %v, %q", len(rows), err, table.header.Get("Content-Type"))
	}
	if rows[1][0] != ids[0] || rows[1][slices.Index(rows[0], "status")] != "settled" || rows[1][slices.Index(rows[0], "move")] != fmt.Sprint(outcome["move"]) {
		t.Errorf("row %v", rows[1])
	}

	var boards struct {
		Boards []struct {
			Timeframe                  string
			Settled, Imported, Pending int
			Voters                     []struct{ Voter, Verdict string }
		}
	}
	f.get(t, "/v1/scoreboard").want(t, 200).into(t, &boards)
	if len(boards.Boards) != 1 || boards.Boards[0].Settled != 5 || boards.Boards[0].Imported != 5 || boards.Boards[0].Pending != 1 || boards.Boards[0].Voters[0].Voter != "consensus" {
		t.Errorf("%+v", boards)
	}
	f.get(t, "/v1/scoreboard?pair=ETHUSDT&timeframe=1h").want(t, 200).into(t, &boards)
	if len(boards.Boards) != 1 || boards.Boards[0].Settled != 0 {
		t.Errorf("of another pair: %+v", boards)
	}
	// What hangs on the hour of the test is left out: which windows and days the runs are in.
	body := without(f.get(t, "/v1/scoreboard?timeframe=1h").want(t, 200).object(t), "from", "to", "blocks", "n_eff", "low", "high", "reliability")
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scoreboard.json", scrubbed(t, text))
}

// without gives a document without some members, its numbers rounded: sums of days have
// another last digit by where a day ends.
func without(document any, names ...string) any {
	switch d := document.(type) {
	case map[string]any:
		maps.DeleteFunc(d, func(name string, _ any) bool { return slices.Contains(names, name) })
		for name := range d {
			d[name] = without(d[name], names...)
		}
	case []any:
		for i := range d {
			d[i] = without(d[i], names...)
		}
	case float64:
		return math.Round(d*1e9) / 1e9
	}
	return document
}

func TestOutcomeMistakes(t *testing.T) {
	f := newServer(t, setup{})
	for path, location := range map[string]string{
		"/v1/outcomes?pair=":                                         "query.pair",
		"/v1/outcomes?pair=BTC-PERP":                                 "query.pair",
		"/v1/outcomes?timeframe=7m":                                  "query.timeframe",
		"/v1/outcomes?from=2026-13-01":                               "query.from",
		"/v1/outcomes?from=yesterday":                                "query.from",
		"/v1/outcomes?from=2026-03-02&to=2026-03-02T23:00:00Z":       "query.to",
		"/v1/outcomes?from=2025-01-01&to=2025-06-01":                 "query.from",
		"/v1/outcomes?limit=501":                                     "query.limit",
		"/v1/outcomes?cursor=AAAA":                                   "query.cursor",
		"/v1/outcomes?provider=openai":                               "query.provider",
		"/v1/scoreboard?pair=Will%20it%20rain":                       "query.pair",
		"/v1/scoreboard?timeframe=1M":                                "query.timeframe",
		"/v1/scoreboard?from=2020-01-01":                             "query.from",
		"/v1/scoreboard?from=2026-03-02&to=2026-03-01":               "query.to",
		"/v1/scoreboard?prompt_version=a%23b":                        "query.prompt_version",
		"/v1/scoreboard?limit=1":                                     "query.limit",
		"/v1/metrics?by=hour":                                        "query.by",
		"/v1/metrics?by=day&from=2026-01-01T00:00:00Z&to=1780000000": "query.from",
	} {
		t.Run(path, func(t *testing.T) { f.get(t, path).problem(t, 422, "invalid-request").at(t, location) })
	}
	locked := newServer(t, setup{api: api.Options{APIKeys: []string{sha("right")}}})
	for _, path := range []string{"/v1/outcomes", "/v1/scoreboard"} {
		locked.get(t, path).problem(t, 401, "unauthorized")
		locked.get(t, path, "x-api-key", "right").want(t, 200)
		f.post(t, path, "{}").problem(t, 405, "method-not-allowed")
	}
}

func TestMetricsByDay(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, "/v1/consensus", goodBody).want(t, 200)
	var got service.Metrics
	from := time.Now().UTC().Add(-3 * 24 * time.Hour).Format(time.RFC3339)
	f.get(t, "/v1/metrics?by=day&from="+from).want(t, 200).into(t, &got)
	if len(got.Days) != 1 || got.Days[0].TotalRequests != 1 || len(got.Days[0].Providers) != 3 || got.Days[0].CostUSD != got.CostUSD {
		t.Errorf("%+v", got.Days)
	}
}

func TestReplayOfOne(t *testing.T) {
	f := newServer(t, setup{})
	var c signal.Consensus
	f.post(t, "/v1/consensus", goodBody).want(t, 200).into(t, &c)
	got := f.replay(t, `{"id":"`+c.ID+`"}`)
	if got.Runs != 1 || got.Changed != 0 || len(got.Items) != 1 || got.NextCursor != nil || !got.Simulated {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(c.Explanation, *got.Items[0].Now.Explanation); diff != "" || *got.Items[0].Now.WeightedVotes != c.WeightedVotes {
		t.Errorf("%+v\n%s", got.Items[0].Now.WeightedVotes, diff)
	}
	if got = f.replay(t, `{"id":"`+c.ID+`","min_confidence":1,"pair":null}`); got.Changed != 1 || got.Items[0].Now.Decision != signal.Hold {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{"019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", "none", ""} {
		f.post(t, "/v1/replay", `{"id":"`+id+`"}`).problem(t, 404, "unknown-id")
	}
	p := f.post(t, "/v1/replay", `{"id":"`+c.ID+`","pair":"BTC/USDT","limit":3}`).problem(t, 422, "invalid-request")
	if diff := cmp.Diff([]string{"body.pair", "body.limit"}, p.locations()); diff != "" {
		t.Error(diff)
	}
}
