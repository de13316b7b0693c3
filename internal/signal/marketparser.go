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
	"time"
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
	switch {
	case len(seen) == 0:
		p.wrong("", "market data is empty: send at least one indicator, or recent_candles", "")
	case len(seen) > MaxIndicators:
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

// candles reads the list of candles and puts the oldest first.
func (p *marketParser) candles() ([]Candle, error) {
	token, err := p.token()
	if err != nil || token == nil {
		return nil, err
	}
	if token != json.Delim('[') {
		p.wrong(candlesKey, "is not a list: send a list of objects with open, high, low, close, volume and time", scalar(token))
		if token == json.Delim('{') {
			return nil, p.skip()
		}
		return nil, nil
	}
	var candles []Candle
	before := len(p.mistakes)
	for p.dec.More() {
		candle, err := p.candle(fmt.Sprintf("%s[%d]", candlesKey, len(candles)))
		if err != nil {
			return nil, err
		}
		candles = append(candles, candle)
	}
	if _, err := p.token(); err != nil { // the closing bracket
		return nil, err
	}
	if len(candles) > MaxCandles {
		p.wrong(candlesKey, fmt.Sprintf("has %d candles: send at most %d, the newest", len(candles), MaxCandles), "")
	}
	if len(p.mistakes) == before {
		if err := OldestFirst(candles); err != nil {
			p.mistakes = append(p.mistakes, err)
		}
	}
	return candles, nil
}

func (p *marketParser) candle(field string) (c Candle, err error) {
	token, err := p.token()
	if err != nil {
		return c, err
	}
	if token != json.Delim('{') {
		p.wrong(field, "is not an object: a candle is {\"time\", \"open\", \"high\", \"low\", \"close\", \"volume\"}", scalar(token))
		if _, nested := token.(json.Delim); nested {
			return c, p.skip()
		}
		return c, nil
	}
	prices := [...]struct {
		name string
		into *Number
	}{{"open", &c.Open}, {"high", &c.High}, {"low", &c.Low}, {"close", &c.Close}}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.token()
		if err != nil {
			return c, err
		}
		name, _ := key.(string)
		place := field + "." + cut(name, maxIndicatorKey)
		if seen[name] {
			p.wrong(place, "is there twice: send each key once", "")
		}
		seen[name] = true
		value, err := p.token()
		if err != nil {
			return c, err
		}
		if _, nested := value.(json.Delim); nested {
			p.wrong(place, "is not a number or a time", "")
			if err := p.skip(); err != nil {
				return c, err
			}
			continue
		}
		switch name {
		case "open", "high", "low", "close":
			for _, price := range prices {
				if price.name == name {
					*price.into = p.price(place, value)
				}
			}
		case "volume":
			c.Volume = p.volume(place, value)
		case "time":
			c.Time = p.time(place, value)
		default:
			p.wrong(place, "is not a key of a candle: known are time, open, high, low, close, volume", scalar(value))
		}
	}
	for _, price := range prices {
		if !seen[price.name] {
			p.wrong(field+"."+price.name, "is missing", "")
		}
	}
	_, err = p.token() // the closing brace
	return c, err
}

func (p *marketParser) price(field string, value any) Number {
	v, isNumber := value.(json.Number)
	if !isNumber {
		p.wrong(field, "is not a number: send a price above 0", scalar(value))
		return Number{}
	}
	n := p.number(field, v)
	if n.IsKnown() && n.Float64() <= 0 {
		p.wrong(field, "is not above 0: send a price above 0", v.String())
	}
	return n
}

func (p *marketParser) volume(field string, value any) Number {
	if value == nil {
		return Number{}
	}
	v, isNumber := value.(json.Number)
	if !isNumber {
		p.wrong(field, "is not a number: send a volume of 0 or more, or null", scalar(value))
		return Number{}
	}
	n := p.number(field, v)
	if n.IsKnown() && n.Float64() < 0 {
		p.wrong(field, "is below 0: send a volume of 0 or more, or null", v.String())
	}
	return n
}

func (p *marketParser) time(field string, value any) time.Time {
	var at time.Time
	var err error
	switch v := value.(type) {
	case string:
		if at, err = time.Parse(time.RFC3339, v); err == nil {
			err = checkYear(at)
		}
	case json.Number:
		at, err = EpochTime(v.String())
	default:
		err = errNotTime
	}
	if err != nil {
		p.wrong(field, errNotTime.Error(), scalar(value))
		return time.Time{}
	}
	return at.UTC()
}

var errNotTime = errors.New("is not a time from 1970 to 2199: send RFC 3339 such as 2026-11-23T04:55:00Z, or seconds or milliseconds since 1970")

// EpochTime reads seconds or milliseconds since 1970, in UTC. Numbers from 1e11
// on are milliseconds: as seconds they would lie beyond the year 5000.
func EpochTime(text string) (time.Time, error) {
	n, err := ParseNumber(text)
	if err != nil {
		return time.Time{}, errNotTime
	}
	f := n.Float64()
	if f < 1e11 {
		f *= 1000
	}
	if f < 0 || f > 1e13 {
		return time.Time{}, errNotTime
	}
	at := time.UnixMilli(int64(f + 0.5)).UTC()
	return at, checkYear(at)
}

func checkYear(at time.Time) error {
	if y := at.UTC().Year(); y < 1970 || y > 2199 {
		return errNotTime
	}
	return nil
}

// OldestFirst reverses candles that came newest first, in place. It refuses
// times that are on some candles only, twice, or in no order; candles without
// times are taken to be oldest first already.
func OldestFirst(candles []Candle) *FieldError {
	if len(candles) == 0 {
		return nil
	}
	timed := !candles[0].Time.IsZero()
	for i, c := range candles {
		if c.Time.IsZero() == timed {
			return &FieldError{Field: fmt.Sprintf("%s[%d].time", candlesKey, i), Message: "times are on some candles only: send a time with all or with none"}
		}
	}
	if !timed || len(candles) == 1 {
		return nil
	}
	if candles[0].Time.After(candles[len(candles)-1].Time) {
		slices.Reverse(candles)
	}
	for i := 1; i < len(candles); i++ {
		switch at := candles[i].Time; at.Compare(candles[i-1].Time) {
		case 0:
			return &FieldError{Field: candlesKey, Message: "two candles have the time " + at.Format(time.RFC3339) + ": send each candle once"}
		case -1:
			return &FieldError{Field: candlesKey, Message: "candles are in no order at " + at.Format(time.RFC3339) + ": send them oldest first"}
		}
	}
	return nil
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
