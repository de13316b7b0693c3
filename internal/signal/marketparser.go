package signal

// Reading market data: one pass over the tokens, every mistake with its place.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ParseMarketData reads a JSON object of market data with texts of at most
// maxText characters. Where fields break a rule, the error is a FieldErrors that
// names each; JSON that cannot be read at all gives another error.
func ParseMarketData(data []byte, maxText int) (MarketData, error) {
	p := marketParser{maxText: maxText}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	m, err := p.object()
	if err != nil {
		return MarketData{}, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return MarketData{}, errors.New("market data is followed by something else: send one JSON object")
	}
	if len(p.mistakes) > 0 {
		return MarketData{}, p.mistakes
	}
	return m, nil
}

// marketParser reads one document token by token: nesting that the format has
// no place for is skipped and reported, never descended into.
type marketParser struct {
	dec        *json.Decoder
	maxText    int
	writtenOut int // bytes of the numbers read so far, without exponents
	mistakes   FieldErrors
}

func (p *marketParser) wrong(field, message, value string) {
	const enough = 100 // mistakes reported; a list of 500 wrong candles says the same
	if len(p.mistakes) < enough {
		p.mistakes = append(p.mistakes, &FieldError{field, message, cut(value, 100)})
	}
}

func (p *marketParser) object() (m MarketData, err error) {
	token, err := p.token()
	if err != nil {
		return m, err
	}
	if token != json.Delim('{') {
		return m, FieldErrors{{Message: "market data is not a JSON object: send one such as {\"rsi\": 65.5}"}}
	}
	seen := map[string]bool{}
	for p.dec.More() {
		token, err := p.token()
		if err != nil {
			return m, err
		}
		name, _ := token.(string) // a key is always a string
		switch {
		case name == "" || utf8.RuneCountInString(name) > maxIndicatorKey:
			p.wrong(cut(name, maxIndicatorKey), fmt.Sprintf("a name has 1 to %d characters", maxIndicatorKey), "")
		case seen[name]:
			p.wrong(name, "is there twice: send each name once", "")
		}
		seen[name] = true
		if name == candlesKey {
			m.Candles, err = p.candles()
		} else {
			var value any
			value, err = p.value(name)
			m.Indicators = append(m.Indicators, Indicator{name, value})
		}
		if err != nil {
			return m, err
		}
	}
	if _, err := p.token(); err != nil { // the closing brace
		return m, err
	}
	if len(m.Indicators)+len(m.Candles)+len(p.mistakes) == 0 {
		p.wrong("", "market data is empty: send at least one indicator or candle", "")
	}
	if len(seen) > MaxIndicators {
		p.wrong("", fmt.Sprintf("market data has %d keys: send at most %d", len(seen), MaxIndicators), "")
	}
	if p.writtenOut > maxWrittenOut {
		p.wrong("", fmt.Sprintf("the numbers are over %d KiB when written without exponents: send fewer", maxWrittenOut>>10), "")
	}
	slices.SortFunc(m.Indicators, func(a, b Indicator) int { return strings.Compare(a.Name, b.Name) })
	return m, nil
}

// value reads what an indicator may be.
func (p *marketParser) value(field string) (any, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case nil:
		return Number{}, nil
	case bool:
		return v, nil
	case json.Number:
		return p.number(field, v), nil
	case string:
		if n := utf8.RuneCountInString(v); n > p.maxText {
			p.wrong(field, fmt.Sprintf("text has %d characters: send at most %d", n, p.maxText), v)
		}
		return v, nil
	}
	if token == json.Delim('{') {
		p.wrong(field, "is an object: send a number, true, false, null, a text or a list of numbers", "")
		return nil, p.skip()
	}
	list := []Number{}
	for p.dec.More() {
		place := fmt.Sprintf("%s[%d]", field, len(list))
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		switch v := token.(type) {
		case nil:
			list = append(list, Number{})
		case json.Number:
			list = append(list, p.number(place, v))
		default:
			p.wrong(place, "is not a number: a list holds numbers and nulls", scalar(token))
			list = append(list, Number{})
			if _, nested := token.(json.Delim); nested {
				if err := p.skip(); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(list) > MaxListNumbers {
		p.wrong(field, fmt.Sprintf("list has %d numbers: send at most %d", len(list), MaxListNumbers), "")
	}
	_, err = p.token() // the closing bracket
	return list, err
}

func (p *marketParser) number(field string, v json.Number) Number {
	n, err := ParseNumber(v.String())
	if err != nil {
		p.wrong(field, "is out of range: send a number that a float64 holds, or null", v.String())
		return n
	}
	p.writtenOut += n.plainLen()
	return n
}

// token reads the next token; an input that ends too early is an error.
func (p *marketParser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return token, err
}

// skip passes over the rest of an object or list whose opening was read.
func (p *marketParser) skip() error {
	for depth := 1; depth > 0; {
		token, err := p.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// scalar gives a token's text for a message; nothing for an object or a list.
func scalar(token json.Token) string {
	switch v := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		return ""
	default:
		return fmt.Sprint(v)
	}
}
