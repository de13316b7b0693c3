package signal

// Reading market data strictly, because models believe what they are shown. The text is
// walked once, and every mistake is reported with its place.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"thalas/internal/strictjson"
)

// ParseMarketData reads a JSON object of market data, with at most maxText characters in a
// text. If fields break a rule, the error is a FieldErrors that names each. If the text is
// not JSON, it is a *strictjson.Error.
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

// ReadMarketData is [ParseMarketData] for a part of a document that was parsed before.
func ReadMarketData(value strictjson.Value, maxText int) (MarketData, FieldErrors) {
	p := marketParser{Reader: value.Reader(), maxText: maxText}
	m := p.object()
	if len(p.mistakes) > 0 {
		return MarketData{}, p.mistakes
	}
	return m, nil
}

// marketParser reads one object, value by value. Objects and lists in a wrong place are
// skipped and reported, so that deep nesting costs nothing.
type marketParser struct {
	strictjson.Reader
	maxText    int
	plainBytes int // bytes of the numbers read so far, without exponents
	mistakes   FieldErrors
}

// place is the place of a value: key, list[index] or list[index].key. Its text is only
// made for a mistake.
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
	const maxMistakes = 100 // more of them would help nobody
	if len(p.mistakes) < maxMistakes {
		p.mistakes.Add(at.String(), message, strictjson.Cut(value, 100))
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
		case name == "" || utf8.RuneCountInString(name) > maxName:
			p.wrong(place{key: strictjson.Cut(name, maxName)}, fmt.Sprintf("a name has 1 to %d characters", maxName), "")
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
	if p.plainBytes > maxPlainBytes {
		p.wrong(whole, fmt.Sprintf("the numbers are over %d KiB when written without exponents: send fewer", maxPlainBytes>>10), "")
	}
	slices.SortFunc(m.Indicators, func(a, b Indicator) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// value reads the value of an indicator.
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
	if p.plainBytes <= maxPlainBytes {
		p.plainBytes += len(n.Plain())
	}
	return n
}

// scalar gives a value as JSON, with a long text cut. It is empty for an object or a list.
func scalar(v strictjson.Value) string {
	const maxShown = 90 // characters, so that a FieldError has room for the quotes
	if text, is := v.Text(); is {
		quoted, _ := json.Marshal(strictjson.Cut(text, maxShown)) // any text can be written
		return string(quoted)
	}
	return v.Scalar()
}
