package venuetest

// The venues' wire formats, from the server's side.

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/signal"
)

// A dialect is the wire format of one venue.
type dialect interface {
	// read gives the request in a path and query, or what is wrong with it.
	read(path string, query url.Values) (ask, problem)
	// write makes the body of an answer. The rows are oldest first unless a fault
	// has changed that.
	write(a ask, rows []Row, otherQuotes bool) []byte
	// problem gives an answer in the venue's own words.
	problem(p problem) answer
}

var dialects = map[string]dialect{"kraken": kraken{}, "coinbase": coinbase{}, "okx": okx{}, "binance": binance{}, "binanceus": binance{}}

// list writes rows as JSON lists. columns gives a row's values; those that begin
// with ' are texts, the others numbers. Other quotes turn the numbers of prices
// into texts and back, but leave the flags and counts at a row's end.
func list(rows []Row, otherQuotes bool, columns func(Row) []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('[')
		for j, column := range columns(r) {
			if j > 0 {
				b.WriteByte(',')
			}
			text, isText := strings.CutPrefix(column, "'")
			// A word that is no number is never bare in JSON.
			if _, err := strconv.ParseFloat(text, 64); err != nil || text == "NaN" || isText != (otherQuotes && j < 6) {
				text = strconv.Quote(text)
			}
			b.WriteString(text)
		}
		b.WriteByte(']')
	}
	b.WriteByte(']')
	return b.String()
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// bound reads a time of a query in milliseconds; the zero time for none.
func bound(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// atMost reads a limit; usual where there is none.
func atMost(text string, usual, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return usual
	}
	return min(n, most)
}

func newestFirst(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return rows
}

type kraken struct{}

func (kraken) read(path string, q url.Values) (ask, problem) {
	if path != "/0/public/OHLC" {
		return ask{}, unknownPair
	}
	minutes, err := strconv.Atoi(q.Get("interval"))
	known := err == nil && slices.Contains([]int{1, 5, 15, 30, 60, 240, 1440, 10080}, minutes)
	a := ask{symbol: q.Get("pair"), limit: 720, isEpochWeek: minutes == 10080}
	base, quote := unglued(a.symbol)
	return a, a.find(usual(base), usual(quote), time.Duration(minutes)*time.Minute, known)
}

// unglued splits a symbol without a separator. XBTUSD is not of the quote TUSD,
// nor is DOTUSD.
func unglued(symbol string) (base, quote string) {
	if base, isUSD := strings.CutSuffix(symbol, "TUSD"); isUSD && len(base) < 3 {
		return base + "T", "USD"
	}
	pair, err := signal.ParsePair(symbol)
	if err != nil {
		return "", ""
	}
	base, quote, _ = strings.Cut(pair.String(), "/")
	return base, quote
}

// usual gives the usual code of an asset for Kraken's code.
func usual(code string) string {
	switch code {
	case "XBT":
		return "BTC"
	case "XDG":
		return "DOGE"
	}
	return code
}

func (kraken) write(a ask, rows []Row, otherQuotes bool) []byte {
	// The last row is always of the open candle; last names the one before it.
	committed := time.Unix(0, 0)
	for _, r := range rows {
		if !r.IsOpen && r.Time.After(committed) {
			committed = r.Time
		}
	}
	return fmt.Appendf(nil, `{"error":[],"result":{"%s":%s,"last":%s}}`, krakenKey(a), list(rows, otherQuotes, func(r Row) []string {
		return []string{seconds(r.Time), "'" + r.Open, "'" + r.High, "'" + r.Low, "'" + r.Close, "'" + r.Close, "'" + r.Volume, "7"}
	}), seconds(committed))
}

// krakenKey is the name under which Kraken answers: the old pairs have an X before
// the coin and a Z before the currency.
func krakenKey(a ask) string {
	if slices.Contains([]string{"BTC", "ETH", "XRP", "LTC"}, a.base) && slices.Contains([]string{"USD", "EUR", "GBP", "JPY"}, a.quote) {
		base := a.base
		if base == "BTC" {
			base = "XBT"
		}
		return "X" + base + "Z" + a.quote
	}
	return a.symbol
}

func (kraken) problem(p problem) answer {
	text := map[problem]string{
		unknownPair: "EQuery:Unknown asset pair", unknownLength: "EGeneral:Invalid arguments",
		limited: "EGeneral:Too many requests", busy: "EService:Unavailable",
	}[p]
	return answer{200, fmt.Appendf(nil, `{"error":["%s"]}`, text)}
}

type coinbase struct{}

func (coinbase) read(path string, q url.Values) (ask, problem) {
	product, isCandles := strings.CutSuffix(strings.TrimPrefix(path, "/products/"), "/candles")
	base, quote, _ := strings.Cut(product, "-")
	if !isCandles {
		return ask{}, unknownPair
	}
	length, err := strconv.Atoi(q.Get("granularity"))
	known := err == nil && slices.Contains([]int{60, 300, 900, 3600, 21600, 86400}, length)
	a := ask{symbol: product, limit: 300}
	a.from, _ = time.Parse(time.RFC3339, q.Get("start"))
	a.until, _ = time.Parse(time.RFC3339, q.Get("end"))
	if a.from.IsZero() || a.until.IsZero() { // one alone is ignored
		a.from, a.until = time.Time{}, time.Time{}
	} else if known && a.until.Sub(a.from)/time.Second/time.Duration(length) >= 300 {
		return a, unknownLength
	}
	return a, a.find(base, quote, time.Duration(length)*time.Second, known)
}

func (coinbase) write(_ ask, rows []Row, otherQuotes bool) []byte {
	return []byte(list(newestFirst(rows), otherQuotes, func(r Row) []string {
		return []string{seconds(r.Time), r.Low, r.High, r.Open, r.Close, r.Volume}
	}))
}

func (coinbase) problem(p problem) answer {
	return map[problem]answer{
		unknownPair:   {404, []byte(`{"message":"NotFound"}`)},
		unknownLength: {400, []byte(`{"message":"granularity too small for the requested time range. Count of aggregations requested exceeds 300"}`)},
		limited:       {429, []byte(`{"message":"Public rate limit exceeded"}`)},
		busy:          {503, []byte(`{"message":"Service unavailable"}`)},
	}[p]
}

type okx struct{}

var okxBars = map[string]time.Duration{
	"1m": time.Minute, "3m": 3 * time.Minute, "5m": 5 * time.Minute, "15m": 15 * time.Minute, "30m": 30 * time.Minute,
	"1H": time.Hour, "2H": 2 * time.Hour, "4H": 4 * time.Hour,
	"6Hutc": 6 * time.Hour, "12Hutc": 12 * time.Hour, "1Dutc": 24 * time.Hour, "3Dutc": 72 * time.Hour, "1Wutc": 168 * time.Hour,
}

func (okx) read(path string, q url.Values) (ask, problem) {
	if path != "/api/v5/market/candles" {
		return ask{}, unknownPair
	}
	length, known := okxBars[q.Get("bar")]
	a := ask{symbol: q.Get("instId"), limit: atMost(q.Get("limit"), 100, 300), until: bound(q.Get("after"))}
	if !a.until.IsZero() {
		a.until = a.until.Add(-time.Millisecond) // only what opened before
	}
	base, quote, _ := strings.Cut(strings.TrimSuffix(a.symbol, "-SWAP"), "-")
	return a, a.find(base, quote, length, known)
}

func (okx) write(a ask, rows []Row, otherQuotes bool) []byte {
	return fmt.Appendf(nil, `{"code":"0","msg":"","data":%s}`, list(newestFirst(rows), otherQuotes, func(r Row) []string {
		confirm, vol := "'1", r.Volume
		if r.IsOpen {
			confirm = "'0"
		}
		if strings.HasSuffix(a.symbol, "-SWAP") {
			vol = "12345" // contracts
		}
		return []string{"'" + millis(r.Time), "'" + r.Open, "'" + r.High, "'" + r.Low, "'" + r.Close, "'" + vol, "'" + r.Volume, "'" + r.Volume, confirm}
	}))
}

func (okx) problem(p problem) answer {
	return map[problem]answer{
		unknownPair:   {200, []byte(`{"code":"51001","data":[],"msg":"Instrument ID, Instrument ID code, or Spread ID doesn't exist."}`)},
		unknownLength: {400, []byte(`{"code":"51000","data":[],"msg":"Parameter bar error"}`)},
		limited:       {429, []byte(`{"code":"50011","data":[],"msg":"Too Many Requests"}`)},
		busy:          {503, []byte(`{"code":"50001","data":[],"msg":"Service temporarily unavailable. Please try again later."}`)},
	}[p]
}

type binance struct{}

func (binance) read(path string, q url.Values) (ask, problem) {
	if path != "/api/v3/klines" {
		return ask{}, unknownPair
	}
	timeframe, err := signal.ParseTimeframe(q.Get("interval"))
	a := ask{symbol: q.Get("symbol"), limit: atMost(q.Get("limit"), 500, 1000), until: bound(q.Get("endTime"))}
	base, quote := unglued(a.symbol)
	return a, a.find(base, quote, timeframe.Duration(), err == nil)
}

func (binance) write(a ask, rows []Row, otherQuotes bool) []byte {
	return []byte(list(rows, otherQuotes, func(r Row) []string {
		closes := r.Time.Add(a.length - time.Millisecond)
		return []string{millis(r.Time), "'" + r.Open, "'" + r.High, "'" + r.Low, "'" + r.Close, "'" + r.Volume, millis(closes), "'1.0", "7", "'0.5", "'0.5", "'0"}
	}))
}

func (binance) problem(p problem) answer {
	return map[problem]answer{
		unknownPair:   {400, []byte(`{"code":-1121,"msg":"Invalid symbol."}`)},
		unknownLength: {400, []byte(`{"code":-1120,"msg":"Invalid interval."}`)},
		limited:       {429, []byte(`{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."}`)},
		busy:          {503, []byte(`{"code":-1001,"msg":"Internal error; unable to process your request. Please try again."}`)},
	}[p]
}
