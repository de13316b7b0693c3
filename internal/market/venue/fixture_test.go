package venue_test

// Real answers: what each column means, and that digits stay as they are.

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

func TestRealAnswers(t *testing.T) {
	tests := []struct {
		name      string
		pair      string
		timeframe signal.Timeframe
		last      string
		count     int
		newest    string // time, open, high, low, close, volume
		target    string // of the request
	}{
		{"kraken", "BTC/USD", "1d", "2023-04-16T00:00:00Z", 9, "2023-04-16T00:00:00Z 30315.9 30555.6 30145.0 30316.0 1432.96396029",
			"/0/public/OHLC?interval=1440&pair=XBTUSD"},
		{"coinbase", "ETH/USD", "1m", "2018-01-06T18:53:00Z", 2, "2018-01-06T18:53:00Z 994.5 994.5 994.5 994.5 14.697630010000001",
			"/products/ETH-USD/candles?end=2018-01-06T18%3A53%3A00Z&granularity=60&start=2018-01-06T13%3A54%3A00Z"},
		{"okx", "BTC/USDT", "1h", "2026-08-19T23:00:00Z", 2, "2026-08-19T23:00:00Z 69264.7 69462.5 69160.6 69337.1 333.0511483",
			"/api/v5/market/candles?after=1787184000000&bar=1H&instId=BTC-USDT&limit=300"},
		{"binance", "BTC/USDT", "1m", "2026-09-26T09:19:00Z", 1, "2026-09-26T09:19:00Z 83988.00000000 83990.01000000 83988.00000000 83990.01000000 0.22622000",
			"/api/v3/klines?endTime=1790414340000&interval=1m&limit=500&symbol=BTCUSDT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", tt.name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var target, agent string
			_, source := serveRaw(t, tt.name, func(w http.ResponseWriter, r *http.Request) {
				target, agent = r.URL.RequestURI(), r.UserAgent()
				_, _ = w.Write(append([]byte("\ufeff"), body...)) // a byte order mark changes nothing
			})
			last, err := time.Parse(time.RFC3339, tt.last)
			if err != nil {
				t.Fatal(err)
			}
			s := series(t, tt.pair, tt.timeframe)
			candles := candlesOf(t, source, s, last)
			sound(t, candles, s, last)
			c := candles[len(candles)-1]
			if got := fmt.Sprintf("%s %s %s %s %s %s", c.Time.Format(time.RFC3339), c.Open, c.High, c.Low, c.Close, c.Volume); len(candles) != tt.count || got != tt.newest {
				t.Errorf("%d candles, the newest %s; want %d, the newest %s", len(candles), got, tt.count, tt.newest)
			}
			if target != tt.target || agent != "thalas" {
				t.Errorf("request %s by %q, want %s", target, agent, tt.target)
			}
		})
	}
}

// One column after the other of a row gets a value that a careless reader takes.
func TestNumbers(t *testing.T) {
	tests := []struct {
		value string // in the place of a volume
		want  string // empty: refused
	}{
		{"12.50", "12.50"}, {`"12.50"`, "12.50"}, {"0", "0"}, {"1e-8", "0.00000001"}, {`"1.5E3"`, "1500"},
		{"-1", ""}, {"null", ""}, {`""`, ""}, {`"NaN"`, ""}, {`"Infinity"`, ""}, {`"0x10"`, ""}, {`"1,5"`, ""}, {"true", ""}, {"[]", ""}, {"{}", ""},
		{"1e400", ""}, {"1e-400", ""}, {"1e30", ""}, {`"` + strings.Repeat("9", 65) + `"`, ""},
	}
	for _, tt := range tests {
		_, source := serveRaw(t, "coinbase", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, "[[1515264780,994.5,994.5,994.5,994.5,%s]]", tt.value)
		})
		fetched, err := source.Candles(t.Context(), series(t, "ETH/USD", "1m"), time.Unix(1515264780, 0))
		candles := fetched.Candles
		if tt.want == "" {
			failed(t, err, market.ErrMalformed)
			continue
		}
		if err != nil || candles[0].Volume.String() != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.value, candles, err, tt.want)
		}
	}
}

func TestForms(t *testing.T) {
	const row = `"1787180400000","1","1","1","1","1","1","1"`
	tests := []struct{ venue, body, says string }{
		{"kraken", `{"error":[],"result":{}}`, `"last"`},
		{"kraken", `{"error":[],"result":{"XXBTZUSD":[],"last":"soon"}}`, `"last"`},
		{"kraken", `{"error":[],"result":{"last":1787180400}}`, "0 pairs"},
		{"kraken", `{"error":[],"result":{"XXBTZUSD":[],"XETHZUSD":[],"last":1787180400}}`, "2 pairs"},
		{"kraken", `{"error":[],"result":{"XETHZUSD":[],"last":1787180400}}`, "XETHZUSD"},
		{"kraken", `{"error":[],"result":{"XXBTZUSD":null,"last":1787180400}}`, "no list of rows"},
		{"kraken", `{"error":[],"result":{"XXBTZUSD":[[1787180400,"1"]],"last":1787180400}}`, "2 columns"},
		{"kraken", `{"error":["WCache:old"],"result":{"XXBTZUSD":[{}],"last":1787180400}}`, "form"},
		{"coinbase", `null`, "no list of rows"},
		{"coinbase", `[[1787180400.5,1,1,1,1,1]]`, "whole number of seconds"},
		{"coinbase", `[[1787180400000,1,1,1,1,1]]`, "whole number of seconds"},
		{"coinbase", `[] []`, "not whole JSON"},
		{"coinbase", ``, "empty"},
		{"okx", `{"code":"0","msg":""}`, "no list of rows"},
		{"okx", `{"code":"0","data":[[` + row + `]]}`, "8 columns"},
		{"okx", `{"code":"0","data":[[` + row + `,"yes"]]}`, "whether the candle has closed"},
		{"okx", `[]`, "form"},
		{"binance", `{}`, "form"},
		{"binance", `[[` + row + `],7]`, "form"},
	}
	for _, tt := range tests {
		t.Run(tt.venue+" "+tt.body, func(t *testing.T) {
			_, source := serveRaw(t, tt.venue, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tt.body)) })
			_, err := source.Candles(t.Context(), series(t, "BTC/USD", "1h"), time.Unix(1787180400, 0))
			if e := failed(t, err, market.ErrMalformed); !strings.Contains(e.Message, tt.says) {
				t.Errorf("message %q does not say %q", e.Message, tt.says)
			}
		})
	}
}

func TestOwnWords(t *testing.T) {
	tests := []struct {
		venue  string
		status int
		body   string
		kind   market.Kind
	}{
		{"kraken", 200, `{"error":["EGeneral:Invalid arguments:interval"]}`, market.ErrUnsupported},
		{"kraken", 200, `{"error":["EGeneral:Temporary lockout"]}`, market.ErrRateLimited},
		{"kraken", 200, `{"error":["EService:Busy"]}`, market.ErrUnavailable},
		{"kraken", 200, `{"error":["WOld:cache","EService:Busy"]}`, market.ErrUnavailable},
		{"kraken", 520, `{"error":["EQuery:Unknown asset pair"]}`, market.ErrUnavailable},
		{"coinbase", 400, `{"message":"Unsupported granularity"}`, market.ErrUnavailable},
		{"coinbase", 404, `{"message":"NotFound"}`, market.ErrUnsupported},
		{"okx", 200, `{"code":"50026","msg":"System error","data":[]}`, market.ErrUnavailable},
		{"okx", 200, `{"code":"50011","msg":"Too Many Requests"}`, market.ErrRateLimited},
		{"okx", 404, `{"code":404,"data":{},"error_message":"Not Found"}`, market.ErrUnavailable},
		{"binance", 400, `{"code":-1100,"msg":"Illegal characters found in parameter 'symbol'."}`, market.ErrUnsupported},
		{"binance", 400, `{"code":-1102,"msg":"Mandatory parameter 'symbol' was not sent"}`, market.ErrUnavailable},
		{"binance", 418, `{"code":-1003,"msg":"Way too much request weight used; IP banned until 1659146400000."}`, market.ErrRateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.venue+" "+tt.body, func(t *testing.T) {
			_, source := serveRaw(t, tt.venue, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			_, err := source.Candles(t.Context(), series(t, "BTC/USD", "1h"), time.Unix(1787180400, 0))
			if e := failed(t, err, tt.kind); e.Status != tt.status {
				t.Errorf("status %d, want %d", e.Status, tt.status)
			}
		})
	}
}

// The newest candles are kept where a venue sends more than MaxCandles.
func TestAtMostMaxCandles(t *testing.T) {
	_, source := serve(t, "kraken") // sends 720
	s := series(t, "BTC/USD", "5m")
	last := s.Timeframe.LastClosed(now)
	fetched, err := source.Candles(t.Context(), s, last)
	candles := fetched.Candles
	if err != nil || len(candles) != signal.MaxCandles || !candles[len(candles)-1].Time.Equal(last) {
		t.Errorf("%d candles, %v", len(candles), err)
	}
	if !slices.IsSortedFunc(candles, func(a, b signal.Candle) int { return a.Time.Compare(b.Time) }) {
		t.Error("not oldest first")
	}
}
