package api_test

// The rules of each field: what is refused, and at which place.

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldRules(t *testing.T) {
	f := newServer(t, setup{})
	long := func(n int) string { return strings.Repeat("x", n) }
	list := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":1`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	const bar = `{"open":1,"high":1,"low":1,"close":1}`
	for _, tt := range []struct {
		field, value string
		location     string // empty: it is accepted
		message      string // a part of it
		told         string // the value that is told back
	}{
		{"pair", ``, "body.pair", "is missing", ""},
		{"pair", `null`, "body.pair", "is missing", "null"},
		{"pair", `7`, "body.pair", "is not a text", "7"},
		{"pair", `["BTC/USDT"]`, "body.pair", "is not a text", ""},
		{"pair", `""`, "body.pair", "is empty", `""`},
		{"pair", `"` + long(150) + `"`, "body.pair", "at most 64", `"` + long(100) + `…"`},
		{"pair", `"BTC/BTC"`, "body.pair", "same base and quote", `"BTC/BTC"`},
		{"pair", `"PF_XBTUSD"`, "body.pair", "names a contract and no pair: write XBT/USD, or XBT/USD:USD", `"PF_XBTUSD"`},
		{"pair", `"XYZ-TSLA/USDC:USDC"`, "", "", ""},
		{"pair", `"Will Bitcoin reach $100k?"`, "body.pair", "send one such as BTC/USDT", `"Will Bitcoin reach $100k?"`},
		{"pair", `"btc-usdt"`, "", "", ""},
		{"pair", `"BTCUSDT.P"`, "", "", ""},
		{"timeframe", `"1M"`, "body.timeframe", `did you mean "1m"`, `"1M"`},
		{"timeframe", `""`, "body.timeframe", "known are", `""`},
		{"timeframe", `5`, "body.timeframe", "is not a text", "5"},
		{"timeframe", `null`, "", "", ""},
		{"timeframe", ``, "", "", ""},
		{"current_price", ``, "body.current_price", "is missing", ""},
		{"current_price", `null`, "body.current_price", "is missing", "null"},
		{"current_price", `"50000"`, "body.current_price", "is not a number", `"50000"`},
		{"current_price", `true`, "body.current_price", "is not a number", "true"},
		{"current_price", `{}`, "body.current_price", "is not a number", ""},
		{"current_price", `0`, "body.current_price", "above 0", "0"},
		{"current_price", `-1.5`, "body.current_price", "above 0", "-1.5"},
		{"current_price", `1e400`, "body.current_price", "out of range", "1e400"},
		{"current_price", `1e-400`, "body.current_price", "out of range", "1e-400"},
		{"current_price", `0.00000000000000001234`, "", "", ""},
		{"market_data", ``, "body.market_data", "is empty", ""},
		{"market_data", `null`, "body.market_data", "is empty", "null"},
		{"market_data", `{}`, "body.market_data", "is empty", ""},
		{"market_data", `[1]`, "body.market_data", "is not a JSON object", ""},
		{"market_data", `{"recent_candles":[]}`, "body.market_data", "is empty", ""},
		{"market_data", `{"rsi":{"14":60}}`, "body.market_data.rsi", "is an object", ""},
		{"market_data", `{"rsi":1e999}`, "body.market_data.rsi", "out of range", `1e999`},
		{"market_data", `{"rsi":1,"rsi":2}`, "body.market_data.rsi", "twice", ""},
		{"market_data", `{"note":"` + long(201) + `"}`, "body.market_data.note", "at most 200", `"` + long(90) + `…"`},
		{"market_data", `{"note":"` + long(200) + `"}`, "", "", ""},
		{"market_data", `{"list":[1,"x"]}`, "body.market_data.list[1]", "is not a number", `"x"`},
		{"market_data", `{"list":` + list(501, "1") + `}`, "body.market_data.list", "at most 500", ""},
		{"market_data", `{"list":` + list(500, "null") + `}`, "", "", ""},
		{"market_data", keys(65), "body.market_data", "at most 64", ""},
		{"market_data", keys(64), "", "", ""},
		{"market_data", `{"` + long(101) + `":1}`, "body.market_data." + long(100) + "…", "1 to 100 characters", ""},
		{"market_data", `{"rsi":null,"trend":"up","open":true}`, "", "", ""},
		{"market_data", `{"recent_candles":[{"open":1,"high":1,"low":1}]}`, "body.market_data.recent_candles[0].close", "is missing", ""},
		{"market_data", `{"recent_candles":[{"open":0,"high":1,"low":1,"close":1}]}`, "body.market_data.recent_candles[0].open", "above 0", `0`},
		{"market_data", `{"recent_candles":[{"open":1,"high":1,"low":1,"close":1,"volume":-1}]}`, "body.market_data.recent_candles[0].volume", "below 0", `-1`},
		{"market_data", `{"recent_candles":[{"open":1,"high":1,"low":1,"close":1,"time":"now"}]}`, "body.market_data.recent_candles[0].time", "is not a time", `"now"`},
		{"market_data", `{"recent_candles":[{"open":1,"high":1,"low":1,"close":1,"time":1},` + bar + `]}`, "body.market_data.recent_candles[1].time", "some candles only", ""},
		{"market_data", `{"recent_candles":[{"open":1,"high":1,"low":1,"close":1,"time":1},{"open":1,"high":1,"low":1,"close":1,"time":1}]}`, "body.market_data.recent_candles", "send each candle once", ""},
		{"market_data", `{"recent_candles":` + list(501, bar) + `}`, "body.market_data.recent_candles", "at most 500", ""},
		{"market_data", `{"recent_candles":` + list(500, bar) + `}`, "", "", ""},
		{"provider_weights", `null`, "", "", ""},
		{"provider_weights", `{"Anthropic":0.5,"OPENAI":null}`, "", "", ""},
		{"provider_weights", `{"antropic":0.5}`, "body.provider_weights.antropic", `did you mean "anthropic"? Known are anthropic, gemini, grok, openai`, "0.5"},
		{"provider_weights", `{"mistral":null}`, "body.provider_weights.mistral", "Known are anthropic, gemini, grok, openai", "null"},
		{"provider_weights", `{"openai":"1"}`, "body.provider_weights.openai", "is not a number", `"1"`},
		{"provider_weights", `{"openai":1.01}`, "body.provider_weights.openai", "outside 0…1", "1.01"},
		{"provider_weights", `{"openai":-0.1}`, "body.provider_weights.openai", "outside 0…1", "-0.1"},
		{"provider_weights", `{"openai":1,"openai":0}`, "body.provider_weights.openai", "twice", ""},
		{"provider_weights", `{"OpenAI":1,"openai":0}`, "body.provider_weights.openai", "twice", "0"},
		{"provider_weights", `[1,2]`, "body.provider_weights", "is not an object", ""},
		{"min_providers", `0`, "body.min_providers", "outside 1…4", "0"},
		{"min_providers", `5`, "body.min_providers", "outside 1…4", "5"},
		{"min_providers", `1.5`, "body.min_providers", "is not a whole number", "1.5"},
		{"min_providers", `1e300`, "body.min_providers", "outside 1…4", "1e300"},
		{"min_providers", `"2"`, "body.min_providers", "is not a number", `"2"`},
		{"min_providers", `2.0`, "", "", ""},
		{"min_providers", `null`, "", "", ""},
		{"min_confidence", `1.1`, "body.min_confidence", "outside 0…1", "1.1"},
		{"min_confidence", `-0.1`, "body.min_confidence", "outside 0…1", "-0.1"},
		{"min_confidence", `0`, "", "", ""},
		{"min_agreement", `2`, "body.min_agreement", "outside 0…1", "2"},
		{"min_agreement", `[]`, "body.min_agreement", "is not a number", ""},
		{"timeout_seconds", `0`, "body.timeout_seconds", "above 0 and at most 30", "0"},
		{"timeout_seconds", `-5`, "body.timeout_seconds", "above 0 and at most 30", "-5"},
		{"timeout_seconds", `30.1`, "body.timeout_seconds", "above 0 and at most 30", "30.1"},
		{"timeout_seconds", `1e300`, "body.timeout_seconds", "above 0 and at most 30", "1e300"},
		{"timeout_seconds", `"20s"`, "body.timeout_seconds", "is not a number", `"20s"`},
		{"timeout_seconds", `30`, "", "", ""},
		{"wait", `"never"`, "body.wait", "none of all, decided", `"never"`},
		{"wait", `""`, "body.wait", "none of all, decided", `""`},
		{"wait", `true`, "body.wait", "is not a text", "true"},
		{"wait", `"decided"`, "", "", ""},
		{"timefram", `"5m"`, "body.timefram", `did you mean "timeframe"`, `"5m"`},
		{"Pair", `"BTC/USDT"`, "body.Pair", `did you mean "pair"`, `"BTC/USDT"`},
		{"strategy", `{"a":1}`, "body.strategy", "Known are pair, timeframe, current_price, market_data, provider_weights, min_providers, min_confidence, min_agreement, timeout_seconds, wait", ""},
	} {
		t.Run(tt.field+" "+tt.value[:min(len(tt.value), 60)], func(t *testing.T) {
			r := f.post(t, "/v1/consensus", edited(tt.field, tt.value))
			if tt.location == "" {
				r.want(t, 200)
				return
			}
			p := r.problem(t, 422, "invalid-request")
			if diff := cmp.Diff([]string{tt.location}, p.locations()); diff != "" {
				t.Fatalf("locations (-want +got):\n%s", diff)
			}
			if m := p.Errors[0]; !strings.Contains(m.Message, tt.message) || string(m.Value) != tt.told {
				t.Errorf("message %q, want %q in it; value %s, want %s", m.Message, tt.message, m.Value, tt.told)
			}
			if p.Retryable || !strings.Contains(p.Detail, tt.location) {
				t.Errorf("retryable %v, detail %q", p.Retryable, p.Detail)
			}
		})
	}
}

func TestMistakesAreToldTogether(t *testing.T) {
	f := newServer(t, setup{})
	p := f.post(t, "/v1/consensus", `{"pair":"?","timeframe":"7m","market_data":{"rsi":{},"macd":[true]},"provider_weights":{"nobody":1,"grok":2},
		"min_providers":99,"min_confidence":7,"min_agreement":"x","timeout_seconds":0,"wait":"x","current_prise":1,"current_prise":1,"pair":"BTC/USDT"}`).problem(t, 422, "invalid-request")
	want := []string{
		"body.pair", "body.timeframe", "body.market_data.rsi", "body.market_data.macd[0]", "body.provider_weights.nobody",
		"body.min_providers", "body.min_agreement", "body.timeout_seconds", "body.current_prise", "body.current_prise", "body.pair",
		"body.current_price", "body.min_confidence", "body.provider_weights.grok", "body.wait",
	}
	if diff := cmp.Diff(want, p.locations()); diff != "" {
		t.Errorf("locations (-want +got):\n%s", diff)
	}
	if got := len(f.simulator.Recorded()); got != 0 {
		t.Errorf("%d providers were asked", got)
	}
}

func TestQueryRules(t *testing.T) {
	f := newServer(t, setup{})
	for _, tt := range []struct {
		query     string
		locations []string
		message   string
	}{
		{"/v1/consensus?limit=0", []string{"query.limit"}, ">= 1"},
		{"/v1/consensus?limit=501", []string{"query.limit"}, "<= 500"},
		{"/v1/consensus?limit=many", []string{"query.limit"}, "integer"},
		{"/v1/consensus?limit=", []string{"query.limit"}, "is empty"},
		{"/v1/consensus?limit=1&limit=2", []string{"query.limit"}, "more than once"},
		{"/v1/consensus?limits=1", []string{"query.limits"}, `did you mean "limit"`},
		{"/v1/consensus?pair=+", []string{"query.pair"}, "is empty"},
		{"/v1/consensus?pair=BTC-PERP", []string{"query.pair"}, "names a contract and no pair: write its pair, such as BTC/USDT"},
		{"/v1/consensus?pair=" + strings.Repeat("x", 301), []string{"query.pair"}, "longer than 300"},
		{"/v1/consensus?pair=BTC/USDT&timeframe=1M", []string{"query.timeframe"}, "1m"},
		{"/v1/consensus?from=yesterday", []string{"query.from"}, "RFC 3339"},
		{"/v1/consensus?from=99999999999999999", []string{"query.from"}, "1970 to 2199"},
		{"/v1/consensus?from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", []string{"query.to"}, "not after from"},
		{"/v1/consensus?cursor=%3F", []string{"query.cursor"}, "is not a next_cursor"},
		{"/v1/consensus?limit=0&cursor=eA", []string{"query.cursor", "query.limit"}, "is not a"},
		{"/v1/consensus?cursor=eA", []string{"query.cursor"}, "is not a next_cursor"},
		{"/v1/consensus?pair=BTC/USDT&cursor=MDE5YWIxMGYtNmI2Mi03Y2MwLTgwMDAtNWEzYzBhMWY5ZTIx", []string{"query.cursor"}, "is not a next_cursor"},
		{"/v1/consensus?pair=%ZZ", []string{"query"}, "invalid URL escape"},
		{"/v1/consensus?limit=0&pair=%00&frm=1&to=x", []string{"query.to", "query.pair", "query.limit", "query.frm"}, ""},
		{"/v1/consensus/latest", []string{"query.pair"}, "is missing"},
		{"/v1/consensus/latest?pair=%00", []string{"query.pair"}, "is empty"},
		{"/v1/consensus/latest?pair=%FF", []string{"query.pair"}, "not valid UTF-8"},
		{"/v1/consensus/latest?pair=" + strings.Repeat("x", 301), []string{"query.pair"}, "longer than 300 characters"},
		{"/v1/consensus/latest?pair=BTCUSD_PERP", []string{"query.pair"}, "names a contract and no pair: write BTC/USD, or BTC/USD:USD"},
		{"/v1/consensus/latest?pair=BTC/USDT&pair=", []string{"query.pair"}, "is empty"},
		{"/v1/consensus/latest?pair=BTC/USDT&max_age=0", []string{"query.max_age"}, ">= 1"},
		{"/v1/consensus/latest?pair=BTC/USDT&max_age=", []string{"query.max_age"}, "is empty"},
		{"/v1/consensus/latest?pair=BTC/USDT&max_age=9999999999", []string{"query.max_age"}, "<="},
		{"/v1/health?probe=yes", []string{"query.probe"}, "true, false"},
		{"/v1/health?probe", []string{"query.probe"}, "is empty"},
		{"/v1/metrics?window=week", []string{"query.window"}, "hour, day"},
		{"/v1/metrics?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", []string{"query.to"}, "not after from"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			p := f.get(t, tt.query).problem(t, 422, "invalid-request")
			if len(p.Errors) != len(tt.locations) {
				t.Errorf("locations %v, want %v", p.locations(), tt.locations)
			}
			for _, want := range tt.locations {
				if m := p.at(t, want); !strings.Contains(m.Message, tt.message) {
					t.Errorf("message %q, want %q in it", m.Message, tt.message)
				}
			}
		})
	}
}

func TestTimesInQueries(t *testing.T) {
	f := newServer(t, setup{})
	for _, from := range []string{"2026-03-01T00:00:00Z", "2026-03-01T02:00:00%2B02:00", "2026-03-01T02:00:00+02:00", "1772323200", "1772323200000"} {
		got := f.get(t, "/v1/metrics?to=2026-03-02T00:00:00Z&from="+from).want(t, 200).object(t)
		if got["from"] != "2026-03-01T00:00:00Z" {
			t.Errorf("from=%s is read as %v", from, got["from"])
		}
	}
}

func TestDigitsReachTheModels(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, "/v1/consensus", edited("current_price", "0.000012340", "market_data", `{"volume":12345678901234567890,"rsi":65.50}`)).want(t, 200)
	sent := f.simulator.Recorded()
	if len(sent) != 3 {
		t.Fatalf("%d providers were asked, want 3", len(sent))
	}
	for _, request := range sent {
		for _, digits := range []string{"0.000012340", "12345678901234567890", "65.50"} {
			if !strings.Contains(string(request.Body), digits) {
				t.Errorf("%s was not shown %s", request.Provider, digits)
			}
		}
	}
}
