package market_test

// The indicators against TA-Lib's own values: testdata/README.md says of what.

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"thalas/internal/market"
	"thalas/internal/signal"
)

func readTestdata(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// bars reads a series of testdata as candles without times.
func bars(t testing.TB, name string) []signal.Candle {
	t.Helper()
	var rows [][5]signal.Number
	readTestdata(t, name, &rows)
	candles := make([]signal.Candle, len(rows))
	for i, r := range rows {
		candles[i] = signal.Candle{Open: r[0], High: r[1], Low: r[2], Close: r[3], Volume: r[4]}
	}
	return candles
}

// readings are the indicators of candles by name.
func readings(candles []signal.Candle, timeframe signal.Timeframe) map[string]market.Reading {
	byName := map[string]market.Reading{}
	for _, r := range market.Indicators(candles, timeframe) {
		byName[r.Name] = r
	}
	return byName
}

func TestIndicatorsAreThoseOfTALib(t *testing.T) {
	for _, name := range []string{"synthetic", "traps", "tiny"} {
		t.Run(name, func(t *testing.T) {
			candles := bars(t, name+".json")
			var want map[string][]*float64
			readTestdata(t, name+"_talib.json", &want)
			if len(candles) < 300 || len(want) != 11 {
				t.Fatalf("%d candles, %d indicators", len(candles), len(want))
			}
			// In the unit of the prices, where those are far from 1.
			unit := min(1, candles[0].Close.Float64())
			for bar := range candles {
				got := readings(candles[:bar+1], "5m")
				for indicator, values := range want {
					tolerance := 1e-9
					if indicator != "rsi" && indicator != "volume_ratio" {
						tolerance *= unit
					}
					hold(t, bar, got[indicator], values[bar], tolerance)
				}
			}
		})
	}
}

// hold holds a reading against TA-Lib's value; nil: TA-Lib has none.
func hold(t *testing.T, bar int, got market.Reading, want *float64, tolerance float64) {
	t.Helper()
	switch {
	case want == nil && got.Unknown == "":
		t.Errorf("bar %d: %s is %v, TA-Lib has none", bar, got.Name, got.Value)
	case want != nil && got.Unknown != "":
		t.Errorf("bar %d: %s: %s; TA-Lib has %v", bar, got.Name, got.Unknown, *want)
	case want != nil && !(math.Abs(got.Value-*want) <= tolerance):
		t.Errorf("bar %d: %s is %v, TA-Lib has %v", bar, got.Name, got.Value, *want)
	}
}

// The same 300 bars by another build of TA-Lib, and the bands by another library.
func TestIndicatorsAreThoseOfTALibWeb(t *testing.T) {
	candles := bars(t, "synthetic.json")
	type column struct {
		FirstIndex int `json:"first_index"`
		Values     []float64
	}
	var want struct {
		RSI14, ATR14, EMA50 column
		MACD                struct {
			FirstIndex         int `json:"first_index"`
			MACD, Signal, Hist []float64
		}
		BB struct {
			FirstIndex int          `json:"first_index"`
			Bands      [][3]float64 `json:"upper_middle_lower"`
		} `json:"bb20_2"`
	}
	readTestdata(t, "synthetic_talib_web.json", &want)
	columns := map[string]column{
		"rsi": want.RSI14, "atr": want.ATR14, "ema_50": want.EMA50,
		"macd": {want.MACD.FirstIndex, want.MACD.MACD}, "macd_signal": {want.MACD.FirstIndex, want.MACD.Signal}, "macd_hist": {want.MACD.FirstIndex, want.MACD.Hist},
	}
	for i, band := range []string{"bb_upper", "bb_middle", "bb_lower"} {
		c := column{FirstIndex: want.BB.FirstIndex}
		for _, values := range want.BB.Bands {
			c.Values = append(c.Values, values[i])
		}
		columns[band] = c
	}
	for bar := range candles {
		got := readings(candles[:bar+1], "5m")
		for name, c := range columns {
			if len(c.Values) != len(candles)-c.FirstIndex {
				t.Fatalf("%s has %d values", name, len(c.Values))
			}
			var value *float64
			if bar >= c.FirstIndex {
				value = &c.Values[bar-c.FirstIndex]
			}
			hold(t, bar, got[name], value, 1e-9)
		}
	}
}
