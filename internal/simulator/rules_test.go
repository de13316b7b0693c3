package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"thalas/internal/signal"
)

// prompt makes a prompt with a document.
func prompt(document string) string {
	return "Judge this.\n<market_data>\n" + document + "\n</market_data>\n"
}

// series is a document of candles with the closes given and a range of 1 % each.
func series(closes ...float64) string {
	rows := make([]string, len(closes))
	for i, c := range closes {
		rows[i] = fmt.Sprintf("[%g, %g, %g, %g, \"unknown\"]", c, c*1.005, c*0.995, c)
	}
	return prompt(fmt.Sprintf(`{"pair": "BTC/USDT", "current_price": %g, "candle_columns": ["open", "high", "low", "close", "volume"], "recent_candles": [%s]}`,
		closes[len(closes)-1], strings.Join(rows, ", ")))
}

// flat is n closes of 100 and then the others.
func flat(n int, then ...float64) []float64 {
	closes := make([]float64, n, n+len(then))
	for i := range closes {
		closes[i] = 100
	}
	return append(closes, then...)
}

func TestRules(t *testing.T) {
	indicators := func(object string) string {
		return prompt(`{"pair": "BTC/USDT", "current_price": 50000.0, "indicators": ` + object + `}`)
	}
	tests := []struct {
		name, provider, prompt string
		want                   signal.Decision
		confidence             float64
		says                   string
	}{
		{"oversold", Anthropic, indicators(`{"rsi": 28}`), signal.Buy, 0.63, "BTC/USDT: RSI 28 is at or below 35"},
		{"just oversold", Anthropic, indicators(`{"rsi": 35}`), signal.Buy, 0.55, "35"},
		{"between", Anthropic, indicators(`{"rsi": 50.25}`), signal.Hold, 0.5, "RSI 50.25 lies between"},
		{"overbought", Anthropic, indicators(`{"RSI": 65.5}`), signal.Sell, 0.56, "RSI 65.5 is at or above 65"},
		{"rsi unknown", Anthropic, indicators(`{"rsi": "unknown"}`), signal.Hold, 0.1, "rsi is missing or unknown"},
		{"rsi nonsense", Anthropic, indicators(`{"rsi": 650}`), signal.Hold, 0.1, "outside 0 to 100"},

		{"rising closes", OpenAI, series(flat(1, 100, 100, 100, 101, 102)...), signal.Buy, 0.95, "the close moved 2% over 5 candles"},
		{"falling closes", OpenAI, series(flat(1, 100, 100, 100, 99.5, 99)...), signal.Sell, 0.68, "-1% over 5 candles"},
		{"still closes", OpenAI, series(flat(5, 100.1)...), signal.Hold, 0.5, "no clear momentum"},
		{"MACD in place of closes", OpenAI, indicators(`{"macd": 150}`), signal.Buy, 0.82, "MACD 150 is 0.3% of the price"},
		{"neither", OpenAI, series(flat(5)...), signal.Hold, 0.1, "needs 6 candles or the indicator macd"},

		{"above the mean", Gemini, series(flat(19, 104)...), signal.Buy, 0.92, "3.79242% from the mean of the last 20 closes, 100.2"},
		{"below the mean", Gemini, series(flat(19, 98)...), signal.Sell, 0.67, "downward trend"},
		{"at the mean", Gemini, series(flat(20)...), signal.Hold, 0.5, "0% from the mean"},
		{"19 candles", Gemini, series(flat(19)...), signal.Hold, 0.1, "needs 20 candles and there are 19"},

		{"new high", Grok, series(flat(20, 101)...), signal.Buy, 0.75, "the close 101 broke above the high of 20 candles, 100.5"},
		{"new low", Grok, series(flat(20, 99)...), signal.Sell, 0.75, "below the low of 20 candles, 99.5"},
		{"inside", Grok, series(flat(21)...), signal.Hold, 0.5, "inside the range of 20 candles, 99.5 to 100.5"},
		{"a day's rise", Grok, indicators(`{"price_change_24h": 2.5}`), signal.Buy, 0.58, "2.5% in 24 hours"},
		{"a day's fall", Grok, indicators(`{"price_change_24h": -8}`), signal.Sell, 0.95, "-8% in 24 hours"},
		{"no day", Grok, indicators(`{}`), signal.Hold, 0.1, "needs 21 candles or the indicator price_change_24h"},

		{"no document", Grok, "What of BTC?", signal.Hold, 0.1, "no market data between the lines"},
		{"fence not closed", Grok, "<market_data>\n{}", signal.Hold, 0.1, "no market data"},
		{"not JSON", Grok, prompt("BTC is at 50000"), signal.Hold, 0.1, "cannot be read"},
		{"no price", Anthropic, prompt(`{"indicators": {"rsi": 20}}`), signal.Hold, 0.1, "the price is unknown"},
		{"columns in another order", Gemini, prompt(`{"current_price": 1, "candle_columns": ["close", "low"], "recent_candles": [[1, 1]]}`), signal.Hold, 0.1, "there are 0"},
		{"fence inside a text", Anthropic, indicators(`{"note": "</market_data>", "rsi": 20}`), signal.Buy, 0.72, "RSI 20"},
	}
	for _, test := range tests {
		t.Run(test.provider+"/"+test.name, func(t *testing.T) {
			got := decide(test.provider, test.prompt)
			if got.Decision != test.want || got.Confidence != test.confidence || !strings.Contains(got.Reasoning, test.says) {
				t.Errorf("got %s %v %q\nwant %s %v %q", got.Decision, got.Confidence, got.Reasoning, test.want, test.confidence, test.says)
			}
		})
	}
}

// TestLevels: stop and target for both directions, for tiny prices too.
func TestLevels(t *testing.T) {
	at := func(price string) string {
		return prompt(`{"current_price": ` + price + `, "indicators": {"price_change_24h": %s}}`)
	}
	tests := []struct {
		name, price, change string
		stop, target        float64
	}{
		{"buy", "50000.0", "3", 49250, 51500},
		{"sell", "50000.0", "-3", 50750, 48500},
		{"buy at a tiny price", "0.00001234", "3", 0.0000121549, 0.0000127102},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := decide(Grok, fmt.Sprintf(at(test.price), test.change))
			if got.StopLoss == nil || got.TakeProfit == nil || *got.StopLoss != test.stop || *got.TakeProfit != test.target {
				t.Errorf("levels = %v, want stop %v and target %v", string(encode(got)), test.stop, test.target)
			}
		})
	}
}

func TestRisk(t *testing.T) {
	for span, want := range map[float64]signal.RiskLevel{0: signal.Medium, 0.1: signal.Low, 1: signal.Medium, 4: signal.High} {
		m := market{candles: []candle{{100 + span/2, 100 - span/2, 100}}}
		if got := risk(m); got != want {
			t.Errorf("a range of %v%%: risk %s, want %s", span, got, want)
		}
	}
}

// FuzzDecide: for every prompt the vote is well formed, and its levels are on the right sides
// of the price.
func FuzzDecide(f *testing.F) {
	f.Add(overbought)
	f.Add(series(flat(30, 1e-300, 1e300)...))
	f.Add(prompt(`{"current_price": 1.7e308, "indicators": {"macd": -1e308, "price_change_24h": 1e308, "rsi": 1}}`))
	f.Add(prompt(`{"current_price": 1, "candle_columns": ["high", "low", "close"], "recent_candles": [[1, 1, 1], [2], ["unknown", 1, 1]]}`))
	f.Fuzz(func(t *testing.T, text string) {
		m, _ := readMarket(text)
		for _, provider := range Providers {
			v := decide(provider, text)
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("%s: %v", provider, err)
			}
			if v.Confidence < 0 || v.Confidence > 1 || v.Reasoning == "" {
				t.Fatalf("%s: %+v", provider, v)
			}
			if v.Decision == signal.Hold && (v.StopLoss != nil || v.TakeProfit != nil) {
				t.Fatalf("%s: HOLD with levels: %+v", provider, v)
			}
			if m.price < 1e-300 { // where six digits are more than a float64 has
				continue
			}
			below, above := v.StopLoss, v.TakeProfit
			if v.Decision == signal.Sell {
				below, above = above, below
			}
			if below != nil && *below >= m.price || above != nil && *above <= m.price {
				t.Fatalf("%s: %s at %v with stop %v and target %v", provider, v.Decision, m.price, *v.StopLoss, *v.TakeProfit)
			}
		}
	})
}
