package signal

// Market data: what a caller knows about the market, as indicators by name and recent
// candles.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of market data.
const (
	MaxIndicators  = 64      // names, including recent_candles
	MaxCandles     = 500     // candles
	MaxListNumbers = 500     // numbers in one list
	MaxText        = 200     // characters of one text
	MaxCompatText  = 1000    // characters of one text on the compatibility route
	maxPlainBytes  = 1 << 18 // bytes of all numbers when they are written without exponents
	maxName        = 100     // characters of a name
)

const candlesKey = "recent_candles"

// MarketData has its indicators in the order of their names, and its candles oldest first.
type MarketData struct {
	Indicators []Indicator
	Candles    []Candle
}

// Indicator is one named value: a Number (unknown if the caller sent null), a bool, a
// string, or a []Number.
type Indicator struct {
	Name  string
	Value any
}

// Candle has a known Open, High, Low and Close above 0, and a Volume that may be unknown.
// Time is when it opened, in UTC. It is zero in all candles of one MarketData or in none.
type Candle struct {
	Time   time.Time `json:"time,omitzero"`
	Open   Number    `json:"open"`
	High   Number    `json:"high"`
	Low    Number    `json:"low"`
	Close  Number    `json:"close"`
	Volume Number    `json:"volume"`
}

// UnmarshalJSON reads market data by ParseMarketData with MaxText.
func (m *MarketData) UnmarshalJSON(data []byte) error {
	parsed, err := ParseMarketData(data, MaxText)
	if err == nil {
		*m = parsed
	}
	return err
}

// MarshalJSON writes the object that UnmarshalJSON reads, with the names in order. Every run
// stores its market data, and for them encoding/json needs several times as long.
func (m MarketData) MarshalJSON() ([]byte, error) {
	b := make([]byte, 1, 64*len(m.Indicators)+160*len(m.Candles)+2)
	b[0] = '{'
	candles := m.Candles // those that are not written yet
	for _, i := range m.Indicators {
		if i.Name > candlesKey {
			b, candles = appendCandles(b, candles), nil
		}
		name, _ := json.Marshal(i.Name) // a string always marshals
		b = append(append(b, name...), ':')
		if n, is := i.Value.(Number); is {
			b = n.append(b)
		} else {
			value, err := json.Marshal(i.Value)
			if err != nil {
				return nil, err
			}
			b = append(b, value...)
		}
		b = append(b, ',')
	}
	b = appendCandles(b, candles)
	return append(bytes.TrimSuffix(b, []byte{','}), '}'), nil
}

// appendCandles appends the member of the candles, if there are any, and a comma.
func appendCandles(b []byte, candles []Candle) []byte {
	for i, c := range candles {
		if i == 0 {
			b = append(b, `"`+candlesKey+`":[`...)
		}
		b = append(b, '{')
		if !c.Time.IsZero() {
			b = append(c.Time.AppendFormat(append(b, `"time":"`...), time.RFC3339Nano), `",`...)
		}
		b = c.Open.append(append(b, `"open":`...))
		b = c.High.append(append(b, `,"high":`...))
		b = c.Low.append(append(b, `,"low":`...))
		b = c.Close.append(append(b, `,"close":`...))
		b = c.Volume.append(append(b, `,"volume":`...))
		b = append(b, "},"...)
	}
	if len(candles) > 0 {
		b = append(b[:len(b)-1], "],"...)
	}
	return b
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

// Canonical gives the data with every number in its canonical form.
func (m MarketData) Canonical() MarketData {
	c := MarketData{slices.Clone(m.Indicators), slices.Clone(m.Candles)}
	for i := range c.Indicators {
		switch v := c.Indicators[i].Value.(type) {
		case Number:
			c.Indicators[i].Value = v.Canonical()
		case []Number:
			list := slices.Clone(v)
			for j := range list {
				list[j] = list[j].Canonical()
			}
			c.Indicators[i].Value = list
		}
	}
	for i := range c.Candles {
		for _, n := range [...]*Number{&c.Candles[i].Open, &c.Candles[i].High, &c.Candles[i].Low, &c.Candles[i].Close, &c.Candles[i].Volume} {
			*n = n.Canonical()
		}
	}
	return c
}

// Contradiction says how the prices of a candle contradict each other, such as
// "its close 110 is above its high 100". It is empty if they do not.
func (c *Candle) Contradiction() string {
	for _, p := range [...]struct {
		name  string
		price *Number
	}{{"low", &c.Low}, {"open", &c.Open}, {"close", &c.Close}} {
		switch price := p.price.Float64(); {
		case price > c.High.Float64():
			return fmt.Sprintf("its %s %s is above its high %s", p.name, p.price, &c.High)
		case price < c.Low.Float64():
			return fmt.Sprintf("its %s %s is below its low %s", p.name, p.price, &c.Low)
		}
	}
	return ""
}
