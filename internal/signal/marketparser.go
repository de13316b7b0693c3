package signal

// Reading market data: one walk, every mistake with its place. Market data is most of
// what a request holds, and was most of what answering one cost.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"thalas/internal/strictjson"
)

// ParseMarketData reads a JSON object of market data with texts of at most
// maxText characters. Where fields break a rule, the error is a FieldErrors that
// names each; JSON that cannot be read at all gives a *strictjson.Error.
func ParseMarketData(data []byte, maxText int) (MarketData, error) {
	document, err := strictjson.ParseLenient(data)
	if err != nil {
		return MarketData{}, err
	}
	m, mistakes := ReadMarketData(document, maxText)
	if len(mistakes) > 0 {
		return MarketData{}, mistakes
	}
	return m, nil
}

// ReadMarketData is [ParseMarketData] for a part of a document that was parsed already.
func ReadMarketData(value strictjson.Value, maxText int) (MarketData, FieldErrors) {
	p := marketParser{Reader: value.Reader(), maxText: maxText}
	m := p.object()
	if len(p.mistakes) > 0 {
		return MarketData{}, p.mistakes
	}
	return m, nil
}

// marketParser reads one document value by value: nesting that the format has
// no place for is skipped and reported, never descended into.
type marketParser struct {
	strictjson.Reader
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
		p.mistakes = append(p.mistakes, &FieldError{at.String(), message, strictjson.Cut(value, 100)})
	}
}

func (p *marketParser) object() (m MarketData) {
	whole := place{}
	if p.Kind() != '{' {
		p.wrong(whole, "market data is not a JSON object: send one such as {\"rsi\": 65.5}", "")
		return m
	}
	seen := map[string]bool{}
	for p.Open(); p.More(); {
		name := p.Name()
		switch {
		case name == "" || utf8.RuneCountInString(name) > maxIndicatorKey:
			p.wrong(place{key: strictjson.Cut(name, maxIndicatorKey)}, fmt.Sprintf("a name has 1 to %d characters", maxIndicatorKey), "")
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
	switch p.Kind() {
	case '[':
		return p.list(name)
	case '{':
		p.wrong(place{key: name}, "is an object: send a number, true, false, null, a text or a list of numbers", "")
		p.Value()
		return nil
	}
	v := p.Value()
	if v.IsNull() {
		return Number{}
	}
	if digits, is := v.Number(); is {
		return p.number(place{key: name}, digits)
	}
	if text, is := v.Text(); is {
		if n := utf8.RuneCountInString(text); n > p.maxText {
			p.wrong(place{key: name}, fmt.Sprintf("text has %d characters: send at most %d", n, p.maxText), scalar(v))
		}
		return text
	}
	return v.Kind() == 't'
}

// list reads a list of numbers.
func (p *marketParser) list(name string) []Number {
	p.Open()
	list := make([]Number, 0, min(p.Count(",", "]"), MaxListNumbers))
	for p.More() {
		at := place{list: name, index: len(list)}
		v := p.Value()
		if digits, is := v.Number(); is {
			list = append(list, p.number(at, digits))
			continue
		}
		if !v.IsNull() {
			p.wrong(at, "is not a number: a list holds numbers and nulls", scalar(v))
		}
		list = append(list, Number{})
	}
	if len(list) > MaxListNumbers {
		p.wrong(place{key: name}, fmt.Sprintf("list has %d numbers: send at most %d", len(list), MaxListNumbers), "")
	}
	return list
}

func (p *marketParser) number(at place, digits string) Number {
	n, err := ParseNumber(digits)
	if err != nil {
		p.wrong(at, "is out of range: send a number that a float64 holds, or null", digits)
		return n
	}
	p.writtenOut += n.plainLen()
	return n
}

// scalar gives a value as the JSON that was sent, a long text cut; nothing for an
// object or a list.
func scalar(v strictjson.Value) string {
	const enough = 90 // characters, so that the quotes fit what FieldError takes
	if !v.IsScalar() {
		return ""
	}
	if text, is := v.Text(); is {
		quoted, _ := json.Marshal(strictjson.Cut(text, enough)) // can't fail: it is text
		return string(quoted)
	}
	return v.String()
}
