package venue

// The venues, one line each, and what a wire format consists of.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/market"
	"thalas/internal/signal"
)

type known struct {
	name    string
	baseURL string
	wire    wire
	optIn   bool
}

var venues = []known{
	{name: "kraken", baseURL: "https://api.kraken.com", wire: kraken},
	{name: "coinbase", baseURL: "https://api.exchange.coinbase.com", wire: coinbase},
	{name: "okx", baseURL: "https://www.okx.com", wire: okx},
	{name: "binance", baseURL: "https://api.binance.com", wire: binance, optIn: true},
	{name: "binanceus", baseURL: "https://api.binance.us", wire: binance, optIn: true},
}

// LicenceWarning must be shown to a user who names an opt-in venue.
const LicenceWarning = "the licence of Binance and Binance.US for market data forbids commercial signal services, " +
	"and Binance answers 451 to addresses in the United States: use them for yourself only"

// Names lists all venues, the first choice first.
func Names() []string {
	names := make([]string, len(venues))
	for i, v := range venues {
		names[i] = v.name
	}
	return names
}

// Defaults lists the venues that are asked if the user names none, in their order.
func Defaults() []string {
	return slices.DeleteFunc(Names(), IsOptIn)
}

// IsOptIn reports whether a venue is asked only if the user names it. [LicenceWarning]
// gives the reason.
func IsOptIn(name string) bool {
	return slices.ContainsFunc(venues, func(v known) bool { return v.name == name && v.optIn })
}

// New makes the source of a venue. An empty baseURL is the venue's own. A path in it is
// kept, so that one proxy can serve several venues. New uses only the client's transport:
// a call has its own time limit, and follows no redirect. An error names the variable to
// change, or the known venues.
func New(name, baseURL string, client *http.Client) (market.CandleSource, error) {
	for _, v := range venues {
		if v.name != name {
			continue
		}
		if baseURL == "" {
			baseURL = v.baseURL
		}
		base, err := endpoint.ParseBase(baseURL)
		if err != nil {
			return nil, fmt.Errorf("%s %w", variable(name), err)
		}
		r := &remote{name: name, base: endpoint.Base(base, ""), wire: v.wire, transport: client.Transport}
		if r.transport == nil {
			r.transport = http.DefaultTransport
		}
		return r, nil
	}
	return nil, fmt.Errorf("venue %q is not known: known are %s", name, strings.Join(Names(), ", "))
}

// variable gives the name of the variable with a venue's address.
func variable(name string) string { return strings.ToUpper(name) + "_BASE_URL" }

// A wire is the wire format of one venue.
type wire struct {
	frames     frames
	perpetuals bool               // it has perpetuals besides the spot market
	path       func(asked) string // the path and query of a request for the newest closed candles

	// failure gives the text of the venue's error in a body, which many venues send with
	// status 200. It is empty if the body is not an error.
	failure func(body []byte) string
	kinds   map[string]market.Kind // of failures, by how the text begins; of others it is ErrUnavailable

	// rows gives the rows of an answer, in any order, without those that the venue marks as
	// open. An error says what is wrong.
	rows   func(body []byte, pair signal.Pair) ([][]any, error)
	layout layout
}

// asked is what a request asks for, in the words of the venue.
type asked struct {
	base, quote string
	settle      string // the asset in which a perpetual is settled; empty: the spot market
	frame       string // the venue's name for the timeframe
	length      time.Duration
	last        time.Time // the open time of the newest candle that is wanted
}

// target gives the path and query of a request. The error says what the venue does not
// have.
func (w wire) target(series market.Series, last time.Time) (string, error) {
	frame, known := w.frames[series.Timeframe]
	if !known {
		has := slices.DeleteFunc(signal.Timeframes(), func(t signal.Timeframe) bool { return w.frames[t] == "" })
		return "", fmt.Errorf("it has no such candles, only %s: choose one of these, or name a venue that has them", strings.Trim(fmt.Sprint(has), "[]"))
	}
	base, quote, settle, err := parts(series.Pair)
	if err != nil {
		return "", err
	}
	if settle != "" && !w.perpetuals {
		return "", fmt.Errorf("it has the spot market only, and the prices of %s are others: name okx for perpetuals, or ask about %s/%s", series.Pair, base, quote)
	}
	// The name of a perpetual does not say in which asset it is settled: if it is quoted in
	// USD, that is its base, and otherwise its quote.
	has := quote
	if quote == "USD" {
		has = base
	}
	if settle != "" && settle != has {
		return "", fmt.Errorf("its perpetual %s-%s-SWAP is settled in %s: ask about %s/%s:%s", base, quote, has, base, quote, has)
	}
	return w.path(asked{base, quote, settle, frame, series.Timeframe.Duration(), last}), nil
}

// problem gives the kind and the text of the venue's error in a body. Both are empty if the
// body is not an error.
func (w wire) problem(body []byte) (kind market.Kind, says string) {
	if says = w.failure(body); says == "" {
		return "", ""
	}
	for begins, kind := range w.kinds {
		if strings.HasPrefix(says, begins) {
			return kind, says
		}
	}
	return market.ErrUnavailable, says
}

// plainRows reads an answer that is only a list of rows.
func plainRows(body []byte, _ signal.Pair) (rows [][]any, err error) {
	err = decode(body, &rows)
	return rows, err
}

// frames are the timeframes that a venue has, with its names for them.
type frames map[signal.Timeframe]string

// parts gives a pair's base, its quote, and the asset in which a derivative is settled.
func parts(pair signal.Pair) (base, quote, settle string, err error) {
	text := pair.String()
	if parsed, err := signal.ParsePair(text); err != nil || parsed != pair {
		return "", "", "", fmt.Errorf("%q is no pair: ask about one such as BTC/USDT", shorten(text))
	}
	spot, settle, _ := strings.Cut(text, ":")
	base, quote, _ = strings.Cut(spot, "/")
	return base, quote, settle, nil
}
