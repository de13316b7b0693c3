package signal

// Reading recent_candles: each candle's keys, its time, and the order of all.

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

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
