package venue

// Kraken: GET /0/public/OHLC, up to 720 rows of strings, the open candle last.
// https://docs.kraken.com/api-reference/market-data/get-ohlc-data

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

var kraken = wire{
	// In minutes. Kraken's weeks are left out: they begin on Thursday.
	frames: frames{"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "1440"},
	path: func(a asked) string {
		// The parameter since is not used: Kraken always sends the newest rows.
		return "/0/public/OHLC?" + url.Values{"pair": {krakenAsset(a.base) + krakenAsset(a.quote)}, "interval": {a.frame}}.Encode()
	},
	failure: func(body []byte) string { // with status 200
		var answer struct {
			Error []string `json:"error"`
		}
		_ = json.Unmarshal(body, &answer) // krakenRows refuses other forms
		for _, text := range answer.Error {
			if !strings.HasPrefix(text, "W") { // with a warning there is a result too
				return text
			}
		}
		return ""
	},
	kinds: map[string]market.Kind{
		"EQuery:Unknown asset pair":  market.ErrUnsupported,
		"EGeneral:Invalid arguments": market.ErrUnsupported,
		"EGeneral:Too many requests": market.ErrRateLimited,
		"EGeneral:Temporary lockout": market.ErrRateLimited,
		"EAPI:Rate limit exceeded":   market.ErrRateLimited,
	},
	rows: krakenRows,
	// A row is time, open, high, low, close, vwap, volume, count.
	layout: layout{time: 0, open: 1, high: 2, low: 3, close: 4, volume: 6, unit: time.Second},
}

// krakenAsset gives Kraken's own code of an asset.
func krakenAsset(code string) string {
	return cmp.Or(map[string]string{"BTC": "XBT", "DOGE": "XDG"}[code], code)
}

func krakenRows(body []byte, pair signal.Pair) (rows [][]any, err error) {
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	var last json.Number
	if err := decode(answer.Result["last"], &last); err != nil {
		return nil, errors.New(`its field "last" is not a number`)
	}
	committed, err := instant(last, time.Second)
	if err != nil {
		return nil, errors.New(`its field "last" is not a time`)
	}
	delete(answer.Result, "last")
	if len(answer.Result) != 1 {
		return nil, fmt.Errorf("it has candles of %d pairs", len(answer.Result))
	}
	for key, raw := range answer.Result {
		if !isKrakenName(key, pair) {
			return nil, fmt.Errorf("it has candles of %q", shorten(key))
		}
		if err := decode(raw, &rows); err != nil {
			return nil, err
		}
	}
	// A candle that opened after the last committed one is open, even if our clock says
	// otherwise.
	return slices.DeleteFunc(rows, func(row []any) bool {
		if len(row) == 0 {
			return false
		}
		opened, err := instant(row[0], time.Second)
		return err == nil && opened.After(committed)
	}), nil
}

// isKrakenName reports whether a key in Kraken's answer is of that pair: XBT/USD is
// XXBTZUSD, XBT/USDT is XBTUSDT, and SOL/USD is SOLUSD. The codes of older coins begin
// with X, and those of older currencies with Z.
func isKrakenName(key string, pair signal.Pair) bool {
	base, quote, _, _ := parts(pair)
	forms := func(code string) string { return "[XZ]?(" + regexp.QuoteMeta(code) + "|" + krakenAsset(code) + ")" }
	return regexp.MustCompile("^" + forms(base) + forms(quote) + "$").MatchString(strings.ReplaceAll(key, "/", ""))
}
