package simulator

// The market data in a prompt: one JSON document between two lines.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// market is what the rules look at.
type market struct {
	pair       string
	price      float64            // 0: unknown
	indicators map[string]float64 // by name in lower case, without those that are not one number
	candles    []candle           // oldest first
}

type candle struct{ high, low, close float64 }

// readMarket reads the document in a prompt. Names and values that no rule needs are
// ignored.
func readMarket(prompt string) (market, error) {
	_, text, begins := strings.Cut(prompt, "\n<market_data>\n")
	text, _, ends := strings.Cut(text, "\n</market_data>")
	if !begins || !ends {
		return market{}, errors.New("the prompt holds no market data between the lines <market_data> and </market_data>")
	}
	document, err := parseFields([]byte(text))
	if err != nil {
		return market{}, fmt.Errorf("the market data in the prompt cannot be read: %w", err)
	}
	m := market{pair: textAt(document, "pair"), indicators: make(map[string]float64), candles: readCandles(document)}
	if price, _ := float(document["current_price"]); price > 0 {
		m.price = price
	}
	indicators, _ := document["indicators"].(fields)
	for name, value := range indicators {
		if number, ok := float(value); ok {
			m.indicators[strings.ToLower(name)] = number
		}
	}
	return m, nil
}

// readCandles finds high, low and close by the names of their columns. One row without
// all three makes the whole series useless: the result is then nil.
func readCandles(document fields) []candle {
	columns, _ := document["candle_columns"].([]any)
	rows, _ := document["recent_candles"].([]any)
	candles := make([]candle, len(rows))
	for i, row := range rows {
		cells, _ := row.([]any)
		number := func(column any) (x float64) {
			if at := slices.Index(columns, column); at >= 0 && at < len(cells) {
				x, _ = float(cells[at])
			}
			return x
		}
		c := candle{number("high"), number("low"), number("close")}
		if c.close <= 0 || c.low <= 0 || c.high < c.low {
			return nil
		}
		candles[i] = c
	}
	return candles
}

// closes gives the last n closes, or nil if there are fewer.
func (m market) closes(n int) []float64 {
	if len(m.candles) < n {
		return nil
	}
	closes := make([]float64, n)
	for i, c := range m.candles[len(m.candles)-n:] {
		closes[i] = c.close
	}
	return closes
}

// meanRange is the mean of high less low of the last 14 candles or fewer, as a share of
// the close. It is 0 if there are no candles.
func (m market) meanRange() float64 {
	last := m.candles[max(0, len(m.candles)-14):]
	if len(last) == 0 {
		return 0
	}
	sum := 0.0
	for _, c := range last {
		sum += (c.high - c.low) / c.close
	}
	return sum / float64(len(last))
}
