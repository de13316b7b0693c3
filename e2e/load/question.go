package main

// The questions: realistic ones that differ in pair, price and data.

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	variants      = 512 // different questions; too many for a cache of connections or buffers to help
	candlesAsked  = 20
	largeVariants = 64 // of a given size
	// A question may have mostCandles candles, and each list in it mostNumbers numbers.
	mostCandles, mostNumbers = 500, 500
	mostBody                 = 250_000
	timeframe                = 5 * time.Minute
)

// question is the body of a POST /v1/consensus, and the values that its answer must repeat.
type question struct {
	body  []byte
	pair  string
	price string // as JSON
}

// newQuestions returns the same questions for every server and run, except for the times
// of the candles: the last one closed just before now. With a size above 0 each body has at
// least so many bytes: as many candles as a question may have, and lists of numbers.
func newQuestions(now time.Time, size int) ([]question, error) {
	random := rand.New(rand.NewPCG(20, 26))
	pairs := []string{"BTC/USDT", "BTC/USDC", "BTC/USD", "BTC/EUR", "BTC/USDT:USDT", "BTC/DAI"}
	candles, count := candlesAsked, variants
	if size > 0 {
		candles, count = mostCandles, largeVariants
	}
	questions := make([]question, count)
	for i := range questions {
		pair := pairs[i%len(pairs)]
		data, price := marketData(random, now, candles)
		asked := map[string]any{
			"pair": pair, "timeframe": "5m", "current_price": price, "market_data": data,
			"min_providers": 2, "min_confidence": 0.5, "timeout_seconds": 20,
			"provider_weights": map[string]float64{"anthropic": 1, "openai": 0.9, "gemini": 0.8, "grok": 0.7},
		}
		body, err := json.Marshal(asked)
		if missing := size - len(body); err == nil && missing > 0 {
			for list := 0; missing > 0; list++ {
				closes := closes(random, missing)
				data[fmt.Sprintf("closes_%d", list)] = closes
				missing -= len(closes) + len(`"closes_0":,`)
			}
			body, err = json.Marshal(asked)
		}
		if err != nil {
			return nil, fmt.Errorf("question %d: %w", i, err)
		}
		questions[i] = question{body, pair, strconv.FormatFloat(price, 'f', -1, 64)}
	}
	return questions, nil
}

type candle struct {
	Time   time.Time `json:"time"`
	Open   float64   `json:"open"`
	High   float64   `json:"high"`
	Low    float64   `json:"low"`
	Close  float64   `json:"close"`
	Volume float64   `json:"volume"`
}

// marketData walks from 50,000 in steps of up to 20, so that the price stays
// between the stub's stops (at most 49,000) and targets (at least 51,600).
func marketData(random *rand.Rand, now time.Time, count int) (data map[string]any, price float64) {
	within := func(least, most, digits float64) float64 {
		return math.Round((least+random.Float64()*(most-least))*digits) / digits
	}
	last := now.UTC().Truncate(timeframe).Add(-timeframe)
	candles := make([]candle, count)
	price = within(49800, 50200, 100)
	for i := range candles {
		open := price
		price = math.Round((open+within(-20, 20, 100))*100) / 100
		candles[i] = candle{
			Time: last.Add(-time.Duration(count-1-i) * timeframe), Open: open, Close: price,
			High: math.Round((max(open, price)+within(0, 15, 100))*100) / 100, Low: math.Round((min(open, price)-within(0, 15, 100))*100) / 100,
			Volume: within(5, 250, 10000),
		}
	}
	return map[string]any{
		"rsi": within(35, 70, 100), "macd": within(-40, 90, 1000), "ema_20": within(49700, 50300, 100), "atr": within(15, 60, 1000),
		"volume": within(1e5, 2e6, 1), "price_change_24h": within(-3, 4, 100), "recent_candles": candles,
	}, price
}

// closes returns a list of prices of size bytes or a few more, at most mostNumbers prices.
func closes(random *rand.Rand, size int) json.RawMessage {
	list := []byte{'['}
	for n := 0; n < mostNumbers && (n == 0 || len(list) < size-1); n++ {
		list = fmt.Appendf(list, "%.2f,", 49800+400*random.Float64())
	}
	list[len(list)-1] = ']'
	return list
}
