package signal

// Reading recent_candles: the keys of each candle, its time, and the order of all candles.

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"thalas/internal/strictjson"
)

// candles reads the list of candles, and gives it oldest first.
func (p *marketParser) candles() []Candle {
	whole := place{key: candlesKey}
	if p.Kind() != '[' {
		if v := p.Value(); !v.IsNull() {
			p.wrong(whole, "is not a list: send a list of objects with open, high, low, close, volume and time", scalar(v))
		}
		return nil
	}
	p.Open()
	candles := make([]Candle, 0, min(p.Count("{", "]"), MaxCandles))
	before := len(p.mistakes)
	for p.More() {
		candles = append(candles, p.candle(place{list: candlesKey, index: len(candles)}))
	}
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
	if p.Kind() != '{' {
		p.wrong(at, "is not an object: a candle is {\"time\", \"open\", \"high\", \"low\", \"close\", \"volume\"}", scalar(p.Value()))
		return c
	}
	var seen [len(candleKeys)]bool
	for p.Open(); p.More(); {
		at.key = p.Name()
		known := slices.Index(candleKeys[:], at.key)
		if known < 0 {
			at.key = strictjson.Cut(at.key, maxName)
		} else {
			if seen[known] {
				p.wrong(at, "is there twice: send each key once", "")
			}
			seen[known] = true
		}
		p.member(&c, at, known)
	}
	for i, name := range candleKeys[:requiredKeys] {
		if !seen[i] {
			at.key = name
			p.wrong(at, "is missing", "")
		}
	}
	return c
}

// member reads the value of one key of a candle. known is its index in candleKeys, or -1.
func (p *marketParser) member(c *Candle, at place, known int) {
	value, prices := p.Value(), [requiredKeys]*Number{&c.Open, &c.High, &c.Low, &c.Close}
	switch {
	case !value.IsScalar():
		p.wrong(at, "is not a number or a time", "")
	case known < 0:
		p.wrong(at, "is not a key of a candle: known are time, open, high, low, close, volume", scalar(value))
	case known < requiredKeys:
		*prices[known] = p.price(at, value)
	case candleKeys[known] == "time":
		var err error
		if c.Time, err = ReadTime(value); err != nil {
			p.wrong(at, err.Error(), scalar(value))
		}
	case !value.IsNull(): // a volume
		const send = ": send a volume of 0 or more, or null"
		if c.Volume = p.candleNumber(at, value, send); c.Volume.Float64() < 0 {
			p.wrong(at, "is below 0"+send, value.String())
		}
	}
}

func (p *marketParser) price(at place, value strictjson.Value) Number {
	const send = ": send a price above 0"
	n := p.candleNumber(at, value, send)
	if n.Float64() <= 0 {
		p.wrong(at, "is not above 0"+send, value.String())
	}
	return n
}

// candleNumber reads a number. It is unknown, and compares false with everything, if the
// value is not a number.
func (p *marketParser) candleNumber(at place, value strictjson.Value, send string) Number {
	digits, isNumber := value.Number()
	if !isNumber {
		p.wrong(at, "is not a number"+send, scalar(value))
		return Number{}
	}
	return p.number(at, digits)
}

// ReadTime reads a time from 1970 to 2199, in RFC 3339 or as a number for [EpochTime].
func ReadTime(value strictjson.Value) (time.Time, error) {
	if digits, is := value.Number(); is {
		return EpochTime(digits)
	}
	text, _ := value.Text()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || checkYear(at) != nil {
		return time.Time{}, errNotTime
	}
	return at.UTC(), nil
}

var errNotTime = errors.New("is not a time from 1970 to 2199: send RFC 3339 such as 2026-11-23T04:55:00Z, or seconds or milliseconds since 1970")

// EpochTime reads seconds or milliseconds since 1970. Numbers from 1e11 on are
// milliseconds, because as seconds they would be after the year 5000. The time is in UTC.
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

// OldestFirst puts candles into the order oldest first, in place, if they are in the
// opposite order. Any other order is an error, and so are two candles with the same time,
// and times on only some of the candles. Candles without times are not changed.
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
