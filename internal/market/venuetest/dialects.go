package venuetest

// The wire formats of the venues, as a server sees them.

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/signal"
)

// A dialect is the wire format of one venue.
type dialect struct {
	read        func(path string, query url.Values) (ask, problem) // reads a request, or says what is wrong with it
	newestFirst bool                                               // the order of the rows in an answer
	row         func(a ask, r Row) []any                           // the columns of a row: texts, or numbers made by bare
	body        func(a ask, rows []Row, list json.RawMessage) any  // the answer around the list of rows; nil: none
	problems    map[problem]answer                                 // errors in the words of the venue
}

var dialects = map[string]dialect{"kraken": kraken, "coinbase": coinbase, "okx": okx, "binance": binance, "binanceus": binance}

// problem is an error for which each venue has its own words.
type problem int

const (
	noProblem problem = iota
	unknownPair
	unknownLength
	limited
	busy
)

// bare is a number without quotes. A word that is not a number is never bare in JSON.
func bare(text string) any {
	if _, err := strconv.ParseFloat(text, 64); err != nil || text == "NaN" {
		return text
	}
	return json.Number(text)
}

func seconds(t time.Time) any { return bare(strconv.FormatInt(t.Unix(), 10)) }

func millis(t time.Time) any { return bare(strconv.FormatInt(t.UnixMilli(), 10)) }

// write makes the body of an answer. Rows are oldest first unless a fault has changed that.
// Other quotes turn the numbers of prices into texts and texts into numbers, but not the
// flags and counts at the end of a row.
func (d dialect) write(a ask, rows []Row, otherQuotes bool) []byte {
	list := make([][]any, len(rows))
	for i, r := range rows {
		list[i] = d.row(a, r)
		for j := range list[i][:min(6, len(list[i]))] {
			if !otherQuotes {
				break
			}
			switch value := list[i][j].(type) {
			case string:
				list[i][j] = bare(value)
			case json.Number:
				list[i][j] = value.String()
			}
		}
	}
	if d.newestFirst {
		slices.Reverse(list)
	}
	body := encode(list)
	if d.body != nil {
		body = encode(d.body(a, rows, body))
	}
	return body
}

func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // unreachable: all of it is made here
	}
	return data
}

// queryTime reads a time in milliseconds, or gives the zero time.
func queryTime(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// queryLimit reads a limit. The default is usual.
func queryLimit(text string, usual, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return usual
	}
	return min(n, most)
}

var kraken = dialect{
	read: func(path string, q url.Values) (ask, problem) {
		if path != "/0/public/OHLC" {
			return ask{}, unknownPair
		}
		minutes, err := strconv.Atoi(q.Get("interval"))
		known := err == nil && slices.Contains([]int{1, 5, 15, 30, 60, 240, 1440}, minutes)
		a := ask{symbol: q.Get("pair"), limit: 720}
		base, quote := splitSymbol(a.symbol)
		return a, a.find(usualCode(base), usualCode(quote), time.Duration(minutes)*time.Minute, known)
	},
	row: func(_ ask, r Row) []any {
		return []any{seconds(r.Time), r.Open, r.High, r.Low, r.Close, r.Close, r.Volume, bare("7")}
	},
	body: func(a ask, rows []Row, list json.RawMessage) any {
		// The last row is always the open candle. The field last names the one before it.
		committed := time.Unix(0, 0)
		for _, r := range rows {
			if !r.IsOpen && r.Time.After(committed) {
				committed = r.Time
			}
		}
		// The keys of old pairs have an X before the coin and a Z before the currency.
		key := a.symbol
		if slices.Contains([]string{"BTC", "ETH", "XRP", "LTC"}, a.base) && slices.Contains([]string{"USD", "EUR", "GBP", "JPY"}, a.quote) {
			key = "X" + strings.Replace(a.base, "BTC", "XBT", 1) + "Z" + a.quote
		}
		return map[string]any{"error": []string{}, "result": map[string]any{key: list, "last": seconds(committed)}}
	},
	problems: map[problem]answer{
		unknownPair:   {200, `{"error":["EQuery:Unknown asset pair"]}`},
		unknownLength: {200, `{"error":["EGeneral:Invalid arguments"]}`},
		limited:       {200, `{"error":["EGeneral:Too many requests"]}`},
		busy:          {200, `{"error":["EService:Unavailable"]}`},
	},
}

// splitSymbol splits a symbol without a separator. The quote of XBTUSD is not TUSD, nor
// that of DOTUSD.
func splitSymbol(symbol string) (base, quote string) {
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

// usualCode gives the usual code of an asset for Kraken's code.
func usualCode(code string) string {
	return cmp.Or(map[string]string{"XBT": "BTC", "XDG": "DOGE"}[code], code)
}

var coinbase = dialect{
	read: func(path string, q url.Values) (ask, problem) {
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
	},
	newestFirst: true,
	row: func(_ ask, r Row) []any {
		return []any{seconds(r.Time), bare(r.Low), bare(r.High), bare(r.Open), bare(r.Close), bare(r.Volume)}
	},
	problems: map[problem]answer{
		unknownPair:   {404, `{"message":"NotFound"}`},
		unknownLength: {400, `{"message":"granularity too small for the requested time range. Count of aggregations requested exceeds 300"}`},
		limited:       {429, `{"message":"Public rate limit exceeded"}`},
		busy:          {503, `{"message":"Service unavailable"}`},
	},
}

var okxBars = map[string]time.Duration{
	"1m": time.Minute, "3m": 3 * time.Minute, "5m": 5 * time.Minute, "15m": 15 * time.Minute, "30m": 30 * time.Minute,
	"1H": time.Hour, "2H": 2 * time.Hour, "4H": 4 * time.Hour,
	"6Hutc": 6 * time.Hour, "12Hutc": 12 * time.Hour, "1Dutc": 24 * time.Hour, "3Dutc": 72 * time.Hour, "1Wutc": 168 * time.Hour,
}

var okx = dialect{
	read: func(path string, q url.Values) (ask, problem) {
		if path != "/api/v5/market/candles" {
			return ask{}, unknownPair
		}
		length, known := okxBars[q.Get("bar")]
		a := ask{symbol: q.Get("instId"), limit: queryLimit(q.Get("limit"), 100, 300), until: queryTime(q.Get("after"))}
		if !a.until.IsZero() {
			a.until = a.until.Add(-time.Millisecond) // only rows that opened before
		}
		base, quote, _ := strings.Cut(strings.TrimSuffix(a.symbol, "-SWAP"), "-")
		return a, a.find(base, quote, length, known)
	},
	newestFirst: true,
	row: func(a ask, r Row) []any {
		confirm, volume := "1", r.Volume
		if r.IsOpen {
			confirm = "0"
		}
		if strings.HasSuffix(a.symbol, "-SWAP") {
			volume = "12345" // contracts
		}
		return []any{strconv.FormatInt(r.Time.UnixMilli(), 10), r.Open, r.High, r.Low, r.Close, volume, r.Volume, r.Volume, confirm}
	},
	body: func(_ ask, _ []Row, list json.RawMessage) any {
		return map[string]any{"code": "0", "msg": "", "data": list}
	},
	problems: map[problem]answer{
		unknownPair:   {200, `{"code":"51001","data":[],"msg":"Instrument ID, Instrument ID code, or Spread ID doesn't exist."}`},
		unknownLength: {400, `{"code":"51000","data":[],"msg":"Parameter bar error"}`},
		limited:       {429, `{"code":"50011","data":[],"msg":"Too Many Requests"}`},
		busy:          {503, `{"code":"50001","data":[],"msg":"Service temporarily unavailable. Please try again later."}`},
	},
}

var binance = dialect{
	read: func(path string, q url.Values) (ask, problem) {
		if path != "/api/v3/klines" {
			return ask{}, unknownPair
		}
		timeframe, err := signal.ParseTimeframe(q.Get("interval"))
		a := ask{symbol: q.Get("symbol"), limit: queryLimit(q.Get("limit"), 500, 1000), until: queryTime(q.Get("endTime"))}
		base, quote := splitSymbol(a.symbol)
		return a, a.find(base, quote, timeframe.Duration(), err == nil)
	},
	row: func(a ask, r Row) []any {
		closes := r.Time.Add(a.length - time.Millisecond)
		return []any{millis(r.Time), r.Open, r.High, r.Low, r.Close, r.Volume, millis(closes), "1.0", bare("7"), "0.5", "0.5", "0"}
	},
	problems: map[problem]answer{
		unknownPair:   {400, `{"code":-1121,"msg":"Invalid symbol."}`},
		unknownLength: {400, `{"code":-1120,"msg":"Invalid interval."}`},
		limited:       {429, `{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."}`},
		busy:          {503, `{"code":-1001,"msg":"Internal error; unable to process your request. Please try again."}`},
	},
}
