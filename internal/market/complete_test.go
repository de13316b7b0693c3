package market_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"thalas/internal/market"
	"thalas/internal/signal"
)

func parse(t testing.TB, document string) signal.MarketData {
	t.Helper()
	data, err := signal.ParseMarketData([]byte(document), signal.MaxText)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func shown(data signal.MarketData) map[string]string {
	values := map[string]string{}
	for _, i := range data.Indicators {
		values[i.Name] = fmt.Sprint(i.Value)
	}
	return values
}

func TestCompleteBareCandles(t *testing.T) {
	candles := bars(t, "synthetic.json")
	data := signal.MarketData{Candles: candles}
	got := market.Complete(&data, "5m")
	want := []signal.Warning{{Code: "indicators_computed", Message: "computed from recent_candles (300): rsi, atr, ema_20, ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio, price_change_24h"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	values := shown(data)
	if got := slices.Sorted(maps.Keys(values)); len(got) != 12 || !slices.IsSortedFunc(data.Indicators, func(a, b signal.Indicator) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("indicators %v", got)
	}
	for _, r := range market.Indicators(candles, "5m") {
		if values[r.Name] != r.Number().String() {
			t.Errorf("%s is %s, want %v", r.Name, values[r.Name], r.Value)
		}
	}
	if again := market.Complete(&data, "5m"); len(again) != 0 {
		t.Errorf("a second time: %v", again)
	}
	if len(data.Candles) != 300 {
		t.Errorf("%d candles are left", len(data.Candles))
	}
}

func TestComplete(t *testing.T) {
	const bar = `{"open": 100, "high": 101, "low": 99, "close": 100, "volume": 0}`
	flat := func(n int) string { return strings.TrimSuffix(strings.Repeat(bar+",", n), ",") }
	tests := []struct {
		name, data, timeframe string
		want                  []string // warnings
		values                map[string]string
	}{
		{"no candles", `{"rsi": 50}`, "5m", nil, map[string]string{"rsi": "50"}},
		{"candles that are null", `{"rsi": 50, "recent_candles": null}`, "5m", nil, map[string]string{"rsi": "50"}},
		{
			"one candle", `{"recent_candles": [` + flat(1) + `]}`, "1h",
			[]string{"indicators_computed: computed from recent_candles (1): nothing; unknown: rsi, atr (needs 15 candles, got 1), ema_20, bb_upper, bb_middle, bb_lower, volume_ratio (needs 20 candles, got 1), ema_50 (needs 50 candles, got 1), macd, macd_signal, macd_hist (needs 34 candles, got 1), price_change_24h (needs 25 candles of 1h, got 1)"},
			map[string]string{"rsi": "unknown", "atr": "unknown", "ema_20": "unknown", "ema_50": "unknown", "macd": "unknown", "macd_signal": "unknown", "macd_hist": "unknown",
				"bb_upper": "unknown", "bb_middle": "unknown", "bb_lower": "unknown", "volume_ratio": "unknown", "price_change_24h": "unknown"},
		},
		{
			"what was sent stays, in any case, even as null", `{"RSI": null, "Ema_20": "rising", "MACD": null, "macd_Signal": null, "macd_hist": null, "ema_50": null, "atr": null,
				"bb_upper": null, "bb_middle": null, "bb_lower": null, "volume_ratio": true, "note": "x", "recent_candles": [` + flat(30) + `]}`, "1h",
			[]string{"indicators_computed: computed from recent_candles (30): price_change_24h"},
			map[string]string{"RSI": "unknown", "Ema_20": "rising", "MACD": "unknown", "macd_Signal": "unknown", "macd_hist": "unknown", "ema_50": "unknown", "atr": "unknown",
				"bb_upper": "unknown", "bb_middle": "unknown", "bb_lower": "unknown", "volume_ratio": "true", "note": "x", "price_change_24h": "0"},
		},
		{
			"flat, no volume, few candles, the default timeframe", `{"ema_50": null, "macd": null, "macd_signal": null, "macd_hist": null, "recent_candles": [` + flat(20) + `]}`, "",
			[]string{"indicators_computed: computed from recent_candles (20): atr, ema_20, bb_upper, bb_middle, bb_lower; unknown: rsi (the price never moved), volume_ratio (the newest 20 candles have no volume), price_change_24h (needs 289 candles of 5m, got 20); send 250 candles for values of atr, ema_20 that do not depend on where the candles begin"},
			map[string]string{"ema_50": "unknown", "macd": "unknown", "macd_signal": "unknown", "macd_hist": "unknown", "rsi": "unknown", "atr": "2", "ema_20": "100",
				"bb_upper": "100", "bb_middle": "100", "bb_lower": "100", "volume_ratio": "unknown", "price_change_24h": "unknown"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := parse(t, test.data)
			var got []string
			for _, w := range market.Complete(&data, signal.Timeframe(test.timeframe)) {
				got = append(got, string(w.Code)+": "+w.Message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.values, shown(data)); diff != "" {
				t.Errorf("indicators (-want +got):\n%s", diff)
			}
		})
	}
}

// The limit on keys holds for what was sent and what was computed together.
func TestCompleteLeavesOutWhatHasNoRoom(t *testing.T) {
	for sent, left := range map[int]string{
		51: "",
		60: "; left out, since market_data has 64 keys at the most: ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio, price_change_24h",
		63: "computed from recent_candles (300): nothing; left out, since market_data has 64 keys at the most: rsi, ",
	} {
		data := signal.MarketData{Candles: bars(t, "synthetic.json")}
		for i := range sent {
			data.Set(fmt.Sprintf("own_%d", i), signal.NumberOf(1))
		}
		warnings := market.Complete(&data, "5m")
		if keys := len(data.Indicators) + 1; keys != min(signal.MaxIndicators, sent+13) || len(warnings) != 1 {
			t.Fatalf("%d sent: %d keys, %v", sent, keys, warnings)
		}
		if m := warnings[0].Message; !strings.Contains(m, left) || strings.Contains(m, "left out") != (left != "") {
			t.Errorf("%d sent: %s", sent, m)
		}
	}
}

// The caller's list has room behind it; nothing may be written there.
func TestCompleteLeavesTheCallersListAlone(t *testing.T) {
	list := []signal.Indicator{{Name: "note", Value: "x"}, {Name: "z", Value: true}, {}, {}}
	data := signal.MarketData{Indicators: list[:2], Candles: bars(t, "synthetic.json")}
	market.Complete(&data, "5m")
	if list[0].Name != "note" || list[1].Name != "z" || list[2].Name != "" || len(data.Indicators) != 14 {
		t.Errorf("the list is %v now", list)
	}
}

// What a valid request says, it says after it was completed, and it is valid still.
func TestCompletedDataIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := signal.MarketData{Candles: walks.Draw(t, "candles")}
		if len(data.Candles) == 0 {
			return
		}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(append([]string{"RSI", "Macd", "a", "zz"}, names...)), 0, 8).Draw(t, "sent") {
			data.Set(name, signal.NumberOf(rapid.Float64Range(-1e6, 1e6).Draw(t, "value")))
		}
		before := shown(data)
		warnings := market.Complete(&data, rapid.SampledFrom(signal.Timeframes()).Draw(t, "timeframe"))
		for _, w := range warnings {
			if w.Message == "" || w.Provider != "" {
				t.Fatalf("warning %+v", w)
			}
		}
		after := shown(data)
		for name, value := range before {
			if after[name] != value {
				t.Fatalf("%s was %s and is %s", name, value, after[name])
			}
		}
		for _, name := range names {
			if !slices.ContainsFunc(data.Indicators, func(i signal.Indicator) bool { return strings.EqualFold(i.Name, name) }) {
				t.Fatalf("%s is missing", name)
			}
		}
		document, err := data.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signal.ParseMarketData(document, signal.MaxText); err != nil {
			t.Fatalf("%s: %v", document, err)
		}
	})
}

// Whatever a request may hold, it is completed without a panic and is valid still.
func FuzzComplete(f *testing.F) {
	f.Add(`{"rsi": 50, "recent_candles": [{"open": 1, "high": 1, "low": 1, "close": 1e308, "volume": 1e-320}]}`, "5m")
	f.Add(`{"MACD": 1e300, "recent_candles": [`+strings.Repeat(`{"open": 1, "high": 2, "low": 3, "close": 1e-9, "volume": null},`, 49)+`{"open": 1, "high": 1, "low": 1, "close": 1, "time": 0}]}`, "1w")
	f.Add(`{"price_change_24h": 0, "recent_candles": [`+strings.TrimSuffix(strings.Repeat(`{"open": 1, "high": 1, "low": 1, "close": 1, "volume": 0},`, 40), ",")+`]}`, "1h")
	f.Fuzz(func(t *testing.T, document, timeframe string) {
		data, err := signal.ParseMarketData([]byte(document), signal.MaxText)
		if err != nil {
			return
		}
		market.Complete(&data, signal.Timeframe(timeframe))
		completed, err := data.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signal.ParseMarketData(completed, signal.MaxText); err != nil && !strings.Contains(err.Error(), "KiB") { // the numbers sent may fill it
			t.Fatalf("%s: %v", completed, err)
		}
		if len(market.Complete(&data, signal.Timeframe(timeframe))) > len(data.Indicators) {
			t.Fatal("more warnings than indicators")
		}
	})
}
