package venue

// Binance and Binance.US: GET /api/v3/klines, up to 1000 rows of strings, oldest
// first, the open candle last.
// https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

var binance = wire{
	frames: func() frames {
		all := frames{}
		for _, t := range signal.Timeframes() { // Binance has all of them, under the same names
			all[t] = string(t)
		}
		return all
	}(),
	path: func(a asked) string {
		return "/api/v3/klines?" + url.Values{
			"symbol": {a.base + a.quote}, "interval": {a.frame},
			"limit": {strconv.Itoa(signal.MaxCandles)}, "endTime": {strconv.FormatInt(a.last.UnixMilli(), 10)},
		}.Encode()
	},
	failure: func(body []byte) string {
		var answer struct {
			Code int    `json:"code"`
			Msg  string `json:"msg"`
		}
		if json.Unmarshal(body, &answer) != nil || (answer.Code == 0 && answer.Msg == "") {
			return ""
		}
		return strconv.Itoa(answer.Code) + " " + answer.Msg
	},
	kinds: map[string]market.Kind{
		"-1100 ": market.ErrUnsupported, // wrong characters in a parameter
		"-1120 ": market.ErrUnsupported, // no such interval
		"-1121 ": market.ErrUnsupported, // no such symbol
		"-1003 ": market.ErrRateLimited,
	},
	rows: plainRows,
	// A row is open time, open, high, low, close, volume, close time and five more.
	layout: layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5, unit: time.Millisecond},
}
