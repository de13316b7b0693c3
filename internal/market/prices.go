package market

// The prices of candles as columns of floats, and the average that most indicators are
// computed with.

import (
	"math"

	"thalas/internal/signal"
)

// prices are the prices of candles, oldest first.
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

// trueRange gives the range of a candle together with the close before it (Wilder, 1978).
func (p *prices) trueRange(i int) float64 {
	span := p.high[i] - p.low[i]
	if i == 0 {
		return span
	}
	before := p.close[i-1]
	return max(span, math.Abs(p.high[i]-before), math.Abs(p.low[i]-before))
}

// meanRange gives the plain mean of the true ranges of the newest n candles, or of all
// candles if there are fewer.
func (p *prices) meanRange(n int) float64 {
	ranges := mean(n)
	for i := max(0, len(p.close)-n); i < len(p.close); i++ {
		ranges.add(p.trueRange(i))
	}
	return ranges.value
}

// span gives the lowest and the highest price of the candles with indexes from ≤ i < to.
func (p *prices) span(from, to int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := from; i < to; i++ {
		low, high = min(low, p.low[i], p.high[i], p.close[i]), max(high, p.low[i], p.high[i], p.close[i])
	}
	return low, high
}

// volumes gives the newest volume, and the mean and the largest of the newest
// volumePeriod volumes. There must be as many candles.
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

// average is a running average. It is the plain mean of its first period values; after
// them each value moves it by share.
type average struct {
	period int
	share  float64
	seen   int
	value  float64
}

// ema makes the usual exponential average.
func ema(period int) average { return average{period: period, share: 2 / float64(period+1)} }

// wilder makes the slower exponential average of J. Welles Wilder, New Concepts in
// Technical Trading Systems, 1978.
func wilder(period int) average { return average{period: period, share: 1 / float64(period)} }

// mean makes the plain mean of the first period values. Later values do not move it.
func mean(period int) average { return average{period: period} }

// add takes the next value. It moves the mean instead of summing up: so the mean of equal
// values is exactly that value, and large values do not overflow.
func (a *average) add(x float64) {
	if a.seen++; a.seen <= a.period {
		a.value += (x - a.value) / float64(a.seen)
	} else {
		a.value += (x - a.value) * a.share
	}
}

// warm reports whether there were at least period values.
func (a *average) warm() bool { return a.seen >= a.period }
