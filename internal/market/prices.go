package market

// Candles as columns of floats, each number read once.

import (
	"math"

	"thalas/internal/signal"
)

// prices are those of candles, oldest first.
type prices struct {
	candles          []signal.Candle
	high, low, close []float64
}

func newPrices(candles []signal.Candle) *prices {
	n := len(candles)
	all := make([]float64, 3*n)
	p := &prices{candles, all[:n:n], all[n : 2*n : 2*n], all[2*n:]}
	for i := range candles {
		c := &candles[i]
		p.high[i], p.low[i], p.close[i] = c.High.Float64(), c.Low.Float64(), c.Close.Float64()
	}
	return p
}

// trueRange is what a candle spans with the close before it (Wilder, 1978).
func (p *prices) trueRange(i int) float64 {
	span := p.high[i] - p.low[i]
	if i == 0 {
		return span
	}
	before := p.close[i-1]
	return max(span, math.Abs(p.high[i]-before), math.Abs(p.low[i]-before))
}

// meanRange is the plain mean of the true ranges of the newest n candles, or of
// all where there are fewer.
func (p *prices) meanRange(n int) float64 {
	ranges := mean(n)
	for i := max(0, len(p.close)-n); i < len(p.close); i++ {
		ranges.add(p.trueRange(i))
	}
	return ranges.value
}

// span is the lowest and the highest price of the candles from one to before another.
func (p *prices) span(from, to int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := from; i < to; i++ {
		low, high = min(low, p.low[i], p.high[i], p.close[i]), max(high, p.low[i], p.high[i], p.close[i])
	}
	return low, high
}

// volumes gives the newest volume, and the mean and the largest of the newest
// ones, of which there must be volumePeriod.
func (p *prices) volumes() (newest, usual, largest float64) {
	average := mean(volumePeriod)
	for _, c := range p.candles[len(p.candles)-volumePeriod:] {
		newest = c.Volume.Float64()
		average.add(newest)
		largest = max(largest, newest)
	}
	return newest, average.value, largest
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
