package venue

// Coinbase Exchange: GET /products/{id}/candles, up to 300 rows of numbers, the
// newest first, none for an interval without a trade.
// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles

import (
	"encoding/json"
	"net/url"
	"time"

	"thalas/internal/market"
)

// coinbaseRows is the most candles of a request. One for more is refused.
const coinbaseRows = 300

var coinbase = wire{
	frames: frames{"1m": "60", "5m": "300", "15m": "900", "1h": "3600", "6h": "21600", "1d": "86400"}, // seconds
	path: func(a asked) string {
		// Both ends count: of 300 candles the first is 299 lengths before the last.
		first := a.last.Add(-(coinbaseRows - 1) * a.length)
		query := url.Values{"granularity": {a.frame}, "start": {clock(first)}, "end": {clock(a.last)}}
		return "/products/" + a.base + "-" + a.quote + "/candles?" + query.Encode()
	},
	failure: func(body []byte) string {
		var answer struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(body, &answer) // a list of rows has no message
		return answer.Message
	},
	kinds: map[string]market.Kind{"NotFound": market.ErrUnsupported},
	rows:  plainRows,
	// A row is time, low, high, open, close, volume.
	layout: layout{time: 0, low: 1, high: 2, open: 3, close: 4, volume: 5, unit: time.Second},
}
