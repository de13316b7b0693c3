package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// rising gives a CSV of n candles that lie apart, the nth closing at 100+n.
func rising(n int, apart time.Duration) string {
	var b strings.Builder
	b.WriteString("Date,Open,High,Low,Close,Adj Close,Volume\n")
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(&b, "%s,100,1000,90,%d.10,7,5\n", at.Add(time.Duration(i)*apart).Format(time.RFC3339), 101+i)
	}
	return b.String()
}

func untimed(csv string) string {
	lines := strings.Split(strings.TrimSpace(csv), "\n")
	for i, line := range lines {
		_, lines[i], _ = strings.Cut(line, ",")
	}
	return strings.Join(lines, "\n")
}

// complete does what the service does before it asks.
func complete(r *orchestrator.Request) {
	r.Warnings = append(r.Warnings, service.AddIndicators(&r.MarketData, r.Timeframe)...)
}

func request(f askFlags, in string, changed ...string) (orchestrator.Request, error) {
	return f.request("BTC/USDT", strings.NewReader(in), func(flag string) bool {
		for _, c := range changed {
			if c == flag {
				return true
			}
		}
		return false
	})
}

func TestCandlesBecomeMarketData(t *testing.T) {
	r, err := request(askFlags{candles: "-"}, rising(600, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if r.Timeframe != "1h" || r.CurrentPrice.String() != "700.10" {
		t.Errorf("timeframe %s, price %s; want the spacing 1h and the last close as written, 700.10", r.Timeframe, r.CurrentPrice)
	}
	complete(&r)
	if n := len(r.MarketData.Candles); n != 500 || r.MarketData.Candles[0].Close.String() != "201.10" || r.MarketData.Candles[499].Close.String() != "700.10" {
		t.Errorf("%d candles from %s on, want the newest 500", n, r.MarketData.Candles[0].Close)
	}
	want := map[string]string{
		"rsi": "100", "atr": "910", "ema_20": "690.6", "ema_50": "675.6", "macd": "7", "macd_signal": "7", "macd_hist": "0",
		"bb_upper": "702.1325626", "bb_middle": "690.6", "bb_lower": "679.0674374", "volume_ratio": "1", "price_change_24h": "3.549770744", // 700.1 against 676.1
	}
	if diff := cmp.Diff(want, shown(r)); diff != "" {
		t.Errorf("indicators (-want +got):\n%s", diff)
	}
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0].Message, "computed from recent_candles (600): rsi, atr, ") {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// shown gives the indicators as the models are shown them.
func shown(r orchestrator.Request) map[string]string {
	values := map[string]string{}
	for _, i := range r.MarketData.Indicators {
		values[i.Name] = fmt.Sprint(i.Value)
	}
	return values
}

// A day of minutes is more candles than a question may have.
func TestAllCandlesOfTheFileCount(t *testing.T) {
	r, err := request(askFlags{candles: "-"}, rising(1441, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	complete(&r)
	if got, want := shown(r)["price_change_24h"], "1424.332344"; got != want || len(r.MarketData.Candles) != 500 { // 1541.1 against 101.1
		t.Errorf("price_change_24h %s, want %s; %d candles", got, want, len(r.MarketData.Candles))
	}
}

func TestTooFewCandlesLeaveIndicatorsUnknown(t *testing.T) {
	r, err := request(askFlags{candles: "-"}, rising(3, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	complete(&r)
	if len(r.MarketData.Indicators) != 12 {
		t.Errorf("indicators %v", r.MarketData.Indicators)
	}
	for name, value := range shown(r) {
		if value != "unknown" {
			t.Errorf("%s is %v, want unknown", name, value)
		}
	}
}

func TestTimeframe(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name, flag, csv string
		want            signal.Timeframe
		says            string
	}{
		{"inferred", "", rising(3, 15*time.Minute), "15m", ""},
		{"inferred over gaps", "", rising(2, day) + "2026-03-09,1,1,1,1,1,1\n", "1d", ""},
		{"said and meant", "1d", rising(3, day), "1d", ""},
		{"no times, but said", "4h", untimed(rising(3, day)), "4h", ""},
		{"no times", "", untimed(rising(3, day)), "", "do not tell their timeframe: give --timeframe"},
		{"one candle", "", rising(1, day), "", "give --timeframe"},
		{"one candle, said", "1d", rising(1, day), "1d", ""},
		{"a spacing that is none", "", rising(3, 10*time.Minute), "", "give --timeframe"},
		{"contradiction: shorter", "5m", rising(3, day), "", "--timeframe is 5m, but the candles are 1d apart"},
		{"contradiction: longer", "1d", rising(2, time.Hour), "", "but the candles are 1h apart"},
		{"contradiction: unknown spacing", "5m", rising(3, 10*time.Minute), "", "but the candles are 10m0s apart"},
		{"two candles with a weekend between", "1d", rising(2, 3*day), "1d", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := request(askFlags{candles: "-", timeframe: tt.flag}, tt.csv)
			if (tt.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %q", err, tt.says)
			}
			if err == nil && r.Timeframe != tt.want {
				t.Errorf("timeframe %s, want %s", r.Timeframe, tt.want)
			}
		})
	}
}

func TestDataWins(t *testing.T) {
	dir := t.TempDir()
	write := func(content string) string {
		path := dir + "/data.json"
		mustWrite(t, path, content)
		return path
	}
	r, err := request(askFlags{candles: "-", data: write(`{"RSI": null, "price_change_24h": 1.50, "note": "x"}`), price: "0.00001234"}, rising(30, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	complete(&r)
	got := shown(r)
	if got["RSI"] != "unknown" || got["price_change_24h"] != "1.50" || got["note"] != "x" || got["ema_20"] != "120.6" || len(got) != 13 {
		t.Errorf("indicators %v", got)
	}
	if len(r.Warnings) != 1 { // the newest candle spans 90 to 1000: 1.50 may be
		t.Errorf("warnings %v", r.Warnings)
	}
	if r.CurrentPrice.String() != "0.00001234" || len(r.MarketData.Candles) != 30 {
		t.Errorf("price %s, %d candles", r.CurrentPrice, len(r.MarketData.Candles))
	}

	_, err = request(askFlags{candles: "-", data: write(`{"recent_candles": [{"open": 1, "high": 1, "low": 1, "close": 1, "volume": null}]}`)}, rising(3, time.Hour))
	if err == nil || !strings.Contains(err.Error(), "give the candles once") {
		t.Errorf("candles from two sides: error %v", err)
	}
}

// Candles inside --data are those of the API: the default timeframe holds.
func TestCandlesInsideData(t *testing.T) {
	r, err := request(askFlags{data: "-"}, `{"recent_candles": [{"open": 1, "high": 3, "low": 1, "close": 2.50, "volume": null}]}`)
	if err != nil {
		t.Fatal(err)
	}
	complete(&r)
	if r.Timeframe != "5m" || r.CurrentPrice.String() != "2.50" || len(r.MarketData.Indicators) != 12 || len(r.MarketData.Candles) != 1 {
		t.Errorf("got %+v", r)
	}
}

// PowerShell writes a byte order mark before what it writes into a file.
func TestByteOrderMark(t *testing.T) {
	r, err := request(askFlags{data: "-", price: "1"}, "\ufeff"+`{"rsi": 30}`)
	if got := shown(r); err != nil || got["rsi"] != "30" {
		t.Errorf("data: %v, %v", got, err)
	}
	if r, err = request(askFlags{candles: "-"}, "\ufeff"+rising(3, time.Hour)); err != nil || len(r.MarketData.Candles) != 3 {
		t.Errorf("candles: %v, %v", r.MarketData.Candles, err)
	}
}

func TestParseWeights(t *testing.T) {
	tests := []struct {
		text string
		want map[string]float64
		says string
	}{
		{"anthropic=1,openai=.9", map[string]float64{"anthropic": 1, "openai": .9}, ""},
		{" Anthropic = 0 , OPENAI=5e-1", map[string]float64{"anthropic": 0, "openai": .5}, ""},
		{"anthropic", nil, `"anthropic" is not a provider and a weight`},
		{"anthropic=", nil, `"anthropic=" is not`},
		{"=1", nil, `"=1" is not`},
		{"anthropic=1,", nil, `"" is not`},
		{"anthropic=1.01", nil, "from 0 to 1"},
		{"anthropic=-0.1", nil, "from 0 to 1"},
		{"anthropic=NaN", nil, "from 0 to 1"},
		{"anthropic=Inf", nil, "from 0 to 1"},
		{"anthropic=1,ANTHROPIC=.5", nil, "anthropic is there twice"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := parseWeights(tt.text)
			if (tt.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %q", err, tt.says)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"20": 20 * time.Second, "20s": 20 * time.Second, "0.5": time.Second / 2, "1500ms": 1500 * time.Millisecond, "30": 30 * time.Second,
		"0": 0, "-1": 0, "30.001": 0, "1m": 0, "NaN": 0, "soon": 0, "": 0, "1e9": 0,
	} {
		got, err := parseTimeout(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("parseTimeout(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestRequestTakesFlagsOnlyWhereGiven(t *testing.T) {
	f := askFlags{data: "-", price: "1", minProviders: 2, minConfidence: 0, minAgreement: .25, timeout: "7", wait: "decided", weights: "grok=.1"}
	r, err := request(f, indicators, "min-providers", "min-confidence", "min-agreement", "timeout", "wait", "weights")
	if err != nil {
		t.Fatal(err)
	}
	if r.MinProviders != 2 || *r.MinConfidence != 0 || *r.MinAgreement != .25 || r.Timeout != 7*time.Second || r.Wait != orchestrator.WaitDecided || r.Weights["grok"] != .1 {
		t.Errorf("got %+v", r)
	}
	r, err = request(askFlags{data: "-", price: "1"}, indicators)
	if err != nil {
		t.Fatal(err)
	}
	if r.MinProviders != 0 || r.MinConfidence != nil || r.MinAgreement != nil || r.Timeout != 0 || r.Wait != "" || r.Weights != nil {
		t.Errorf("flags that were not given are set: %+v", r)
	}
}
