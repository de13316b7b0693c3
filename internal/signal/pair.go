package signal

// A Pair names the market that is asked about, in any of the notations that
// exchanges, charting sites and bots use, and answers in one canonical form.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the currencies that a glued notation such as BTCUSDT may end in.
// The longest that fits wins, so BTCFDUSD is BTC/FDUSD and not BTCFD/USD.
var (
	money = []string{
		"FDUSD", "PYUSD",
		"USDT", "USDC", "TUSD", "BUSD", "USDD", "USDP", "USDE", "EURC", "EURT",
		"USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "TRY", "BRL", "KRW", "ZAR", "PLN", "MXN", "SGD", "HKD", "INR", "NZD",
		"DAI",
	}
	quotes = slices.Concat(money, []string{"BTC", "XBT", "ETH", "BNB", "SOL", "TRX"})
)

// USD itself is what follows an asset that ends in the first letters of these:
// GRTUSD, SHIBUSD and SPYUSD are GRT/USD, SHIB/USD and SPY/USD. They are split off
// only after an asset that is known to be traded in them.
var (
	disputed  = []string{"PYUSD", "TUSD", "BUSD"}
	undoubted = []string{
		"BTC", "XBT", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "TRX", "BCH", "ETC", "DOT", "LINK", "UNI", "AVAX", "MATIC",
		"ATOM", "NEAR", "FIL", "XLM", "SHIB", "PEPE", "USDC", "USDT",
	}
)

const (
	maxPairText   = 64  // characters of any notation of a pair
	maxMarketText = 300 // characters of a free-text market
	maxAsset      = 20  // characters of an asset's code
)

// ErrContract is wrapped by the errors of ParsePair about a name that an exchange
// gives to one of its contracts, such as BTC-PERP, PF_XBTUSD or BTCUSDT_251226. Cut
// in two it would be another market, such as BTC/PERP.
var ErrContract = errors.New("names a contract and no pair")

// Pair is a market: BASE/QUOTE, or BASE/QUOTE:SETTLE for a derivative, in upper
// case. It is comparable; the zero Pair names nothing.
type Pair struct{ name string }

// ParsePair reads a pair in any of these notations:
//
//	BTC/USDT  btc-usdt  BTC_USDT  BTCUSDT  BINANCE:BTCUSDT
//	BTC/USDT:USDT  BTCUSDT.P (a perpetual, settled in its quote)
//
// Where there is a slash, it alone separates: XYZ-TSLA/USDC has the base XYZ-TSLA.
// A glued notation is split by a list of known quote currencies, the longest
// that fits first; but where that would be TUSD, BUSD or PYUSD and USD fits too, only
// after an asset known to be traded in it: APTUSD is APT/USD, BTCTUSD is BTC/TUSD.
// The error of a text that names a contract is ErrContract.
func ParsePair(text string) (Pair, error) {
	s := strings.TrimSpace(text)
	switch {
	case s == "":
		return Pair{}, errors.New("pair is empty: send one such as BTC/USDT")
	case !utf8.ValidString(s) || len(s) > maxPairText:
		return Pair{}, fmt.Errorf("pair is not text of at most %d characters: send one such as BTC/USDT", maxPairText)
	}
	refuse := func(why string) (Pair, error) {
		return Pair{}, fmt.Errorf("pair %q %s: send one such as BTC/USDT, BTC-USDT, BTCUSDT, BINANCE:BTCUSDT or BTC/USDT:USDT", s, why)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return refuse("has characters other than letters and digits") // upper case would make an S of ſ
	}

	body, perpetual := strings.CutSuffix(strings.ToUpper(s), ".P")
	venue, symbol, hasVenue := strings.Cut(body, ":")
	if hasVenue = hasVenue && namesVenue(venue, symbol); !hasVenue {
		symbol = body
	}
	named := symbol
	if hasVenue && !isVenue(venue) {
		named = body
	}
	if advice, isContract := readContract(named); isContract {
		return Pair{}, fmt.Errorf("pair %q %w: %s", s, ErrContract, advice)
	}
	if hasVenue && !isVenue(venue) {
		return refuse("has a venue that is not a name")
	}
	symbol, settle, settled := strings.Cut(symbol, ":")
	base, quote, separated := strings.Cut(symbol, "/")
	if !separated {
		base, quote, separated = cutAny(symbol, "-_")
	}
	if !separated {
		if base, quote = splitGlued(symbol); quote == "" {
			if base, quote = splitGlued(venue); hasVenue && quote != "" && slices.Contains(quotes, symbol) { // BTCUSDT:USDT
				return Pair{}, fmt.Errorf("pair %q %w: %s", s, ErrContract, adviceFor(base, quote, symbol))
			}
			return refuse("does not end in a known quote currency")
		}
	}
	if perpetual {
		if settled {
			return refuse("names its settlement twice")
		}
		settle, settled = quote, true
	}
	if !isBase(base) || !isAsset(quote) || (settled && !isAsset(settle)) {
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
// as it is, which is then a series of its own: prediction markets are asked about
// by a question such as "Will Bitcoin reach $100k?". The compatibility route takes
// those, and so does every route that reads what it has stored.
func ParseMarket(text string) (Pair, error) {
	if !utf8.ValidString(text) {
		return Pair{}, errors.New("pair is not valid UTF-8 text")
	}
	if utf8.RuneCountInString(text) > maxMarketText { // as it was sent: what is trimmed counts
		return Pair{}, fmt.Errorf("pair is longer than %d characters", maxMarketText)
	}
	// A line break or an escape sequence has no business in a name that is
	// printed, logged and used as a key, nor has anything that turns the
	// direction of the text around it.
	s := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, text))
	if p, err := ParsePair(s); err == nil {
		return p, nil
	}
	if s == "" {
		return Pair{}, errors.New("pair is empty: send one such as BTC/USDT, or a question")
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

// namesVenue reports whether the colon between first and rest follows a venue,
// as in BINANCE:BTCUSDT, and not a pair with its settlement, as in
// BTC/USDT:USDT. FX_IDC:EURUSD and BTC_USDT:USDT look alike; the second settles
// in its own base or quote, or in something that is no pair.
func namesVenue(first, rest string) bool {
	switch {
	case strings.Contains(first, "/"):
		return false
	case strings.ContainsAny(rest, "/-_") || !strings.ContainsAny(first, "-_"):
		return true
	case strings.Contains(first, "-"):
		return false
	}
	base, quote, _ := strings.Cut(first, "_")
	_, glued := splitGlued(rest)
	return rest != base && rest != quote && glued != ""
}

// splitGlued splits BTCUSDT by its quote. A symbol that is nothing but a quote
// currency has no base and is not split: BUSD is not B/USD.
func splitGlued(symbol string) (base, quote string) {
	if slices.Contains(quotes, symbol) {
		return "", ""
	}
	for _, q := range quotes {
		b, fits := strings.CutSuffix(symbol, q)
		if !fits || b == "" || len(q) <= len(quote) || slices.Contains(disputed, q) && !slices.Contains(undoubted, b) {
			continue
		}
		base, quote = b, q
	}
	return base, quote
}

// isAsset reports whether s can be an asset's code, such as BTC or 1000PEPE.
func isAsset(s string) bool {
	if s == "" || len(s) > maxAsset {
		return false
	}
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// isBase is as isAsset with the separators that the code of a base may have, such
// as XYZ-TSLA. In all it is as short as another asset, so that every canonical form
// is short enough to be read back.
func isBase(s string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(s, "_", "-"), "-") {
		if !isAsset(part) {
			return false
		}
	}
	return len(s) <= maxAsset
}

// isVenue is as isAsset with the underscore that TradingView's venues may have.
func isVenue(s string) bool { return isAsset(strings.ReplaceAll(s, "_", "")) }
