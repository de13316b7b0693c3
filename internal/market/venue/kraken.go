package venue

// Kraken: GET /0/public/OHLC, up to 720 rows of strings, the open candle last.
// https://docs.kraken.com/api-reference/market-data/get-ohlc-data

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

type kraken struct{}

// In minutes. Kraken's weeks are left out: they begin on Thursday.
var krakenFrames = frames{"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "1440"}

// Kraken's own codes of assets.
var krakenAssets = map[string]string{"BTC": "XBT", "DOGE": "XDG"}

func krakenAsset(code string) string {
	if own, has := krakenAssets[code]; has {
		return own
	}
	return code
}

// A row is time, open, high, low, close, vwap, volume, count.
var krakenLayout = layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: 6, unit: time.Second}

func (kraken) target(series market.Series, _ time.Time) (string, error) {
	interval, err := krakenFrames.name(series.Timeframe)
	if err != nil {
		return "", err
	}
	base, quote, err := spotParts(series.Pair)
	if err != nil {
		return "", err
	}
	// The parameter since is not used: Kraken always sends the newest rows.
	return "/0/public/OHLC?" + url.Values{"pair": {krakenAsset(base) + krakenAsset(quote)}, "interval": {interval}}.Encode(), nil
}

// krakenKinds are the beginnings of Kraken's error texts, which it sends with status 200.
var krakenKinds = []struct {
	begins string
	kind   market.Kind
}{
	{"EQuery:Unknown asset pair", market.ErrUnsupported},
	{"EGeneral:Invalid arguments", market.ErrUnsupported},
	{"EGeneral:Too many requests", market.ErrRateLimited},
	{"EGeneral:Temporary lockout", market.ErrRateLimited},
	{"EAPI:Rate limit exceeded", market.ErrRateLimited},
}

func (kraken) problem(body []byte) (market.Kind, string) {
	var answer struct {
		Error []string `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // the reader of rows refuses other forms
	for _, text := range answer.Error {
		if strings.HasPrefix(text, "W") { // a warning: there is a result too
			continue
		}
		for _, k := range krakenKinds {
			if strings.HasPrefix(text, k.begins) {
				return k.kind, text
			}
		}
		return market.ErrUnavailable, text
	}
	return "", ""
}

func (kraken) candles(body []byte, series market.Series) ([]signal.Candle, error) {
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	var last json.Number
	if err := decode(answer.Result["last"], &last); err != nil {
		return nil, fmt.Errorf(`its field "last" is not a number`)
	}
	committed, err := instant(last, time.Second)
	if err != nil {
		return nil, fmt.Errorf(`its field "last" is not a time`)
	}
	delete(answer.Result, "last")
	if len(answer.Result) != 1 {
		return nil, fmt.Errorf("it has candles of %d pairs", len(answer.Result))
	}
	var rows [][]any
	for key, raw := range answer.Result {
		if !isKrakenName(key, series.Pair) {
			return nil, fmt.Errorf("it has candles of %q", shorten(key))
		}
		if err := decode(raw, &rows); err != nil {
			return nil, err
		}
	}
	candles, err := krakenLayout.candles(rows)
	// A candle that opened after the last committed one is open, even if our clock says
	// otherwise.
	return slices.DeleteFunc(candles, func(c signal.Candle) bool { return c.Time.After(committed) }), err
}

// isKrakenName reports whether a key in Kraken's answer is of that pair: XBT/USD is
// XXBTZUSD, XBT/USDT is XBTUSDT, and SOL/USD is SOLUSD. The codes of older coins begin
// with X, and those of older currencies with Z.
func isKrakenName(key string, pair signal.Pair) bool {
	base, quote, _, _ := parts(pair)
	key = strings.ReplaceAll(key, "/", "")
	for _, b := range [...]string{base, krakenAsset(base)} {
		for _, q := range [...]string{quote, krakenAsset(quote)} {
			for _, begin := range [...]string{"", "X", "Z"} {
				for _, middle := range [...]string{"", "X", "Z"} {
					if key == begin+b+middle+q {
						return true
					}
				}
			}
		}
	}
	return false
}
