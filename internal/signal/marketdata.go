package signal

// MarketData is what a caller knows about the market: indicators by name and
// recent candles. It is read strictly, since the models believe every word.

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Limits of market data.
const (
	MaxIndicators   = 64      // keys, recent_candles among them
	MaxCandles      = 500     // candles
	MaxListNumbers  = 500     // numbers in one list
	MaxText         = 200     // characters of one text
	MaxCompatText   = 1000    // characters of one text on the compatibility route
	maxWrittenOut   = 1 << 18 // bytes of all numbers without exponents
	maxIndicatorKey = 100     // characters of a name
)

const candlesKey = "recent_candles"

// MarketData holds indicators in the order of their names, and candles oldest
// first. The zero MarketData is empty.
type MarketData struct {
	Indicators []Indicator
	Candles    []Candle
}

// Indicator is one named value: a Number (unknown where the caller sent null),
// a bool, a string, or a []Number.
type Indicator struct {
	Name  string
	Value any
}

// Candle is one bar. Open, High, Low and Close are known and above 0; Volume
// may be unknown. Time is when the bar opened, in UTC; it is zero in all candles
// of one MarketData or in none.
type Candle struct {
	Time                           time.Time
	Open, High, Low, Close, Volume Number
}

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	Field   string // the place within the value that was read, such as recent_candles[3].close
	Message string // what is wrong and what to send instead
	Value   string // the offending scalar as it was sent, where it can be told as JSON, cut at 100 characters; may be empty
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// FieldErrors are all mistakes of one input, in the order of their places.
type FieldErrors []*FieldError

// Add adds a mistake.
func (e *FieldErrors) Add(field, message, value string) {
	*e = append(*e, &FieldError{field, message, value})
}

func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, mistake := range e {
		texts[i] = mistake.Error()
	}
	return strings.Join(texts, "; ")
}

// UnmarshalJSON reads market data by ParseMarketData with MaxText.
func (m *MarketData) UnmarshalJSON(data []byte) error {
	parsed, err := ParseMarketData(data, MaxText)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// MarshalJSON writes the object that UnmarshalJSON reads, names in order.
func (m MarketData) MarshalJSON() ([]byte, error) {
	object := make(map[string]any, len(m.Indicators)+1)
	for _, i := range m.Indicators {
		object[i.Name] = i.Value
	}
	if len(m.Candles) > 0 {
		object[candlesKey] = m.Candles
	}
	return json.Marshal(object)
}

// MarshalJSON writes the object that MarketData reads.
func (c Candle) MarshalJSON() ([]byte, error) {
	type bar struct {
		Time   *time.Time `json:"time,omitempty"`
		Open   Number     `json:"open"`
		High   Number     `json:"high"`
		Low    Number     `json:"low"`
		Close  Number     `json:"close"`
		Volume Number     `json:"volume"`
	}
	b := bar{nil, c.Open, c.High, c.Low, c.Close, c.Volume}
	if !c.Time.IsZero() {
		b.Time = &c.Time
	}
	return json.Marshal(b)
}

// Has reports whether an indicator of that name was sent, even as null.
func (m MarketData) Has(name string) bool {
	_, found := m.find(name)
	return found
}

// Set adds an indicator or replaces the one of that name.
func (m *MarketData) Set(name string, value any) {
	i, found := m.find(name)
	if found {
		m.Indicators[i].Value = value
		return
	}
	m.Indicators = slices.Insert(m.Indicators, i, Indicator{name, value})
}

func (m MarketData) find(name string) (int, bool) {
	return slices.BinarySearchFunc(m.Indicators, name, func(i Indicator, name string) int { return strings.Compare(i.Name, name) })
}
