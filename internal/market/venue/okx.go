package venue

// OKX: GET /api/v5/market/candles, up to 300 rows of strings, the newest first,
// each with a mark whether it has closed. It has perpetuals too.
// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

type okx struct{}

// Names without utc, from 6 hours on, are of candles that begin at midnight in Hong Kong.
// There are no candles of 8 hours.
var okxFrames = frames{
	"1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H",
	"6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc", "3d": "3Dutc", "1w": "1Wutc",
}

// A row is ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm.
var okxLayout = layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5, unit: time.Millisecond}

const (
	okxCoins   = 6 // the column of a perpetual's volume in its base; vol counts contracts
	okxConfirm = 8
)

func (okx) target(series market.Series, last time.Time) (string, error) {
	bar, err := okxFrames.name(series.Timeframe)
	if err != nil {
		return "", err
	}
	base, quote, settle, err := parts(series.Pair)
	if err != nil {
		return "", err
	}
	instrument := base + "-" + quote
	if settle != "" {
		instrument += "-SWAP"
		// OKX's name does not say in which asset a perpetual is settled: if it is quoted in
		// USD, that is its base, and otherwise its quote.
		has := quote
		if quote == "USD" {
			has = base
		}
		if settle != has {
			return "", fmt.Errorf("its perpetual %s is settled in %s: ask about %s/%s:%s", instrument, has, base, quote, has)
		}
	}
	after := last.Add(series.Timeframe.Duration()) // rows that opened before this
	query := url.Values{"instId": {instrument}, "bar": {bar}, "limit": {"300"}, "after": {strconv.FormatInt(after.UnixMilli(), 10)}}
	return "/api/v5/market/candles?" + query.Encode(), nil
}

func (okx) problem(body []byte) (market.Kind, string) {
	var answer struct {
		Code json.RawMessage `json:"code"`
		Msg  string          `json:"msg"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Code) == 0 {
		return "", ""
	}
	code := string(answer.Code)
	if unquoted, err := strconv.Unquote(code); err == nil {
		code = unquoted
	}
	says := code + " " + answer.Msg
	switch code {
	case "0":
		return "", ""
	case "51000", "51001": // a parameter that it does not know, no such instrument
		return market.ErrUnsupported, says
	case "50011", "50061":
		return market.ErrRateLimited, says
	}
	return market.ErrUnavailable, says
}

func (okx) candles(body []byte, series market.Series) ([]signal.Candle, error) {
	var answer struct {
		Data [][]any `json:"data"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, errNoRows
	}
	closed := make([][]any, 0, len(answer.Data))
	for i, row := range answer.Data {
		if len(row) <= okxConfirm {
			return nil, fmt.Errorf("row %d: it has %d columns only", i+1, len(row))
		}
		switch confirm, _ := written(row[okxConfirm]); confirm {
		case "0": // the candle is open, even if our clock says otherwise
		case "1":
			closed = append(closed, row)
		default:
			return nil, fmt.Errorf("row %d: it does not say whether the candle has closed", i+1)
		}
	}
	columns := okxLayout
	if _, _, settle, _ := parts(series.Pair); settle != "" {
		columns.volume = okxCoins
	}
	return columns.candles(closed)
}
