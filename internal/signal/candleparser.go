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
func (p *marketParser) candles() []Candle {
	whole := place{key: candlesKey}
	token := p.next()
	if token == nil {
		return nil
	}
	if token != json.Delim('[') {
		p.wrong(whole, "is not a list: send a list of objects with open, high, low, close, volume and time", scalar(token))
		p.skipIn(token)
		return nil
	}
	candles := make([]Candle, 0, min(p.members("{", "]"), MaxCandles))
	before := len(p.mistakes)
	for p.more() {
		candles = append(candles, p.candle(place{list: candlesKey, index: len(candles)}))
	}
	p.next() // the closing bracket
	if len(candles) > MaxCandles {
		p.wrong(whole, fmt.Sprintf("has %d candles: send at most %d, the newest", len(candles), MaxCandles), "")
	}
	if len(p.mistakes) == before {
		if err := OldestFirst(candles); err != nil {
			p.mistakes = append(p.mistakes, err)
		}
	}
	return candles
}

// candleKeys are the keys of a candle. The first four are required.
var candleKeys = [...]string{"open", "high", "low", "close", "volume", "time"}

const requiredKeys = 4

func (p *marketParser) candle(at place) (c Candle) {
	token := p.next()
	if token != json.Delim('{') {
		p.wrong(at, "is not an object: a candle is {\"time\", \"open\", \"high\", \"low\", \"close\", \"volume\"}", scalar(token))
		p.skipIn(token)
		return c
	}
	var seen [len(candleKeys)]bool
	for p.more() {
		name := p.key()
		at.key = name
		known := slices.Index(candleKeys[:], name)
		if known < 0 {
			at.key = cut(name, maxIndicatorKey)
		} else {
			if seen[known] {
				p.wrong(at, "is there twice: send each key once", "")
			}
			seen[known] = true
		}
		p.member(&c, at, name)
	}
	p.next() // the closing brace
	for i, name := range candleKeys[:requiredKeys] {
		if !seen[i] {
			at.key = name
			p.wrong(at, "is missing", "")
		}
	}
	return c
}

// member reads the value of one key of a candle.
func (p *marketParser) member(c *Candle, at place, name string) {
	value := p.next()
	if _, nested := value.(json.Delim); nested {
		p.wrong(at, "is not a number or a time", "")
		p.skip()
		return
	}
	switch name {
	case "open":
		c.Open = p.price(at, value)
	case "high":
		c.High = p.price(at, value)
	case "low":
		c.Low = p.price(at, value)
	case "close":
		c.Close = p.price(at, value)
	case "volume":
		c.Volume = p.volume(at, value)
	case "time":
		c.Time = p.time(at, value)
	default:
		p.wrong(at, "is not a key of a candle: known are time, open, high, low, close, volume", scalar(value))
	}
}

func (p *marketParser) price(at place, value any) Number {
	v, isNumber := value.(json.Number)
	if !isNumber {
		p.wrong(at, "is not a number: send a price above 0", scalar(value))
		return Number{}
	}
	n := p.number(at, v)
	if n.IsKnown() && n.Float64() <= 0 {
		p.wrong(at, "is not above 0: send a price above 0", v.String())
	}
	return n
}

func (p *marketParser) volume(at place, value any) Number {
	if value == nil {
		return Number{}
	}
	v, isNumber := value.(json.Number)
	if !isNumber {
		p.wrong(at, "is not a number: send a volume of 0 or more, or null", scalar(value))
		return Number{}
	}
	n := p.number(at, v)
	if n.IsKnown() && n.Float64() < 0 {
		p.wrong(at, "is below 0: send a volume of 0 or more, or null", v.String())
	}
	return n
}

func (p *marketParser) time(at place, value any) time.Time {
	var opened time.Time
	var err error
	switch v := value.(type) {
	case string:
		if opened, err = time.Parse(time.RFC3339, v); err == nil {
			err = checkYear(opened)
		}
	case json.Number:
		opened, err = EpochTime(v.String())
	default:
		err = errNotTime
	}
	if err != nil {
		p.wrong(at, errNotTime.Error(), scalar(value))
		return time.Time{}
	}
	return opened.UTC()
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
