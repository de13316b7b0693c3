package signal

// Names that exchanges give to their contracts, told apart from pairs: perpetuals
// (BTC-PERP, PF_XBTUSD, BTC-USDT-SWAP), dated futures (BTCUSDT_251226, BTC-27DEC26)
// and options (BTC-27DEC26-100000-C).

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// contractWord is a part of a name that no pair has behind its first part: the kind
// of a contract (Bitget's end in MCBL), a week or quarter in which it ends, a strike, or
// its date as 251226, 27DEC26, DEC26 or Z26.
var contractWord = regexp.MustCompile(`^(PERPS?|PERPETUAL|SWAP|FUT|FUTURES?|S?[UDC]MCBL|C[WQ]|N[WQ]|QUARTER|[0-9]+|` +
	`[0-9]{0,2}(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[0-9]{2,4}|[FGHJKMNQUVXZ][0-9]{1,2})$`)

// krakenKinds begin the names of Kraken's futures, as in PF_XBTUSD.
var krakenKinds = []string{"PF", "PI", "PV", "FF", "FI"}

// readContract reports whether a symbol in upper case, without a venue, names a
// contract and no pair, and says what to write instead. PERP/USDT and PF-USDT are pairs.
func readContract(symbol string) (advice string, isContract bool) {
	words := strings.FieldsFunc(symbol, func(r rune) bool { return strings.ContainsRune("/-_:.", r) })
	isSlashed := strings.Contains(symbol, "/")
	asQuote := len(words) > 1 && slices.Contains(quotes, words[1])
	switch {
	case len(words) == 0:
		return "", false
	case len(words) == 1: // BTCPERP, as Bybit writes it
		base, isPerpetual := strings.CutSuffix(words[0], "PERP")
		if !isPerpetual || !isAsset(base) {
			return "", false
		}
		words[0] = base
	case slices.ContainsFunc(words[1:], contractWord.MatchString):
	case isKind(words[0]) && !isSlashed && (len(words) > 2 || !asQuote):
	case len(words) == 2 && !isSlashed && !asQuote && words[0] != words[1] && isGlued(words[0]): // of a kind that is not known here
		base, quote := splitGlued(words[0])
		return fmt.Sprintf("write %s/%s, or %s/%s if %s is the quote", base, quote, words[0], words[1], words[1]), true
	default:
		return "", false
	}
	words = slices.DeleteFunc(words, isKind)
	base, quote := "", ""
	switch {
	case len(words) == 0:
	case isGlued(words[0]):
		base, quote = splitGlued(words[0])
	case len(words) > 1 && slices.Contains(quotes, words[1]):
		base, quote = words[0], words[1]
	default:
		base = words[0]
	}
	return adviceFor(base, quote, ""), true
}

// isKind reports whether a word stands for the kind or the date of a contract.
func isKind(word string) bool {
	return contractWord.MatchString(word) || slices.Contains(krakenKinds, word)
}

// isGlued reports whether a word is a pair by itself, such as BTCUSD. Tokens that are
// named after a coin are none: WBTC, STETH.
func isGlued(word string) bool {
	base, quote := splitGlued(word)
	return base != quote && (slices.Contains(money, quote) || slices.Contains(undoubted, base))
}

// adviceFor says what to write in place of a contract's name. What the name does not
// tell is empty: then a usual pair is the example.
func adviceFor(base, quote, settle string) string {
	write := "write"
	if !isAsset(base) || base == quote || quote == "" && slices.Contains(money, base) {
		base, quote = "BTC", ""
	}
	if quote == "" {
		write, quote = "write its pair, such as", "USDT"
	}
	if settle == "" {
		settle = quote
	}
	return fmt.Sprintf("%s %s/%s, or %[2]s/%[3]s:%[4]s for a perpetual that is settled in %[4]s", write, base, quote, settle)
}
