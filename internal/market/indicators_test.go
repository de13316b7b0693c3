package market_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"thalas/internal/market"
	"thalas/internal/signal"
)

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

// counting gives n numbers from first on.
func counting(first, step float64, n int) []float64 {
	numbers := make([]float64, n)
	for i := range numbers {
		numbers[i] = first + float64(i)*step
	}
	return numbers
}

func flat(price float64, n int) []float64 { return slices.Repeat([]float64{price}, n) }

var names = []string{"rsi", "atr", "ema_20", "ema_50", "macd", "macd_signal", "macd_hist", "bb_upper", "bb_middle", "bb_lower", "volume_ratio", "price_change_24h"}

func TestWhatIsNeeded(t *testing.T) {
	needs := map[string]int{"rsi": 15, "atr": 15, "ema_20": 20, "ema_50": 50, "macd": 34, "macd_signal": 34, "macd_hist": 34,
		"bb_upper": 20, "bb_middle": 20, "bb_lower": 20, "volume_ratio": 20, "price_change_24h": 25}
	candles := bars(t, "synthetic.json")
	for n := range 60 {
		got := market.Indicators(candles[:n], "1h")
		if len(got) != len(names) {
			t.Fatalf("%d indicators", len(got))
		}
		for i, r := range got {
			if r.Name != names[i] {
				t.Errorf("indicator %d is %s, want %s", i, r.Name, names[i])
			}
			if known := n >= needs[r.Name]; known != (r.Unknown == "") || !known && (r.Value != 0 || r.Number().IsKnown()) {
				t.Errorf("%d candles: %s is %v, %q", n, r.Name, r.Value, r.Unknown)
			}
			want := fmt.Sprintf("needs %d candles, got %d", needs[r.Name], n)
			if r.Name == "price_change_24h" {
				want = fmt.Sprintf("needs %d candles of 1h, got %d", needs[r.Name], n)
				if n == 0 {
					want = "there are no candles"
				}
			}
			if r.Unknown != "" && r.Unknown != want {
				t.Errorf("%d candles: %s is unknown: %s", n, r.Name, r.Unknown)
			}
		}
	}
}

func TestRSI(t *testing.T) {
	up := counting(100, 1, 15)
	down := counting(100, -1, 15)
	tests := []struct {
		name    string
		closes  []float64
		want    float64
		unknown string
	}{
		{"only gains", up, 100, ""},
		{"only losses", down, 0, ""},
		{"one close too few", up[:14], 0, "needs 15 candles, got 14"},
		{"flat", flat(50000, 40), 0, "the price never moved"}, // TA-Lib says 0: oversold
		{"flat after a rise", append(slices.Clone(up), flat(114, 40)...), 100, ""},
		{"as much up as down", append(flat(100, 13), 101, 100), 50, ""},
		{"unknown", append(slices.Clone(up), math.NaN()), 0, "a price is unknown, or too large to compute with"},
		{"infinite", append(slices.Clone(up), math.Inf(1)), 0, "a price is unknown, or too large to compute with"},
		{"the largest numbers", append(flat(math.MaxFloat64, 13), math.SmallestNonzeroFloat64, math.MaxFloat64), 50, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := readings(series(0, test.closes...), "5m")["rsi"]
			if math.Abs(got.Value-test.want) > 1e-12 || got.Unknown != test.unknown {
				t.Errorf("got %v, %q; want %v, %q", got.Value, got.Unknown, test.want, test.unknown)
			}
		})
	}
}

// Where nothing moves, averages are the price itself to the last digit, and so are
// the bands: none is NaN, and none is off by what a sum of decimals leaves.
func TestFlatSeries(t *testing.T) {
	for _, price := range []float64{0.1, 1e-8, 50000.3, 1e15, 5e-324, math.MaxFloat64} {
		for name, r := range readings(series(0, flat(price, 60)...), "1h") {
			want := 0.0
			switch name {
			case "ema_20", "ema_50", "bb_upper", "bb_middle", "bb_lower":
				want = price
			}
			if r.Value != want || (r.Unknown != "") != (name == "rsi" || name == "volume_ratio") {
				t.Errorf("%v: %s is %v, %q", price, name, r.Value, r.Unknown)
			}
		}
	}
}

// The bands keep their width where squares of the distances would be nothing, or
// infinite, or drown in the square of the price.
func TestBandsKeepTheirWidth(t *testing.T) {
	alternating := func(price, apart float64) []float64 {
		closes := flat(price, 20)
		for i := 0; i < 20; i += 2 {
			closes[i] += apart
		}
		return closes
	}
	for _, test := range []struct{ price, apart float64 }{{100, 2}, {1e-8, 1e-10}, {1e-200, 1e-201}, {1e300, 1e299}, {1 << 50, 0.25}} {
		got := readings(series(0, alternating(test.price, test.apart)...), "1h")
		width := got["bb_upper"].Value - got["bb_lower"].Value // 4 deviations of half the distance each
		if math.Abs(width/test.apart-2) > 1e-6 {
			t.Errorf("%v by %v: width %v", test.price, test.apart, width)
		}
	}
}

func TestVolumeRatio(t *testing.T) {
	tests := []struct {
		name    string
		volumes []float64
		want    float64
		unknown string
	}{
		{"all alike", flat(0.1, 25), 1, ""},
		{"the newest is in the mean", append(flat(1, 19), 21), 10.5, ""},
		{"the newest is 0", append(flat(1, 19), 0), 0, ""},
		{"only the newest", append(flat(0, 30), 5), 20, ""},
		{"none at all", flat(0, 30), 0, "the newest 20 candles have no volume"},
		{"one unknown", append(flat(1, 19), math.NaN(), 1), 0, "a volume of the newest 20 candles is unknown"},
		{"an old one unknown", append([]float64{math.NaN()}, flat(1, 20)...), 1, ""},
		{"too few", flat(1, 19), 0, "needs 20 candles, got 19"},
		{"the largest", flat(math.MaxFloat64, 20), 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			candles := series(0, flat(1, len(test.volumes))...)
			for i, v := range test.volumes {
				candles[i].Volume = signal.NumberOf(v)
			}
			got := readings(candles, "5m")["volume_ratio"]
			if math.Abs(got.Value-test.want) > 1e-12 || got.Unknown != test.unknown {
				t.Errorf("got %v, %q; want %v, %q", got.Value, got.Unknown, test.want, test.unknown)
			}
		})
	}
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
		unknown   string
	}{
		{"daily", series(24*time.Hour, 100, 200, 205), "1d", 2.5, ""},
		{"daily without times", series(0, 100, 200, 205), "1d", 2.5, ""},
		{"a fall", series(0, 200, 150), "1d", -25, ""},
		{"hours, 6 candles back", series(4*time.Hour, 1, 100, 9, 9, 9, 9, 9, 110), "4h", 10, ""},
		{"hours without times", series(0, 1, 100, 9, 9, 9, 9, 9, 110), "4h", 10, ""},
		{"five hours too few", series(4*time.Hour, 100, 9, 9, 9, 9, 110), "4h", 0, "the candles do not reach back 24 hours"},
		{"too few without times", series(0, 100, 9, 9, 9, 9, 110), "4h", 0, "needs 7 candles of 4h, got 6"},
		{"a gap: the last before counts", at(series(1, 90, 100, 9, 103), 0, 0.9, 1.2, 2), "4h", 3, ""},
		{"over a weekend", at(series(1, 90, 100, 101), 0, 1, 4), "1d", 1, ""},
		{"7 days old is the most", at(series(1, 100, 101), 0, 7), "1d", 1, ""},
		{"older than 7 days", at(series(1, 100, 101), 0, 7.01), "1d", 0, "the candle before the last 24 hours is older than 7 days"},
		{"one candle", series(24*time.Hour, 100), "1d", 0, "the candles do not reach back 24 hours"},
		{"weekly", series(7*24*time.Hour, 100, 200, 300), "1w", 0, "a candle of 1w is longer than a day"},
		{"three days", series(0, 100, 200, 300), "3d", 0, "a candle of 3d is longer than a day"},
		{"unknown timeframe", series(24*time.Hour, 100, 200, 300), "1M", 0, "the timeframe is not known"},
		{"beyond a float64", series(0, 1e-300, 1e300), "1d", 0, "a price is unknown, or too large to compute with"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := readings(test.candles, test.timeframe)["price_change_24h"]
			if math.Abs(got.Value-test.want) > 1e-12 || got.Unknown != test.unknown {
				t.Errorf("got %v, %q; want %v, %q", got.Value, got.Unknown, test.want, test.unknown)
			}
		})
	}
}

// On a series without gaps, times and counting candles say the same.
func TestPriceChange24hByTimeAndByCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeframe := rapid.SampledFrom(signal.Timeframes()).Draw(t, "timeframe")
		closes := rapid.SliceOfN(rapid.Float64Range(math.SmallestNonzeroFloat64, math.MaxFloat64), 0, 60).Draw(t, "closes")
		got := readings(series(timeframe.Duration(), closes...), timeframe)["price_change_24h"]
		want := readings(series(0, closes...), timeframe)["price_change_24h"]
		if got.Value < -100 || got.Value != want.Value || (got.Unknown == "") != (want.Unknown == "") {
			t.Fatalf("by time %+v; by count %+v", got, want)
		}
	})
}

// Whatever the numbers: no panic, nothing that is not finite, nothing outside its range.
func TestReadingsAreFinite(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) float64 {
		return rapid.OneOf(
			rapid.Float64(),
			rapid.Float64Range(0.9, 1.1),
			rapid.SampledFrom([]float64{0, 1, 1e-8, 5e-324, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1)}),
		).Draw(t, "number")
	})
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(number, 0, 300).Draw(t, "numbers")
		timeframe := rapid.SampledFrom(append(signal.Timeframes(), "", "1M")).Draw(t, "timeframe")
		candles := make([]signal.Candle, len(numbers)/4)
		for i := range candles {
			n := numbers[4*i:]
			candles[i] = signal.Candle{High: signal.NumberOf(n[0]), Low: signal.NumberOf(n[1]), Close: signal.NumberOf(n[2]), Volume: signal.NumberOf(n[3])}
		}
		for _, r := range market.Indicators(candles, timeframe) {
			if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) || r.Unknown != "" && r.Value != 0 || r.Number().IsKnown() != (r.Unknown == "") {
				t.Fatalf("%+v, shown as %s", r, r.Number())
			}
			if r.Name == "rsi" && !(r.Value >= 0 && r.Value <= 100) || r.Name == "atr" && r.Value < 0 {
				t.Fatalf("%s is %v", r.Name, r.Value)
			}
		}
		for name, r := range readings(candles, timeframe) {
			if name == "bb_upper" && r.Unknown == "" {
				got := readings(candles, timeframe)
				if middle, lower := got["bb_middle"], got["bb_lower"]; r.Value < middle.Value || lower.Unknown == "" && middle.Value < lower.Value {
					t.Fatalf("bands %v %v %v", r.Value, middle.Value, lower.Value)
				}
			}
		}
	})
}

// walks are candles of whole prices, so that powers of two scale them exactly.
var walks = rapid.Custom(func(t *rapid.T) []signal.Candle {
	closes := rapid.SliceOfN(rapid.IntRange(1, 1000), 0, 80).Draw(t, "closes")
	candles := make([]signal.Candle, len(closes))
	for i, c := range closes {
		high := c + rapid.IntRange(0, 50).Draw(t, "above")
		low := max(1, c-rapid.IntRange(0, 50).Draw(t, "below"))
		volume := rapid.IntRange(0, 3).Draw(t, "volume")
		candles[i] = signal.Candle{Open: signal.NumberOf(float64(c)), High: signal.NumberOf(float64(high)), Low: signal.NumberOf(float64(low)), Close: signal.NumberOf(float64(c)), Volume: signal.NumberOf(float64(volume))}
	}
	return candles
})

// moved gives the candles with other prices and volumes.
func moved(candles []signal.Candle, price, volume func(float64) float64) []signal.Candle {
	other := slices.Clone(candles)
	for i := range other {
		c := &other[i]
		for _, n := range []*signal.Number{&c.Open, &c.High, &c.Low, &c.Close} {
			*n = signal.NumberOf(price(n.Float64()))
		}
		c.Volume = signal.NumberOf(volume(c.Volume.Float64()))
	}
	return other
}

// In another currency the prices, and what is in their unit, are another multiple;
// the rest stays.
func TestIndicatorsOfScaledPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candles := walks.Draw(t, "candles")
		k := math.Pow(2, rapid.Float64Range(-40, 40).Draw(t, "exponent"))
		k = math.Pow(2, math.Round(math.Log2(k)))
		scaled := moved(candles, func(p float64) float64 { return k * p }, func(v float64) float64 { return v / k })
		want := readings(candles, "1h")
		for name, got := range readings(scaled, "1h") {
			value := want[name].Value
			if !slices.Contains([]string{"rsi", "volume_ratio", "price_change_24h"}, name) {
				value *= k
			}
			if got.Value != value || got.Unknown != want[name].Unknown {
				t.Fatalf("%s by %v: %+v, want %v", name, k, got, value)
			}
		}
	})
}

// A series that is raised raises its averages and bands, and leaves the rest.
func TestIndicatorsOfRaisedPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candles := walks.Draw(t, "candles")
		raised := moved(candles, func(p float64) float64 { return p + 4096 }, func(v float64) float64 { return v })
		want := readings(candles, "1h")
		for name, got := range readings(raised, "1h") {
			value := want[name].Value
			switch {
			case name == "price_change_24h" || got.Unknown != "":
				continue
			case strings.HasPrefix(name, "ema_"), strings.HasPrefix(name, "bb_"):
				value += 4096
			}
			if math.Abs(got.Value-value) > 1e-9 {
				t.Fatalf("%s: %v, want %v", name, got.Value, value)
			}
		}
	})
}

// Gains and losses are treated alike: a series upside down has the rest to 100,
// the opposite trend and the same ranges.
func TestIndicatorsOfTheMirroredSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candles := walks.Draw(t, "candles")
		mirrored := moved(candles, func(p float64) float64 { return 2000 - p }, func(v float64) float64 { return v })
		for i := range mirrored {
			mirrored[i].High, mirrored[i].Low = mirrored[i].Low, mirrored[i].High
		}
		want := readings(candles, "1h")
		for name, got := range readings(mirrored, "1h") {
			value := want[name].Value
			switch name {
			case "rsi":
				value = 100 - value
			case "macd", "macd_signal", "macd_hist":
				value = -value
			case "ema_20", "ema_50", "bb_middle":
				value = 2000 - value
			case "bb_upper":
				value = 2000 - want["bb_lower"].Value
			case "bb_lower":
				value = 2000 - want["bb_upper"].Value
			case "price_change_24h":
				continue
			}
			if got.Unknown == "" && math.Abs(got.Value-value) > 1e-9 {
				t.Fatalf("%s: %v, want %v", name, got.Value, value)
			}
		}
	})
}

func TestNumbersAreShownWithTenDigits(t *testing.T) {
	for value, want := range map[float64]string{
		57.36274318765432: "57.36274319", 1469.25: "1469.25", 0.1 + 0.2: "0.3", -1.0 / 3: "-0.3333333333",
		1.23456789012e-8: "0.0000000123456789", 123456789012.34: "123456789000", 0: "0", 100: "100",
	} {
		if got := (market.Reading{Value: value}).Number().String(); got != want {
			t.Errorf("%v is shown as %s, want %s", value, got, want)
		}
	}
	if n := (market.Reading{Value: math.MaxFloat64}).Number(); n.Float64() != math.MaxFloat64 {
		t.Errorf("the largest is shown as %s", n)
	}
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

// fiveHundred candles as a venue sends them: prices of seven digits, times.
func fiveHundred(t testing.TB) signal.MarketData {
	t.Helper()
	var list []string
	for i, c := range bars(t, "traps.json") {
		list = append(list, fmt.Sprintf(`{"time": %d, "open": %s, "high": %s, "low": %s, "close": %s, "volume": %s}`,
			monday.Add(time.Duration(i)*5*time.Minute).Unix(), c.Open, c.High, c.Low, c.Close, c.Volume))
	}
	for i := len(list); i < 500; i++ {
		list = append(list, fmt.Sprintf(`{"time": %d, "open": 82.1, "high": 83.25, "low": 81.75, "close": 82.%d, "volume": 12.5}`, monday.Add(time.Duration(i)*5*time.Minute).Unix(), i))
	}
	var data signal.MarketData
	if err := json.Unmarshal([]byte(`{"recent_candles": [`+strings.Join(list, ",")+`]}`), &data); err != nil {
		t.Fatal(err)
	}
	return data
}

func BenchmarkIndicators(b *testing.B) {
	candles := fiveHundred(b).Candles
	b.ReportAllocs()
	for b.Loop() {
		market.Indicators(candles, "5m")
	}
}

func BenchmarkComplete(b *testing.B) {
	bare := fiveHundred(b)
	for name, data := range map[string]signal.MarketData{"bare": bare, "no candles": {Indicators: []signal.Indicator{{Name: "rsi", Value: signal.NumberOf(50)}}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				again := data
				market.Complete(&again, "5m")
			}
		})
	}
}
