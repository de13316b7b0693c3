package signal

// Prices that cannot be of one candle.

import "fmt"

// Contradiction says which of a candle's prices can't be of one candle, such as
// "its close 110 is above its high 100"; empty where all can.
func (c *Candle) Contradiction() string {
	high, low := c.High.Float64(), c.Low.Float64()
	for _, p := range [...]struct {
		name  string
		price *Number
	}{{"low", &c.Low}, {"open", &c.Open}, {"close", &c.Close}} {
		switch price := p.price.Float64(); {
		case price > high:
			return fmt.Sprintf("its %s %s is above its high %s", p.name, p.price, &c.High)
		case price < low:
			return fmt.Sprintf("its %s %s is below its low %s", p.name, p.price, &c.Low)
		}
	}
	return ""
}
