package signal

// Market data: what a caller knows about the market, as indicators by name and recent
// candles.

import (
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

// MarshalJSON writes the object that UnmarshalJSON reads, with the names in order.
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
