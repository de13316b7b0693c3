package signal

// Pairs: reading the notations of exchanges, charting sites and bots into one canonical form.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the currencies in which a notation without a separator, such as BTCUSDT, may
// end. The longest that fits wins, so that BTCFDUSD is BTC/FDUSD and not BTCFD/USD.
var (
	money = []string{
		"FDUSD", "PYUSD",
		"USDT", "USDC", "TUSD", "BUSD", "USDD", "USDP", "USDE", "EURC", "EURT",
		"USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "TRY", "BRL", "KRW", "ZAR", "PLN", "MXN", "SGD", "HKD", "INR", "NZD",
		"DAI",
	}
	quotes = slices.Concat(money, []string{"BTC", "XBT", "ETH", "BNB", "SOL", "TRX"})
)

// GRTUSD, SHIBUSD and SPYUSD are GRT/USD, SHIB/USD and SPY/USD, although they end in one of
// the ambiguous quotes. Those are taken for the quote only after a common base.
var (
	ambiguous   = []string{"PYUSD", "TUSD", "BUSD"}
	commonBases = []string{
		"BTC", "XBT", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "TRX", "BCH", "ETC", "DOT", "LINK", "UNI", "AVAX", "MATIC",
		"ATOM", "NEAR", "FIL", "XLM", "SHIB", "PEPE", "USDC", "USDT",
	}
)

const (
	maxPairText   = 64  // characters of any notation of a pair
	maxMarketText = 300 // characters of a market in free text
	maxAsset      = 20  // characters of the code of an asset
)

// ErrContract is wrapped by the error of [ParsePair] for the name that an exchange gives to a
// contract, such as BTC-PERP, PF_XBTUSD or BTCUSDT_251226. Split like a pair, such a name
// would be another market: BTC/PERP.
var ErrContract = errors.New("names a contract and no pair")

// Pair is a market: BASE/QUOTE, or BASE/QUOTE:SETTLE for a derivative, in upper case; or a
// free text, see [ParseMarket]. It is comparable. The zero Pair names no market.
type Pair struct{ name string }

// ParsePair reads a pair in any of these notations:
//
//	BTC/USDT  btc-usdt  BTC_USDT  BTCUSDT  BINANCE:BTCUSDT
//	BTC/USDT:USDT  BTCUSDT.P (a perpetual, settled in its quote)
//
// A slash is the only separator if there is one: XYZ-TSLA/USDC has the base XYZ-TSLA. A
// notation without a separator is split before the longest known quote currency. But TUSD,
// BUSD and PYUSD are the quote only after a base that is often traded in them: APTUSD is
// APT/USD, BTCTUSD is BTC/TUSD. The error for the name of a contract wraps [ErrContract].
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
		return refuse("has characters other than letters and digits") // the upper case of ſ is S
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
	if i := strings.IndexAny(symbol, "-_"); i >= 0 && !separated {
		base, quote, separated = symbol[:i], symbol[i+1:], true
	}
	if !separated {
		if base, quote = splitJoined(symbol); quote == "" {
			if base, quote = splitJoined(venue); hasVenue && quote != "" && slices.Contains(quotes, symbol) { // BTCUSDT:USDT
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

// ParseMarket reads a pair if the text is one. Otherwise it keeps the text as the name of a
// market: questions such as "Will Bitcoin reach $100k?" name the prediction markets. The
// compatibility route accepts those, and so does everything that reads stored results.
func ParseMarket(text string) (Pair, error) {
	if !utf8.ValidString(text) {
		return Pair{}, errors.New("pair is not valid UTF-8 text")
	}
	if utf8.RuneCountInString(text) > maxMarketText { // white space counts too
		return Pair{}, fmt.Errorf("pair is longer than %d characters", maxMarketText)
	}
	// The name is printed, logged and used as a key. So it has no line breaks, no escape
	// sequences, and nothing that changes the direction of the text around it.
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

// String is the canonical form, which [ParseMarket] reads.
func (p Pair) String() string { return p.name }

// IsZero reports whether p names no market.
func (p Pair) IsZero() bool { return p.name == "" }

// MarshalText gives the canonical form.
func (p Pair) MarshalText() ([]byte, error) { return []byte(p.name), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Pair) UnmarshalText(text []byte) error { return unmarshal(p, text, ParseMarket) }

// namesVenue reports whether what stands before the first colon is a venue, as in
// BINANCE:BTCUSDT, and not a pair before its settlement, as in BTC/USDT:USDT.
// FX_IDC:EURUSD and BTC_USDT:USDT have the same form. The second is a pair, because what
// follows the colon is its base or quote, or can't be split into a pair.
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
	_, quoteOfRest := splitJoined(rest)
	return rest != base && rest != quote && quoteOfRest != ""
}

// splitJoined splits a symbol without a separator, such as BTCUSDT, before its quote. It
// gives "" twice if there is no known quote, or no base before it: BUSD is not B/USD.
func splitJoined(symbol string) (base, quote string) {
	if slices.Contains(quotes, symbol) {
		return "", ""
	}
	for _, q := range quotes {
		b, fits := strings.CutSuffix(symbol, q)
		if !fits || b == "" || len(q) <= len(quote) || slices.Contains(ambiguous, q) && !slices.Contains(commonBases, b) {
			continue
		}
		base, quote = b, q
	}
	return base, quote
}

// isAsset reports whether s can be an asset's code, such as BTC or 1000PEPE.
func isAsset(s string) bool {
	return s != "" && len(s) <= maxAsset && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// isBase is isAsset for a base, which may have separators inside, such as XYZ-TSLA. It is at
// most as long as any other asset, so that the canonical form is never too long to be read.
func isBase(s string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(s, "_", "-"), "-") {
		if !isAsset(part) {
			return false
		}
	}
	return len(s) <= maxAsset
}

// isVenue is isAsset for a venue, which may have underscores, as some of TradingView have.
func isVenue(s string) bool { return isAsset(strings.ReplaceAll(s, "_", "")) }
