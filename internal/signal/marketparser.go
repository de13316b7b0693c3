package signal

// Reading market data: one pass over the tokens, every mistake with its place.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseMarketData reads a JSON object of market data with texts of at most
// maxText characters. Where fields break a rule, the error is a FieldErrors that
// names each; JSON that cannot be read at all gives another error.
func ParseMarketData(data []byte, maxText int) (MarketData, error) {
	all, err := newTokens(data)
	if err != nil {
		return MarketData{}, err
	}
	p := marketParser{tokens: all, maxText: maxText}
	m := p.object()
	if len(p.mistakes) > 0 {
		return MarketData{}, p.mistakes
	}
	return m, nil
}

// marketParser reads one document token by token: nesting that the format has
// no place for is skipped and reported, never descended into.
type marketParser struct {
	tokens
	maxText    int
	writtenOut int // bytes of the numbers read so far, without exponents
	mistakes   FieldErrors
}

// place is where a value stands: key, list[index] or list[index].key. It is only
// written out for a mistake.
type place struct {
	list  string
	index int
	key   string
}

func (p place) String() string {
	switch {
	case p.list == "":
		return p.key
	case p.key == "":
		return p.list + "[" + strconv.Itoa(p.index) + "]"
	}
	return p.list + "[" + strconv.Itoa(p.index) + "]." + p.key
}

func (p *marketParser) wrong(at place, message, value string) {
	const enough = 100 // mistakes reported; a list of 500 wrong candles says the same
	if len(p.mistakes) < enough {
		p.mistakes = append(p.mistakes, &FieldError{at.String(), message, cut(value, 100)})
	}
}

func (p *marketParser) object() (m MarketData) {
	whole := place{}
	if p.next() != json.Delim('{') {
		p.wrong(whole, "market data is not a JSON object: send one such as {\"rsi\": 65.5}", "")
		return m
	}
	seen := map[string]bool{}
	for p.more() {
		name := p.key()
		switch {
		case name == "" || utf8.RuneCountInString(name) > maxIndicatorKey:
			p.wrong(place{key: cut(name, maxIndicatorKey)}, fmt.Sprintf("a name has 1 to %d characters", maxIndicatorKey), "")
		case seen[name]:
			p.wrong(place{key: name}, "is there twice: send each name once", "")
		}
		seen[name] = true
		if name == candlesKey {
			m.Candles = p.candles()
		} else {
			m.Indicators = append(m.Indicators, Indicator{name, p.value(name)})
		}
	}
	p.next() // the closing brace
	if len(m.Indicators)+len(m.Candles)+len(p.mistakes) == 0 {
		p.wrong(whole, "market data is empty: send at least one indicator or candle", "")
	}
	if len(seen) > MaxIndicators {
		p.wrong(whole, fmt.Sprintf("market data has %d keys: send at most %d", len(seen), MaxIndicators), "")
	}
	if p.writtenOut > maxWrittenOut {
		p.wrong(whole, fmt.Sprintf("the numbers are over %d KiB when written without exponents: send fewer", maxWrittenOut>>10), "")
	}
	slices.SortFunc(m.Indicators, func(a, b Indicator) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// value reads what an indicator may be.
func (p *marketParser) value(name string) any {
	token := p.next()
	switch v := token.(type) {
	case nil:
		return Number{}
	case bool:
		return v
	case json.Number:
		return p.number(place{key: name}, v)
	case string:
		if n := utf8.RuneCountInString(v); n > p.maxText {
			p.wrong(place{key: name}, fmt.Sprintf("text has %d characters: send at most %d", n, p.maxText), scalar(v))
		}
		return v
	}
	if token == json.Delim('{') {
		p.wrong(place{key: name}, "is an object: send a number, true, false, null, a text or a list of numbers", "")
		p.skip()
		return nil
	}
	return p.list(name)
}

// list reads the rest of a list of numbers.
func (p *marketParser) list(name string) []Number {
	list := make([]Number, 0, min(p.members(",", "]"), MaxListNumbers))
	for p.more() {
		at := place{list: name, index: len(list)}
		if v, is := p.numeral(); is {
			list = append(list, p.number(at, v))
			continue
		}
		token := p.next()
		if token != nil {
			p.wrong(at, "is not a number: a list holds numbers and nulls", scalar(token))
			p.skipIn(token)
		}
		list = append(list, Number{})
	}
	p.next() // the closing bracket
	if len(list) > MaxListNumbers {
		p.wrong(place{key: name}, fmt.Sprintf("list has %d numbers: send at most %d", len(list), MaxListNumbers), "")
	}
	return list
}

func (p *marketParser) number(at place, v json.Number) Number {
	n, err := ParseNumber(v.String())
	if err != nil {
		p.wrong(at, "is out of range: send a number that a float64 holds, or null", v.String())
		return n
	}
	p.writtenOut += n.plainLen()
	return n
}

// skipIn passes over the rest of what token opened, if it opened something.
func (p *marketParser) skipIn(token json.Token) {
	if _, opens := token.(json.Delim); opens {
		p.skip()
	}
}

// skip passes over the rest of an object or list whose opening was read.
func (p *marketParser) skip() {
	for depth := 1; depth > 0; {
		switch p.next() {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// scalar gives a token as the JSON that was sent, a long text cut; nothing for an
// object or a list.
func scalar(token json.Token) string {
	const enough = 90 // characters, so that the quotes fit what FieldError takes
	switch v := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		return ""
	case string:
		quoted, _ := json.Marshal(cut(v, enough)) // can't fail: it is text
		return string(quoted)
	default:
		return fmt.Sprint(v)
	}
}
