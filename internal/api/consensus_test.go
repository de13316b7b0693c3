package api_test

// Asking and reading back, over real HTTP.

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// changing are the parts of an answer that differ from run to run.
var changing = []struct{ pattern, replacement string }{
	{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "ID"},
	{`"(\w*_ms|p50|p95)": [0-9.e+-]+`, `"$1": 0`},
	{`20\d\d-\d\d-\d\dT[0-9:.]+Z`, "TIME"},
	{`"prompt_version": "[^"]+"`, `"prompt_version": "VERSION"`},
	{`"next_cursor": "[^"]+"`, `"next_cursor": "CURSOR"`},
	{`"n_eff": (0|null)`, `"n_eff": "0 OR NULL"`}, // the scores may be read too late for the first answer
	{`"reason": "(too_few|unavailable)"`, `"reason": "NO OUTCOMES"`},
}

// scrubbed gives an indented JSON document in which changing parts are replaced.
func scrubbed(t *testing.T, body []byte) []byte {
	t.Helper()
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changing {
		text = regexp.MustCompile(c.pattern).ReplaceAll(text, []byte(c.replacement))
	}
	return append(text, '\n')
}

func TestAnswerShapes(t *testing.T) {
	f := newServer(t, setup{})
	failing := newServer(t, setup{faults: "anthropic=rate_limit_bare*;openai=wrong_key*;gemini=server_error*"})
	keyless := newServer(t, setup{none: true, service: service.Options{DailyBudgetUSD: 10}})
	const compat = "/api/v1/strategies/llm-consensus"
	bare := newServer(t, setup{})
	seen := bare.post(t, "/v1/consensus", edited("market_data", bareCandles(15))).want(t, 200).object(t)["id"].(string)
	eth, err := signal.ParsePair("ETH/USDT")
	if err != nil {
		t.Fatal(err)
	}
	bare.service.Watch([]service.Watched{{Pair: eth, Timeframe: "5m", Failed: &service.SeriesError{At: time.Now().UTC(), Error: "unavailable", Message: "planted"}}})
	for _, tt := range []struct {
		name   string
		reply  reply
		status int
	}{
		{"consensus.json", f.post(t, "/v1/consensus", goodBody), 200},
		{"compat.json", f.post(t, compat, goodBody), 200},
		{"health.json", f.get(t, "/v1/health"), 200},
		{"health-unavailable.json", keyless.get(t, "/v1/health"), 503},
		{"metrics.json", f.get(t, "/v1/metrics"), 200},
		{"compat-health.json", f.get(t, compat), 200},
		{"history.json", f.get(t, "/v1/consensus?pair=BTC/USDT&limit=1"), 200},
		{"latest-many.json", f.get(t, "/v1/consensus/latest?pair=btcusdt&pair=ETH-USDT"), 200},
		{"market-data.json", bare.get(t, "/v1/consensus/"+seen+"?include=market_data"), 200},
		{"series.json", bare.get(t, "/v1/series"), 200},
		{"replay.json", f.post(t, "/v1/replay", `{"pair":"BTC/USDT","min_confidence":1}`), 200},
		{"problem-422.json", f.post(t, "/v1/consensus", edited("pair", `"?"`, "current_price", "-1")), 422},
		{"problem-503-failures.json", failing.post(t, "/v1/consensus", goodBody), 503},
		{"problem-503-keyless.json", keyless.post(t, "/v1/consensus", goodBody), 503},
		{"compat-400.json", f.post(t, compat, `{"pair": "", "market_data": {"rsi": {}}}`), 400},
		{"compat-503.json", failing.post(t, compat, goodBody), 503},
	} {
		t.Run(tt.name, func(t *testing.T) { golden(t, tt.name, scrubbed(t, tt.reply.want(t, tt.status).body)) })
	}
}

func TestStoredBytesAreTheAnsweredOnes(t *testing.T) {
	f := newServer(t, setup{})
	// JSON writers escape these characters in different ways.
	answered := f.post(t, "/v1/consensus", edited("market_data", `{"note": "a < b & c > d"}`)).want(t, 200)
	id := answered.object(t)["id"].(string)
	whole := strings.TrimSuffix(string(answered.body), "}") + `,"outcome":{"status":"pending","due":"`
	stored := string(f.get(t, "/v1/consensus/"+id).want(t, 200).body)
	if !strings.HasPrefix(stored, whole) {
		t.Errorf("stored (-answered +stored):\n%s", cmp.Diff(whole, stored))
	}
	latest := f.get(t, "/v1/consensus/latest?pair=btc-usdt").want(t, 200)
	if diff := cmp.Diff(string(answered.body), string(latest.body)); diff != "" {
		t.Errorf("latest (-answered +latest):\n%s", diff)
	}
	var page struct {
		Items []json.RawMessage
		Next  *string `json:"next_cursor"`
	}
	f.get(t, "/v1/consensus?pair=BTC/USDT").want(t, 200).into(t, &page)
	if len(page.Items) != 1 || string(page.Items[0]) != stored || page.Next != nil {
		t.Errorf("history: %d items, next %v", len(page.Items), page.Next)
	}
}

func TestMarketDataOfAResult(t *testing.T) {
	f := newServer(t, setup{})
	id := f.post(t, "/v1/consensus", edited("market_data", `{"closes":[1.10,2],"note":"<b>"}`)).want(t, 200).object(t)["id"].(string)
	plain := f.get(t, "/v1/consensus/"+id).want(t, 200)
	with := f.get(t, "/v1/consensus/"+id+"?include=market_data").want(t, 200)
	before, after, _ := strings.Cut(string(plain.body), `,"outcome":`)
	want := before + `,"market_data":{"closes":[1.10,2],"note":"\u003cb\u003e"},"outcome":` + after
	if diff := cmp.Diff(want, string(with.body)); diff != "" {
		t.Errorf("with market data (-want +got):\n%s", diff)
	}
	if tag := with.header.Get("ETag"); tag == plain.header.Get("ETag") {
		t.Error("two documents have the same ETag")
	} else {
		f.get(t, "/v1/consensus/"+id+"?include=market_data", "If-None-Match", tag).want(t, 304)
	}
	f.get(t, "/v1/consensus/"+id+"?include=votes").problem(t, 422, "invalid-request")
	for _, path := range []string{"/v1/consensus", "/v1/consensus?pair=BTC/USDT", "/v1/consensus/latest?pair=BTC/USDT"} {
		if r := f.get(t, path).want(t, 200); strings.Contains(string(r.body), "market_data") {
			t.Errorf("%s has market data", path)
		}
	}

	// Of long lists the newest 120 are kept. The indicators are computed of all.
	id = f.post(t, "/v1/consensus", edited("market_data", bareCandles(300))).want(t, 200).object(t)["id"].(string)
	var long struct {
		Data struct {
			RSI     float64
			Candles []struct{ Close float64 } `json:"recent_candles"`
		} `json:"market_data"`
	}
	f.get(t, "/v1/consensus/"+id+"?include=market_data").want(t, 200).into(t, &long)
	if c := long.Data.Candles; len(c) != 120 || c[0].Close != 280 || c[119].Close != 399 || long.Data.RSI != 100 {
		t.Errorf("300 candles became %d with the RSI %v: %v", len(c), long.Data.RSI, c)
	}

	// Data that does not shrink to 32 KB is not kept, and that is said.
	var numbers []string
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		list := make([]string, 120)
		for i := range list {
			list[i] = strconv.FormatFloat(random.Float64(), 'g', 17, 64)
		}
		numbers = append(numbers, fmt.Sprintf(`"list_%d":[%s]`, len(numbers), strings.Join(list, ",")))
	}
	id = f.post(t, "/v1/consensus", edited("market_data", "{"+strings.Join(numbers, ",")+"}")).want(t, 200).object(t)["id"].(string)
	if r := f.get(t, "/v1/consensus/"+id+"?include=market_data").want(t, 200); !strings.Contains(string(r.body), `,"market_data":null,"outcome":`) {
		t.Errorf("too much market data: %s", r.body)
	}
}

func TestConditionalReads(t *testing.T) {
	f := newServer(t, setup{})
	id := f.post(t, "/v1/consensus", goodBody).want(t, 200).object(t)["id"].(string)
	for _, path := range []string{"/v1/consensus/" + id, "/v1/consensus/latest?pair=BTC/USDT", "/v1/consensus/latest?pair=BTC/USDT&pair=ETH/USDT"} {
		tag := f.get(t, path).want(t, 200).header.Get("ETag")
		for _, tt := range []struct {
			name, ifNoneMatch string
			status            int
		}{
			{"same", tag, 304}, {"weak", "W/" + tag, 304}, {"one of many", `"x", ` + tag, 304}, {"any", "*", 304},
			{"other", `"x"`, 200}, {"without quotes", strings.Trim(tag, `"`), 200},
		} {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				r := f.get(t, path, "If-None-Match", tt.ifNoneMatch).want(t, tt.status)
				if tt.ifNoneMatch != "*" {
					request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.URL+path, nil)
					if err != nil {
						t.Fatal(err)
					}
					request.Header["If-None-Match"] = []string{`"first"`, tt.ifNoneMatch, `"last"`}
					f.do(t, request).want(t, tt.status)
				}
				if tt.status == 304 && (len(r.body) > 0 || r.header.Get("ETag") != tag || r.header.Get("Cache-Control") == "no-store") {
					t.Errorf("304 with %d bytes, ETag %q, Cache-Control %q", len(r.body), r.header.Get("ETag"), r.header.Get("Cache-Control"))
				}
			})
		}
	}
}

// planted stores a result as if it had been answered at a given time.
func planted(t *testing.T, f *fixture, pair, timeframe string, candle, made time.Time) store.Result {
	t.Helper()
	body := f.post(t, "/v1/consensus", edited("pair", `"PLANT/USDT"`)).want(t, 200)
	var c signal.Consensus
	body.into(t, &c)
	market, err := signal.ParseMarket(pair)
	if err != nil {
		t.Fatal(err)
	}
	c.Pair, c.Timeframe, c.CandleTime, c.Timestamp, c.VotesAt = market, signal.Timeframe(timeframe), candle, made, made
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	r := store.Result{ID: c.ID, Schema: 1, Body: text, Series: store.SeriesKey(pair, timeframe, true), Position: store.PositionKey(candle, c.ID),
		Day: store.DayKey(made, true), Decision: string(c.Decision), Status: string(c.Status), CreatedAt: made}
	if err := f.store.Record(t.Context(), &r, store.Count{At: made}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLatest(t *testing.T) {
	f := newServer(t, setup{})
	now := time.Now().UTC().Truncate(time.Second)
	open := signal.Timeframe("1h").LastClosed(now)
	newest := planted(t, f, "BTC/USDT", "1h", open, now.Add(-10*time.Minute))
	planted(t, f, "BTC/USDT", "1h", open.Add(-time.Hour), now) // a late answer about an older candle
	planted(t, f, "OLD/USDT", "1h", open.Add(-5*time.Hour), now.Add(-5*time.Hour))
	maxAge := func(r reply) (seconds int) {
		if _, err := fmt.Sscanf(r.header.Get("Cache-Control"), "private, max-age=%d", &seconds); err != nil {
			t.Errorf("Cache-Control %q: %v", r.header.Get("Cache-Control"), err)
		}
		return seconds
	}
	t.Run("by candle", func(t *testing.T) {
		r := f.get(t, "/v1/consensus/latest?pair=BTC/USDT&timeframe=1h").want(t, 200)
		if string(r.body) != string(newest.Body) {
			t.Error("a late answer about an older candle won")
		}
		want := int(time.Until(open.Add(2*time.Hour)) / time.Second)
		if got := maxAge(r); got < want || got > want+2 {
			t.Errorf("max-age %d, want about %d", got, want)
		}
	})
	t.Run("young enough", func(t *testing.T) {
		if got := maxAge(f.get(t, "/v1/consensus/latest?pair=BTC/USDT&timeframe=1h&max_age=660").want(t, 200)); got > 60 {
			t.Errorf("max-age %d, want at most the 60 s that max_age leaves", got)
		}
	})
	t.Run("too old", func(t *testing.T) {
		p := f.get(t, "/v1/consensus/latest?pair=BTC/USDT&timeframe=1h&max_age=60").problem(t, 404, "stale-signal")
		if !p.Retryable || !strings.Contains(p.Detail, "BTC/USDT 1h") {
			t.Errorf("retryable %v, detail %q", p.Retryable, p.Detail)
		}
	})
	t.Run("past its candle", func(t *testing.T) {
		if got := maxAge(f.get(t, "/v1/consensus/latest?pair=OLD/USDT&timeframe=1h").want(t, 200)); got != 0 {
			t.Errorf("max-age %d, want 0", got)
		}
	})
	t.Run("none", func(t *testing.T) {
		f.get(t, "/v1/consensus/latest?pair=BTC/USDT").problem(t, 404, "no-signal-yet")
	})
	t.Run("several", func(t *testing.T) {
		var many struct {
			Items   []signal.Consensus
			Missing []string
		}
		r := f.get(t, "/v1/consensus/latest?pair=eth-usdt&pair=BTCUSDT&pair=btc/usdt&pair=OLD/USDT&timeframe=1h&max_age=3600").want(t, 200)
		r.into(t, &many)
		if len(many.Items) != 1 || many.Items[0].ID != newest.ID {
			t.Errorf("items: %+v", many.Items)
		}
		if diff := cmp.Diff([]string{"ETH/USDT", "OLD/USDT"}, many.Missing); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
		if got := maxAge(r); got != 0 {
			t.Errorf("max-age %d, want 0: a missing one may come at any time", got)
		}
	})
	t.Run("store off", func(t *testing.T) {
		f.store.off.Store(true)
		defer f.store.off.Store(false)
		for _, path := range []string{"/v1/consensus/latest?pair=BTC/USDT", "/v1/consensus/latest?pair=BTC/USDT&pair=ETH/USDT", "/v1/consensus/" + newest.ID, "/v1/consensus", "/v1/metrics"} {
			r := f.get(t, path)
			p := r.problem(t, 503, "store-unreachable")
			if r.header.Get("Retry-After") != "1" || !p.Retryable || strings.Contains(string(r.body), "db.internal") {
				t.Errorf("%s: Retry-After %q, %s", path, r.header.Get("Retry-After"), r.body)
			}
		}
		if !strings.Contains(f.log.String(), "db.internal") {
			t.Error("the cause is not in the log")
		}
	})
}

func TestHistoryPages(t *testing.T) {
	f := newServer(t, setup{})
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var want []string
	for i := range 5 {
		candle := day.Add(time.Duration(i) * time.Hour)
		want = append(want, planted(t, f, "BTC/USDT", "1h", candle, candle.Add(time.Hour)).ID)
	}
	slices.Reverse(want)
	for _, path := range []string{"/v1/consensus?pair=BTC/USDT&timeframe=1h", "/v1/consensus?from=2026-03-01T00:00:00Z"} {
		t.Run(path, func(t *testing.T) {
			var got []string
			for next := "&limit=2"; next != ""; {
				var page struct {
					Items []struct{ ID string }
					Next  *string `json:"next_cursor"`
				}
				r := f.get(t, path+next).want(t, 200)
				r.into(t, &page)
				for _, item := range page.Items {
					got = append(got, item.ID)
				}
				if next = ""; page.Next != nil {
					if r.header.Get("Next-Cursor") != *page.Next {
						t.Errorf("Next-Cursor %q, want %q", r.header.Get("Next-Cursor"), *page.Next)
					}
					next = "&limit=2&cursor=" + *page.Next // as it is: it needs no escaping
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSV(t *testing.T) {
	f := newServer(t, setup{})
	candle := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	r := planted(t, f, "BTC/USDT", "1h", candle, candle.Add(time.Hour))
	planted(t, f, `=HYPERLINK("http://127.0.0.1")`, "1h", candle, candle.Add(time.Hour))
	reply := f.get(t, "/v1/consensus?from=2026-03-01T00:00:00Z", "Accept", "text/csv").want(t, 200)
	if got := reply.header.Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" {
		t.Errorf("Content-Type %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(string(reply.body))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v\n%s", len(rows), err, reply.body)
	}
	want := "id,timestamp,candle_time,valid_until,pair,timeframe,current_price,decision,raw_decision,hold_reason,confidence,agreement_score,risk_level,suggested_stop_loss,suggested_take_profit,status,simulated,total_cost_usd"
	if got := strings.Join(rows[0], ","); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got, want := rows[1][4], `'=HYPERLINK("http://127.0.0.1")`; got != want {
		t.Errorf("formula: %q, want %q", got, want)
	}
	var c signal.Consensus
	if err := json.Unmarshal(r.Body, &c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{c.ID, "2026-03-01T01:00:00Z", "2026-03-01T00:00:00Z"}, rows[2][:3]); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if got, want := rows[2][10], fmt.Sprint(c.Confidence); got != want {
		t.Errorf("confidence %s, want all digits %s", got, want)
	}
	if got := f.get(t, "/v1/consensus", "Accept", "TEXT/CSV;q=0.5, application/json;q=0.4").want(t, 200).header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv") {
		t.Errorf("the wish for CSV is answered as %q", got)
	}
}

func TestIdempotency(t *testing.T) {
	f := newServer(t, setup{api: options(sha("one"), sha("two"))})
	ask := func(key, idempotency, body string) reply {
		return f.post(t, "/v1/consensus", body, "x-api-key", key, "Idempotency-Key", idempotency)
	}
	first := ask("one", "k", goodBody).want(t, 200)
	again := ask("one", "k", goodBody).want(t, 200)
	a, b := first.object(t), again.object(t)
	if a["id"] != b["id"] || a["cache"] != "miss" || b["cache"] != "replay" {
		t.Errorf("ids %v and %v, cache %v and %v", a["id"], b["id"], a["cache"], b["cache"])
	}
	if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("Idempotency-Replayed %q and %q", first.header.Get("Idempotency-Replayed"), again.header.Get("Idempotency-Replayed"))
	}
	if other := ask("two", "k", goodBody).want(t, 200).object(t); other["id"] == a["id"] {
		t.Error("another caller with the same key got somebody else's answer")
	}
	ask("one", "k", edited("current_price", "50001")).problem(t, 422, "idempotency-key-reused")
	for name, key := range map[string]string{"empty": " ", "a space inside": "a b", "too long": strings.Repeat("k", 256), "not ASCII": "é"} {
		p := f.post(t, "/v1/consensus", edited("pair", ""), "x-api-key", "one", "Idempotency-Key", key).problem(t, 422, "invalid-request")
		if diff := cmp.Diff([]string{"header.Idempotency-Key", "body.pair"}, p.locations()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	ask("one", strings.Repeat("k", 255), goodBody).want(t, 200)
}

func TestSameKeyAtOnce(t *testing.T) {
	f := newServer(t, setup{faults: "anthropic=slow_headers*;openai=slow_headers*;gemini=slow_headers*"})
	started := make(chan reply)
	go func() { started <- f.post(t, "/v1/consensus", edited("timeout_seconds", "1"), "Idempotency-Key", "k") }()
	for len(f.simulator.Recorded()) == 0 {
		time.Sleep(time.Millisecond) // until the first run is under way
	}
	r := f.post(t, "/v1/consensus", edited("timeout_seconds", "1"), "Idempotency-Key", "k")
	p := r.problem(t, 409, "idempotency-key-in-flight")
	if !p.Retryable || r.header.Get("Retry-After") == "" {
		t.Errorf("retryable %v, Retry-After %q", p.Retryable, r.header.Get("Retry-After"))
	}
	late := <-started
	p = late.problem(t, 504, "insufficient-responses-in-time")
	if p.Detail != "Insufficient successful provider responses: 0 < 1" || len(p.Failures) != 3 || late.header.Get("Retry-After") != "5" {
		t.Errorf("detail %q, %d failures, Retry-After %q", p.Detail, len(p.Failures), late.header.Get("Retry-After"))
	}
}

func TestNotStoredIsAnswered(t *testing.T) {
	f := newServer(t, setup{})
	f.store.off.Store(true)
	var c signal.Consensus
	f.post(t, "/v1/consensus", goodBody).want(t, 200).into(t, &c)
	if !slices.ContainsFunc(c.Warnings, func(w signal.Warning) bool { return w.Code == signal.WarnNotStored }) {
		t.Errorf("warnings %+v, want not_stored", c.Warnings)
	}
	if got := f.get(t, "/v1/health").want(t, 200).object(t); got["status"] != "degraded" || got["store"] != "unreachable" {
		t.Errorf("health: status %v, store %v", got["status"], got["store"])
	}
}

func TestRefusalsOfTheService(t *testing.T) {
	for _, tt := range []struct {
		name       string
		setup      setup
		body       string
		status     int
		problem    string
		detail     string
		retryable  bool
		retryAfter bool
	}{
		{"no provider", setup{none: true}, goodBody, 503, "no-providers", "No available providers in registry", false, true},
		{"too few providers", setup{}, edited("min_providers", "4"), 503, "insufficient-providers", "Insufficient available providers: 3 < 4", false, true},
		{"wrong keys", setup{faults: "anthropic=wrong_key*;openai=wrong_key*;gemini=wrong_key*"}, goodBody, 503, "insufficient-responses", "Insufficient successful provider responses: 0 < 1", false, true},
		{"overloaded", setup{faults: "anthropic=overloaded*;openai=overloaded*;gemini=wrong_key*"}, goodBody, 503, "insufficient-responses", "Insufficient successful provider responses: 0 < 1", true, true},
		{"out of time", setup{faults: "anthropic=hang*;openai=hang*"}, edited("timeout_seconds", "0.05", "min_providers", "2"), 504, "insufficient-responses-in-time", "Insufficient successful provider responses: 1 < 2", true, true},
		{"day's budget", setup{service: service.Options{DailyBudgetUSD: 0.000001}}, goodBody, 429, "daily-budget", "The budget of", true, true},
		{"request's budget", setup{service: service.Options{RequestBudgetUSD: 0.000001}}, goodBody, 422, "request-budget", "over the limit", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newServer(t, tt.setup)
			r := f.post(t, "/v1/consensus", tt.body)
			p := r.problem(t, tt.status, tt.problem)
			if !strings.Contains(p.Detail, tt.detail) || p.Retryable != tt.retryable || (r.header.Get("Retry-After") != "") != tt.retryAfter {
				t.Errorf("detail %q, retryable %v, Retry-After %q", p.Detail, p.Retryable, r.header.Get("Retry-After"))
			}
		})
	}
}

func TestMetricsWindow(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, "/v1/consensus", goodBody).want(t, 200)
	got := f.get(t, "/v1/metrics?window=hour").want(t, 200).object(t)
	if got["total_requests"] != 1.0 || got["window"] != "hour" {
		t.Errorf("total_requests %v, window %v", got["total_requests"], got["window"])
	}
	got = f.get(t, "/v1/metrics?from=2026-03-01T00:00:00Z&to=1772496000").want(t, 200).object(t)
	if got["total_requests"] != 0.0 || got["from"] != "2026-03-01T00:00:00Z" || got["to"] != "2026-03-03T00:00:00Z" {
		t.Errorf("total_requests %v, from %v, to %v", got["total_requests"], got["from"], got["to"])
	}
	p := f.get(t, "/v1/metrics?from=2020-01-01T00:00:00Z").problem(t, http.StatusUnprocessableEntity, "invalid-request")
	p.at(t, "query.from")
}
