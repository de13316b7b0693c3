package signal

// The names that exchanges give to contracts: perpetuals (BTC-PERP, PF_XBTUSD,
// BTC-USDT-SWAP), dated futures (BTCUSDT_251226, BTC-27DEC26) and options
// (BTC-27DEC26-100000-C). They are not pairs.

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// contractWord matches words that a pair does not have after its first word: the kind of a
// contract (those of Bitget end in MCBL), the week or quarter in which it ends, its strike,
// or its date in the form 251226, 27DEC26, DEC26 or Z26.
var contractWord = regexp.MustCompile(`^(PERPS?|PERPETUAL|SWAP|FUT|FUTURES?|S?[UDC]MCBL|C[WQ]|N[WQ]|QUARTER|[0-9]+|` +
	`[0-9]{0,2}(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[0-9]{2,4}|[FGHJKMNQUVXZ][0-9]{1,2})$`)

// krakenKinds are the words with which Kraken's names of futures begin, such as PF_XBTUSD.
var krakenKinds = []string{"PF", "PI", "PV", "FF", "FI"}

// readContract reports whether a symbol names a contract, and says what to write instead.
// The symbol is in upper case and without a venue. PERP/USDT and PF-USDT are pairs.
func readContract(symbol string) (advice string, isContract bool) {
	words := strings.FieldsFunc(symbol, func(r rune) bool { return strings.ContainsRune("/-_:.", r) })
	isSlashed := strings.Contains(symbol, "/")
	hasQuote := len(words) > 1 && slices.Contains(quotes, words[1])
	switch {
	case len(words) == 0:
		return "", false
	case len(words) == 1: // Bybit writes BTCPERP
		base, isPerpetual := strings.CutSuffix(words[0], "PERP")
		if !isPerpetual || !isAsset(base) {
			return "", false
		}
		words[0] = base
	case slices.ContainsFunc(words[1:], contractWord.MatchString):
	case isKind(words[0]) && !isSlashed && (len(words) > 2 || !hasQuote):
	case len(words) == 2 && !isSlashed && !hasQuote && words[0] != words[1] && isJoined(words[0]): // perhaps of a kind that is not in the lists above
		base, quote := splitJoined(words[0])
		return fmt.Sprintf("write %s/%s, or %s/%s if %s is the quote", base, quote, words[0], words[1], words[1]), true
	default:
		return "", false
	}
	words = append(slices.DeleteFunc(words, isKind), "", "") // two words at least
	base, quote := words[0], ""
	if isJoined(base) {
		base, quote = splitJoined(base)
	} else if slices.Contains(quotes, words[1]) {
		quote = words[1]
	}
	return adviceFor(base, quote, ""), true
}

// isKind reports whether a word is the kind or the date of a contract.
func isKind(word string) bool {
	return contractWord.MatchString(word) || slices.Contains(krakenKinds, word)
}

// isJoined reports whether a word is a pair without a separator, such as BTCUSD. Tokens with
// the name of a coin in theirs, such as WBTC and STETH, are not.
func isJoined(word string) bool {
	base, quote := splitJoined(word)
	return base != quote && (slices.Contains(money, quote) || slices.Contains(commonBases, base))
}

// adviceFor says which pair to write instead of the name of a contract. base, quote and
// settle are empty if the name does not contain them. Then a common pair is the example.
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
