package venue

// The venues, one line each, and their names for pairs and timeframes.

import (
	"fmt"
	"net/http"
	"strings"

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
	{name: "kraken", baseURL: "https://api.kraken.com", wire: kraken{}},
	{name: "coinbase", baseURL: "https://api.exchange.coinbase.com", wire: coinbase{}},
	{name: "okx", baseURL: "https://www.okx.com", wire: okx{}},
	{name: "binance", baseURL: "https://api.binance.com", wire: binance{}, optIn: true},
	{name: "binanceus", baseURL: "https://api.binance.us", wire: binance{}, optIn: true},
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
	var names []string
	for _, v := range venues {
		if !v.optIn {
			names = append(names, v.name)
		}
	}
	return names
}

// IsOptIn reports whether a venue is asked only if the user names it. [LicenceWarning]
// gives the reason.
func IsOptIn(name string) bool {
	for _, v := range venues {
		if v.name == name {
			return v.optIn
		}
	}
	return false
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

// spotParts gives the base and quote of a spot pair.
func spotParts(pair signal.Pair) (base, quote string, err error) {
	base, quote, settle, err := parts(pair)
	if err == nil && settle != "" {
		err = fmt.Errorf("it has the spot market only, and the prices of %s are others: name okx for perpetuals, or ask about %s/%s", pair, base, quote)
	}
	return base, quote, err
}

// frames are the timeframes that a venue has, with its names for them.
type frames map[signal.Timeframe]string

func (f frames) name(timeframe signal.Timeframe) (string, error) {
	if name, has := f[timeframe]; has {
		return name, nil
	}
	var has []string
	for _, t := range signal.Timeframes() {
		if _, ok := f[t]; ok {
			has = append(has, string(t))
		}
	}
	return "", fmt.Errorf("it has no such candles, only %s: choose one of these, or name a venue that has them", strings.Join(has, " "))
}
