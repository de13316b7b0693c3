package venue

// OKX: GET /api/v5/market/candles, up to 300 rows of strings, the newest first,
// each with a mark whether it has closed. It has perpetuals too.
// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

var okx = wire{
	// Names without utc, from 6 hours on, are of candles that begin at midnight in Hong Kong.
	// There are no candles of 8 hours.
	frames: frames{
		"1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H",
		"6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc", "3d": "3Dutc", "1w": "1Wutc",
	},
	perpetuals: true,
	path: func(a asked) string {
		instrument := a.base + "-" + a.quote
		if a.settle != "" {
			instrument += "-SWAP"
		}
		after := a.last.Add(a.length) // only rows that opened before this
		return "/api/v5/market/candles?" + url.Values{
			"instId": {instrument}, "bar": {a.frame}, "limit": {"300"}, "after": {strconv.FormatInt(after.UnixMilli(), 10)},
		}.Encode()
	},
	failure: func(body []byte) string {
		var answer struct {
			Code json.RawMessage `json:"code"`
			Msg  string          `json:"msg"`
		}
		if json.Unmarshal(body, &answer) != nil {
			return ""
		}
		code := strings.Trim(string(answer.Code), `"`)
		if code == "" || code == "0" {
			return ""
		}
		return code + " " + answer.Msg
	},
	kinds: map[string]market.Kind{
		"51000 ": market.ErrUnsupported, // an unknown parameter
		"51001 ": market.ErrUnsupported, // no such instrument
		"50011 ": market.ErrRateLimited, "50061 ": market.ErrRateLimited,
	},
	rows: okxRows,
	// A row is ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm.
	layout: layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: okxVolume, unit: time.Millisecond},
}

// Columns of a row.
const (
	okxVolume  = 5 // contracts, for a perpetual
	okxCoins   = 6 // the volume of a perpetual in its base
	okxConfirm = 8
)

func okxRows(body []byte, pair signal.Pair) ([][]any, error) {
	var answer struct {
		Data [][]any `json:"data"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, errNoRows
	}
	_, _, settle, _ := parts(pair)
	closed := make([][]any, 0, len(answer.Data))
	for i, row := range answer.Data {
		if len(row) <= okxConfirm {
			return nil, fmt.Errorf("row %d: it has %d columns only", i+1, len(row))
		}
		if settle != "" {
			row[okxVolume] = row[okxCoins]
		}
		switch confirm, _ := written(row[okxConfirm]); confirm {
		case "0": // the candle is open, even if our clock says otherwise
		case "1":
			closed = append(closed, row)
		default:
			return nil, fmt.Errorf("row %d: it does not say whether the candle has closed", i+1)
		}
	}
	return closed, nil
}
