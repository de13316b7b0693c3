package market_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"thalas/internal/market"
	"thalas/internal/signal"
)

func TestRSIAgainstTALib(t *testing.T) {
	data, err := os.ReadFile("testdata/rsi14.json")
	if err != nil {
		t.Fatal(err)
	}
	var series struct {
		Closes []float64
		RSI14  struct {
			FirstIndex int `json:"first_index"`
			Values     []float64
		}
	}
	if err := json.Unmarshal(data, &series); err != nil {
		t.Fatal(err)
	}
	if len(series.Closes) != 300 || len(series.RSI14.Values) != 286 {
		t.Fatalf("testdata has %d closes and %d values", len(series.Closes), len(series.RSI14.Values))
	}
	for bar := range series.Closes {
		got, ok := market.RSI(series.Closes[:bar+1], market.RSIPeriod)
		if ok != (bar >= series.RSI14.FirstIndex) {
			t.Fatalf("bar %d: ok is %v", bar, ok)
		}
		if !ok {
			continue
		}
		if want := series.RSI14.Values[bar-series.RSI14.FirstIndex]; math.Abs(got-want) > 1e-9 {
			t.Errorf("bar %d: got %v, want %v", bar, got, want)
		}
	}
}

func TestRSI(t *testing.T) {
	up := make([]float64, 15)
	for i := range up {
		up[i] = float64(100 + i)
	}
	down := slices.Clone(up)
	slices.Reverse(down)
	tests := []struct {
		name   string
		closes []float64
		period int
		want   float64
		ok     bool
	}{
		{"only gains", up, 14, 100, true},
		{"only losses", down, 14, 0, true},
		{"one close too few", up[:14], 14, 0, false},
		{"none", nil, 14, 0, false},
		{"flat", slices.Repeat([]float64{50000}, 40), 14, 0, false},
		{"flat after a rise", append(slices.Clone(up), slices.Repeat([]float64{114}, 40)...), 14, 100, true},
		{"as much up as down", []float64{100, 101, 100}, 2, 50, true},
		{"no period", up, 0, 0, false},
		{"NaN", append(slices.Clone(up), math.NaN()), 14, 0, false},
		{"infinite", append(slices.Clone(up), math.Inf(1)), 14, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := market.RSI(test.closes, test.period)
			if got != test.want || ok != test.ok {
				t.Errorf("got %v, %v; want %v, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestRSIStaysInItsRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		closes := rapid.SliceOfN(rapid.Float64Range(math.SmallestNonzeroFloat64, math.MaxFloat64), 0, 60).Draw(t, "closes")
		period := rapid.IntRange(1, 20).Draw(t, "period")
		got, ok := market.RSI(closes, period)
		if !(got >= 0 && got <= 100) {
			t.Fatalf("got %v", got)
		}
		if ok && len(closes) <= period {
			t.Fatalf("ok with %d closes for period %d", len(closes), period)
		}
	})
}

// Gains and losses are treated alike: a series upside down has the rest to 100.
func TestRSIOfTheMirroredSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		closes := rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 1000), func(n int) float64 { return float64(n) }), 0, 60).Draw(t, "closes")
		mirrored := make([]float64, len(closes))
		for i, c := range closes {
			mirrored[i] = 1001 - c
		}
		got, ok := market.RSI(closes, 14)
		other, otherOK := market.RSI(mirrored, 14)
		if ok != otherOK || (ok && math.Abs(got+other-100) > 1e-9) {
			t.Fatalf("%v, %v and mirrored %v, %v", got, ok, other, otherOK)
		}
	})
}

var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// series makes candles with the closes, spaced from monday on; 0: without times.
func series(spacing time.Duration, closes ...float64) []signal.Candle {
	candles := make([]signal.Candle, len(closes))
	for i, c := range closes {
		n := signal.NumberOf(c)
		candles[i] = signal.Candle{Open: n, High: n, Low: n, Close: n}
		if spacing > 0 {
			candles[i].Time = monday.Add(time.Duration(i) * spacing)
		}
	}
	return candles
}

// at moves the candles to the days after monday.
func at(candles []signal.Candle, days ...float64) []signal.Candle {
	for i, d := range days {
		candles[i].Time = monday.Add(time.Duration(d * 24 * float64(time.Hour)))
	}
	return candles
}

func TestPriceChange24h(t *testing.T) {
	tests := []struct {
		name      string
		candles   []signal.Candle
		timeframe signal.Timeframe
		want      float64
		ok        bool
	}{
		{"daily", series(24*time.Hour, 100, 200, 205), "1d", 2.5, true},
		{"daily without times", series(0, 100, 200, 205), "1d", 2.5, true},
		{"a fall", series(0, 200, 150), "1d", -25, true},
		{"hours, 6 candles back", series(4*time.Hour, 1, 100, 9, 9, 9, 9, 9, 110), "4h", 10, true},
		{"hours without times", series(0, 1, 100, 9, 9, 9, 9, 9, 110), "4h", 10, true},
		{"five hours too few", series(4*time.Hour, 100, 9, 9, 9, 9, 110), "4h", 0, false},
		{"too few without times", series(0, 100, 9, 9, 9, 9, 110), "4h", 0, false},
		{"a gap: the last before counts", at(series(1, 90, 100, 9, 103), 0, 0.9, 1.2, 2), "4h", 3, true},
		{"over a weekend", at(series(1, 90, 100, 101), 0, 1, 4), "1d", 1, true},
		{"7 days old is the most", at(series(1, 100, 101), 0, 7), "1d", 1, true},
		{"older than 7 days", at(series(1, 100, 101), 0, 7.01), "1d", 0, false},
		{"one candle", series(24*time.Hour, 100), "1d", 0, false},
		{"none", nil, "1d", 0, false},
		{"weekly", series(7*24*time.Hour, 100, 200, 300), "1w", 0, false},
		{"three days", series(0, 100, 200, 300), "3d", 0, false},
		{"unknown timeframe", series(24*time.Hour, 100, 200, 300), "1M", 0, false},
		{"beyond a float64", series(0, 1e-300, 1e300), "1d", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := market.PriceChange24h(test.candles, test.timeframe)
			if math.Abs(got-test.want) > 1e-12 || ok != test.ok {
				t.Errorf("got %v, %v; want %v, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

// On a series without gaps, times and counting bars say the same.
func TestPriceChange24hByTimeAndByCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeframe := rapid.SampledFrom(signal.Timeframes()).Draw(t, "timeframe")
		closes := rapid.SliceOfN(rapid.Float64Range(math.SmallestNonzeroFloat64, math.MaxFloat64), 0, 60).Draw(t, "closes")
		got, ok := market.PriceChange24h(series(timeframe.Duration(), closes...), timeframe)
		want, wantOK := market.PriceChange24h(series(0, closes...), timeframe)
		if math.IsNaN(got) || math.IsInf(got, 0) || got < -100 || got != want || ok != wantOK {
			t.Fatalf("by time %v, %v; by count %v, %v", got, ok, want, wantOK)
		}
	})
}

func TestTimeframeOf(t *testing.T) {
	tests := []struct {
		name    string
		candles []signal.Candle
		want    signal.Timeframe
		ok      bool
	}{
		{"five minutes", series(5*time.Minute, 1, 1, 1), "5m", true},
		{"days with weekends", at(series(1, 1, 1, 1), 0, 3, 4), "1d", true},
		{"a spacing that is no timeframe", series(7*time.Minute, 1, 1), "", false},
		{"one candle", series(time.Hour, 1), "", false},
		{"none", nil, "", false},
		{"no times", series(0, 1, 1), "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := market.TimeframeOf(test.candles); got != test.want || ok != test.ok {
				t.Errorf("got %q, %v; want %q, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestCloses(t *testing.T) {
	if got := market.Closes(series(0, 1.5, 2)); !slices.Equal(got, []float64{1.5, 2}) {
		t.Errorf("got %v", got)
	}
}
