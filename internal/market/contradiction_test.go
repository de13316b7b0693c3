package market_test

// What is called a contradiction, and what must not be.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// contradictions are the warnings about one sent number.
func contradictions(candles []signal.Candle, timeframe signal.Timeframe, name string, value float64) []string {
	data := signal.MarketData{Candles: candles, Indicators: []signal.Indicator{{Name: name, Value: signal.NumberOf(value)}}}
	var messages []string
	for _, w := range market.Complete(&data, timeframe) {
		if w.Code == signal.WarnIndicatorContradiction {
			messages = append(messages, w.Message)
		}
	}
	return messages
}

// The 300 bars end at 101.4 with rsi 57.7, atr 1.58, ema_20 100.2, macd 0.40 and a
// change of 1.6 % over 24 hours of 5 minutes.
func TestContradictions(t *testing.T) {
	candles := bars(t, "synthetic.json")
	now := readings(candles, "5m")
	change := now["price_change_24h"].Value
	tests := []struct {
		name  string
		value float64
		want  bool
	}{
		{"rsi", now["rsi"].Value, false}, {"rsi", now["rsi"].Value - 44, false}, {"rsi", now["rsi"].Value - 46, true}, {"RSI", 0.5, true}, {"rsi", -1, true}, {"rsi", 101, true},
		{"atr", now["atr"].Value / 4, false}, {"atr", 4 * now["atr"].Value, false}, {"atr", 0, true}, {"atr", -1, true}, {"Atr", 50, true},
		{"ema_20", 97, false}, {"ema_20", 200, true}, {"ema_20", 1.0823, true}, {"ema_20", 0, true},
		{"ema_50", 97, false}, {"EMA_50", 50000, true}, {"ema_50", 9.5, true},
		{"macd", 0, false}, {"macd", 3, false}, {"macd", 150, true}, {"macd", -150, true},
		{"macd_signal", 0, false}, {"macd_signal", -150, true}, {"macd_hist", 0, false}, {"macd_hist", 12, true},
		{"bb_middle", 99, false}, {"bb_middle", 120, true}, {"bb_upper", 110, false}, {"bb_upper", 70, true}, {"bb_upper", 130, true},
		{"bb_lower", 95, false}, {"bb_lower", 50, true}, {"bb_lower", 120, true},
		{"volume_ratio", 0, false}, {"volume_ratio", 10, false}, {"volume_ratio", 100, true}, {"volume_ratio", -0.5, true},
		{"price_change_24h", change, false}, {"price_change_24h", change + 0.9, false}, {"price_change_24h", change - 0.9, false},
		{"price_change_24h", change + 3, true}, {"price_change_24h", change - 3, true}, {"price_change_24h", 12.5, true},
		{"something_else", -1e9, false},
	}
	for _, test := range tests {
		got := contradictions(candles, "5m", test.name, test.value)
		if (len(got) > 0) != test.want || len(got) > 1 {
			t.Errorf("%s %v: got %q, want one: %v", test.name, test.value, got, test.want)
		}
	}
	got := contradictions(candles, "5m", "Price_Change_24h", 12.5)
	want := "Price_Change_24h was sent as 12.5, but the candles give " + now["price_change_24h"].Number().String() + ": the models are shown what was sent; check its pair, timeframe and unit, or leave it out to have it computed"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Numbers alone can contradict, and only candles that are enough.
func TestNoContradiction(t *testing.T) {
	candles := bars(t, "synthetic.json")
	data := signal.MarketData{Candles: candles, Indicators: []signal.Indicator{
		{Name: "atr", Value: "high"}, {Name: "ema_20", Value: []signal.Number{signal.NumberOf(1)}}, {Name: "macd", Value: true}, {Name: "rsi", Value: signal.Number{}},
	}}
	if got := market.Complete(&data, "5m"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	for _, name := range names {
		if got := contradictions(candles[:14], "5m", name, 99); len(got) > 0 {
			t.Errorf("14 candles: %q", got)
		}
	}
	// A hole in the candles: the day of the sender began in it.
	holed := series(time.Hour, counting(100, 1, 40)...)
	for i := range 30 {
		holed[i].Time = holed[i].Time.Add(-72 * time.Hour)
	}
	if got := contradictions(holed, "1h", "price_change_24h", 0.5); len(got) > 0 {
		t.Errorf("a hole: %q", got)
	}
}

// A long number is told short.
func TestContradictionByALongNumber(t *testing.T) {
	data := parse(t, `{"rsi": 0.`+strings.Repeat("1", 5000)+`}`)
	data.Candles = bars(t, "synthetic.json")
	got := market.Complete(&data, "5m")
	if m := got[len(got)-1].Message; len(got) != 2 || len(m) > 300 || !strings.Contains(m, "0.1111") {
		t.Errorf("got %v", got)
	}
}

// Two spellings of one indicator are judged each.
func TestContradictionsInOrder(t *testing.T) {
	data := parse(t, `{"rsi": 101, "RSI": 102, "bb_upper": 5, "atr": -1}`)
	data.Candles = bars(t, "synthetic.json")
	var got []string
	for _, w := range market.Complete(&data, "5m") {
		got = append(got, strings.Fields(w.Message)[0])
	}
	if want := "[computed RSI rsi atr bb_upper]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

type sender func(candles []signal.Candle, timeframe signal.Timeframe) float64

// senders compute indicators in other usual ways, at the last of the candles.
var senders = map[string][]sender{
	"rsi":              {reading("rsi"), simpleRSI},
	"atr":              {reading("atr"), simpleATR},
	"ema_20":           {reading("ema_20"), reading("bb_middle")},
	"ema_50":           {reading("ema_50")},
	"macd":             {reading("macd"), macdOf(8, 17), macdOf(5, 35)},
	"macd_signal":      {reading("macd_signal")},
	"macd_hist":        {reading("macd_hist")},
	"bb_upper":         {reading("bb_upper"), wideBand(3)},
	"bb_middle":        {reading("bb_middle"), reading("ema_20")},
	"bb_lower":         {reading("bb_lower"), wideBand(-3)},
	"volume_ratio":     {reading("volume_ratio"), volumeToThoseBefore},
	"price_change_24h": {reading("price_change_24h")},
}

// reading is an indicator as we compute it, of other candles.
func reading(name string) sender {
	return func(candles []signal.Candle, timeframe signal.Timeframe) float64 {
		return readings(candles, timeframe)[name].Value
	}
}

// simpleRSI is Cutler's: plain means of the last 14 changes.
func simpleRSI(candles []signal.Candle, _ signal.Timeframe) float64 {
	var up, down float64
	for i := len(candles) - 14; i < len(candles); i++ {
		change := candles[i].Close.Float64() - candles[i-1].Close.Float64()
		up += max(change, 0)
		down += max(-change, 0)
	}
	return 100 * up / (up + down)
}

func simpleATR(candles []signal.Candle, _ signal.Timeframe) float64 {
	var sum float64
	for i := len(candles) - 14; i < len(candles); i++ {
		high, low, before := candles[i].High.Float64(), candles[i].Low.Float64(), candles[i-1].Close.Float64()
		sum += max(high-low, math.Abs(high-before), math.Abs(low-before))
	}
	return sum / 14
}

// macdOf has other periods, and averages that begin with the first price.
func macdOf(fast, slow float64) sender {
	return func(candles []signal.Candle, _ signal.Timeframe) float64 {
		a := candles[0].Close.Float64()
		b := a
		for _, c := range candles {
			a += (c.Close.Float64() - a) * 2 / (fast + 1)
			b += (c.Close.Float64() - b) * 2 / (slow + 1)
		}
		return a - b
	}
}

func wideBand(deviations float64) sender {
	return func(candles []signal.Candle, timeframe signal.Timeframe) float64 {
		r := readings(candles, timeframe)
		middle, upper := r["bb_middle"].Value, r["bb_upper"].Value
		return middle + (upper-middle)/2*deviations
	}
}

// volumeToThoseBefore leaves the newest volume out of the mean.
func volumeToThoseBefore(candles []signal.Candle, timeframe signal.Timeframe) float64 {
	ratio := reading("volume_ratio")(candles, timeframe)
	return ratio * 19 / (20 - ratio)
}

// No sender is told to be wrong who has more history, other usual parameters, or
// one candle more or less than were sent. (Only the change over a day may jump by
// more in a candle that was not sent than can be allowed.)
func TestNoFalseAlarms(t *testing.T) {
	for _, test := range []struct {
		name      string
		candles   []signal.Candle
		timeframe signal.Timeframe
	}{
		{"a real daily series", daily(t), "1d"},
		{"a jumpy walk", walk(400), "15m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			judged := 0
			for end := 105; end < len(test.candles); end += 11 {
				for name, ways := range senders {
					for way, compute := range ways {
						for ahead := -1; ahead <= 1; ahead++ {
							if name == "price_change_24h" && ahead > 0 {
								continue
							}
							value := compute(test.candles[:end+ahead], test.timeframe)
							for _, n := range []int{40, 105} {
								judged++
								if got := contradictions(test.candles[end-n:end], test.timeframe, name, value); len(got) > 0 {
									t.Errorf("%d candles to number %d, way %d, %d ahead: %s", n, end, way, ahead, got[0])
								}
							}
						}
					}
				}
			}
			if judged < 1000 {
				t.Errorf("only %d cases", judged)
			}
		})
	}
}

// daily is the real series of the examples.
func daily(t *testing.T) []signal.Candle {
	t.Helper()
	file, err := os.Open("../../examples/sp500-daily.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	candles, err := market.ReadCSV(file)
	if err != nil {
		t.Fatal(err)
	}
	return candles
}

// walk is a random walk of n candles of some 0.3 %, one in fifty six times as long.
func walk(n int) []signal.Candle {
	chance := rand.New(rand.NewPCG(1, 2))
	candles := make([]signal.Candle, n)
	price := 100.0
	for i := range candles {
		step := 0.003 * chance.NormFloat64()
		if chance.IntN(50) == 0 {
			step *= 6
		}
		opened := price
		price *= math.Exp(step)
		candles[i] = signal.Candle{
			Open: signal.NumberOf(opened), Close: signal.NumberOf(price),
			High: signal.NumberOf(max(opened, price) * (1 + 0.002*chance.Float64())), Low: signal.NumberOf(min(opened, price) * (1 - 0.002*chance.Float64())),
			Volume: signal.NumberOf(100 * math.Exp(chance.NormFloat64())),
		}
	}
	return candles
}
