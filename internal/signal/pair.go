package signal

// A Pair names the market that is asked about, in any of the notations that
// exchanges, charting sites and bots use, and answers in one canonical form.

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the currencies that a glued notation such as BTCUSDT may end in.
// The longest that fits wins, so BTCFDUSD is BTC/FDUSD and not BTCFD/USD.
var quotes = []string{
	"FDUSD", "PYUSD",
	"USDT", "USDC", "TUSD", "BUSD", "USDD", "USDP", "USDE", "EURC", "EURT",
	"USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "TRY", "BRL", "KRW", "ZAR", "PLN", "MXN", "SGD", "HKD", "INR", "NZD",
	"DAI", "BTC", "XBT", "ETH", "BNB", "SOL", "TRX",
}

const (
	maxPairText   = 64  // characters of any notation of a pair
	maxMarketText = 300 // characters of a free-text market
)

// Pair is a market: BASE/QUOTE, or BASE/QUOTE:SETTLE for a derivative, in upper
// case. It is comparable; the zero Pair names nothing.
type Pair struct{ name string }

// ParsePair reads a pair in any of these notations:
//
//	BTC/USDT  btc-usdt  BTC_USDT  BTCUSDT  BINANCE:BTCUSDT
//	BTC/USDT:USDT  BTCUSDT.P (a perpetual, settled in its quote)
//
// A glued notation is split by a list of known quote currencies, the longest
// that fits first.
func ParsePair(text string) (Pair, error) {
	s := strings.TrimSpace(text)
	switch {
	case s == "":
		return Pair{}, errors.New("pair is empty: send one such as BTC/USDT")
	case !utf8.ValidString(s) || len(s) > maxPairText:
		return Pair{}, fmt.Errorf("pair is not text of at most %d characters: send one such as BTC/USDT", maxPairText)
	}
	refuse := func(why string) (Pair, error) {
		return Pair{}, fmt.Errorf("pair %q %s: send one such as BTC/USDT, BTC-USDT, BTCUSDT, BINANCE:BTCUSDT or BTC/USDT:USDT", text, why)
	}
	s = strings.ToUpper(s)

	body, perpetual := strings.CutSuffix(s, ".P")
	base, quote, separated := cutAny(body, "/-_")
	if !separated {
		// Only a glued symbol carries a venue in front: BINANCE:BTCUSDT.
		symbol := body
		if venue, rest, found := strings.Cut(body, ":"); found {
			if !isVenue(venue) {
				return refuse("has a venue that is not a name")
			}
			symbol = rest
		}
		base, quote = splitGlued(symbol)
		if quote == "" {
			return refuse("does not end in a known quote currency")
		}
	} else if venue, rest, found := strings.Cut(base, ":"); found {
		if !isVenue(venue) {
			return refuse("has a venue that is not a name")
		}
		base = rest
	}

	quote, settle, settled := strings.Cut(quote, ":")
	if perpetual {
		if settled {
			return refuse("names its settlement twice")
		}
		settle, settled = quote, true
	}
	if !isAsset(base) || !isAsset(quote) || (settled && !isAsset(settle)) {
		return refuse("does not name a base and a quote")
	}
	if base == quote {
		return refuse("has the same base and quote")
	}
	name := base + "/" + quote
	if settled {
		name += ":" + settle
	}
	return Pair{name}, nil
}

// ParseMarket reads a pair where the text is one, and otherwise keeps the text
// as it is: prediction markets are asked about by a question such as
// "Will Bitcoin reach $100k?". Only the compatibility route takes those.
func ParseMarket(text string) (Pair, error) {
	if p, err := ParsePair(text); err == nil {
		return p, nil
	}
	if !utf8.ValidString(text) {
		return Pair{}, errors.New("pair is not valid UTF-8 text")
	}
	// A line break or an escape sequence has no business in a name that is
	// printed, logged and used as a key.
	s := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	switch {
	case s == "":
		return Pair{}, errors.New("pair is empty: send one such as BTC/USDT, or a question")
	case utf8.RuneCountInString(s) > maxMarketText:
		return Pair{}, fmt.Errorf("pair is longer than %d characters", maxMarketText)
	}
	return Pair{s}, nil
}

// String is the canonical form, BASE/QUOTE[:SETTLE]; ParsePair reads it back.
func (p Pair) String() string { return p.name }

// IsZero reports whether p names nothing.
func (p Pair) IsZero() bool { return p.name == "" }

// MarshalText gives the canonical form.
func (p Pair) MarshalText() ([]byte, error) { return []byte(p.name), nil }

// UnmarshalText reads what MarshalText wrote: a pair, or a stored free-text
// market. Input of a caller goes through ParsePair or ParseMarket.
func (p *Pair) UnmarshalText(text []byte) error {
	parsed, err := ParseMarket(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

// cutAny cuts s at the first of the separator characters.
func cutAny(s, separators string) (before, after string, found bool) {
	if i := strings.IndexAny(s, separators); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// splitGlued splits BTCUSDT by its quote. A symbol that is nothing but a quote
// currency has no base and is not split.
func splitGlued(symbol string) (base, quote string) {
	for _, q := range quotes {
		if len(q) > len(quote) && len(symbol) > len(q) && strings.HasSuffix(symbol, q) {
			base, quote = symbol[:len(symbol)-len(q)], q
		}
	}
	return base, quote
}

// isAsset reports whether s can be an asset's code, such as BTC or 1000PEPE.
func isAsset(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// isVenue is as isAsset with the underscore that TradingView's venues may have.
func isVenue(s string) bool { return isAsset(strings.ReplaceAll(s, "_", "")) }
