package simulator

// The market data that a prompt carries: one JSON document between two lines.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

const (
	openFence  = "<market_data>"
	closeFence = "</market_data>"
)

// market is what the rules look at.
type market struct {
	pair       string
	price      float64            // 0: unknown
	indicators map[string]float64 // by name in lower case; those that are not one number are left out
	candles    []candle           // oldest first
}

type candle struct{ high, low, close float64 }

var errNoDocument = errors.New("the prompt holds no market data between the lines " + openFence + " and " + closeFence)

// readMarket finds the document in a prompt and reads it. Names and values that
// no rule needs are ignored, whatever they hold.
func readMarket(prompt string) (market, error) {
	text, ok := fenced(prompt)
	if !ok {
		return market{}, errNoDocument
	}
	var document struct {
		Pair       any            `json:"pair"`
		Price      any            `json:"current_price"`
		Indicators map[string]any `json:"indicators"`
		Columns    []string       `json:"candle_columns"`
		Candles    [][]any        `json:"recent_candles"`
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return market{}, fmt.Errorf("the market data in the prompt cannot be read: %w", err)
	}
	m := market{indicators: make(map[string]float64, len(document.Indicators))}
	m.pair, _ = document.Pair.(string)
	if price, ok := document.Price.(float64); ok && price > 0 {
		m.price = price
	}
	for name, value := range document.Indicators {
		if number, ok := value.(float64); ok {
			m.indicators[strings.ToLower(name)] = number
		}
	}
	m.candles = readCandles(document.Columns, document.Candles)
	return m, nil
}

// fenced gives the lines between the first opening line and the next closing one.
func fenced(prompt string) (string, bool) {
	var lines []string
	open := false
	for line := range strings.Lines(prompt) {
		switch word := strings.TrimSpace(line); {
		case !open:
			open = word == openFence
		case word == closeFence:
			return strings.Join(lines, ""), true
		default:
			lines = append(lines, line)
		}
	}
	return "", false
}

// readCandles takes high, low and close by the names of their columns. A row
// without all three makes the whole series useless: nil.
func readCandles(columns []string, rows [][]any) []candle {
	place := make(map[string]int, len(columns))
	for i, name := range columns {
		place[strings.ToLower(name)] = i
	}
	candles := make([]candle, 0, len(rows))
	for _, row := range rows {
		number := func(column string) float64 {
			i, ok := place[column]
			if !ok || i >= len(row) {
				return math.NaN()
			}
			if value, ok := row[i].(float64); ok {
				return value
			}
			return math.NaN()
		}
		c := candle{number("high"), number("low"), number("close")}
		if !(c.close > 0 && c.low > 0 && c.high >= c.low) { // so for NaN too
			return nil
		}
		candles = append(candles, c)
	}
	return candles
}

// closes gives the closes of the last n candles; nil where there are fewer.
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

// meanRange is the mean of high less low over the last candles, 14 at most, as a
// share of the close; 0 where there are no candles.
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
