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

type binance struct{}

var binanceFrames = func() frames {
	all := frames{}
	for _, t := range signal.Timeframes() { // Binance has all of them, under the same names
		all[t] = string(t)
	}
	return all
}()

// A row is open time, open, high, low, close, volume, close time and five more.
var binanceLayout = layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5, unit: time.Millisecond}

func (binance) target(series market.Series, last time.Time) (string, error) {
	interval, err := binanceFrames.name(series.Timeframe)
	if err != nil {
		return "", err
	}
	base, quote, err := spotParts(series.Pair)
	if err != nil {
		return "", err
	}
	query := url.Values{
		"symbol": {base + quote}, "interval": {interval},
		"limit": {strconv.Itoa(signal.MaxCandles)}, "endTime": {strconv.FormatInt(last.UnixMilli(), 10)},
	}
	return "/api/v3/klines?" + query.Encode(), nil
}

func (binance) problem(body []byte) (market.Kind, string) {
	var answer struct {
		Code int    `json:"code"`
		Msg  string `json:"msg"`
	}
	if json.Unmarshal(body, &answer) != nil || (answer.Code == 0 && answer.Msg == "") {
		return "", ""
	}
	says := strconv.Itoa(answer.Code) + " " + answer.Msg
	switch answer.Code {
	case -1100, -1120, -1121: // a parameter with wrong characters, no such interval, no such symbol
		return market.ErrUnsupported, says
	case -1003:
		return market.ErrRateLimited, says
	}
	return market.ErrUnavailable, says
}

func (binance) candles(body []byte, _ market.Series) ([]signal.Candle, error) {
	var rows [][]any
	if err := decode(body, &rows); err != nil {
		return nil, err
	}
	return binanceLayout.candles(rows)
}
