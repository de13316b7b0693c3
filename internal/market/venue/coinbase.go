package venue

// Coinbase Exchange: GET /products/{id}/candles, up to 300 rows of numbers, the
// newest first, none for an interval without a trade.
// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles

import (
	"encoding/json"
	"net/url"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

type coinbase struct{}

// In seconds.
var coinbaseFrames = frames{"1m": "60", "5m": "300", "15m": "900", "1h": "3600", "6h": "21600", "1d": "86400"}

// A request for more candles than this is refused.
const coinbaseRows = 300

// A row is time, low, high, open, close, volume.
var coinbaseLayout = layout{time: 0, low: 1, high: 2, open: 3, close: 4, volume: 5, unit: time.Second}

func (coinbase) target(series market.Series, last time.Time) (string, error) {
	granularity, err := coinbaseFrames.name(series.Timeframe)
	if err != nil {
		return "", err
	}
	base, quote, err := spotParts(series.Pair)
	if err != nil {
		return "", err
	}
	// Both ends count: of 300 candles the first is 299 lengths before the last.
	first := last.Add(-(coinbaseRows - 1) * series.Timeframe.Duration())
	query := url.Values{"granularity": {granularity}, "start": {clock(first)}, "end": {clock(last)}}
	return "/products/" + base + "-" + quote + "/candles?" + query.Encode(), nil
}

func (coinbase) problem(body []byte) (market.Kind, string) {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Message == "" {
		return "", ""
	}
	if answer.Message == "NotFound" {
		return market.ErrUnsupported, answer.Message
	}
	return market.ErrUnavailable, answer.Message
}

func (coinbase) candles(body []byte, _ market.Series) ([]signal.Candle, error) {
	var rows [][]any
	if err := decode(body, &rows); err != nil {
		return nil, err
	}
	return coinbaseLayout.candles(rows)
}
