package market

// The prices of candles as columns of floats, the average that most indicators are computed
// with, and candles in time: when they are too old, what length they have, and how far the
// price moved in a day.

import (
	"fmt"
	"math"
	"time"

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

// IsStale reports whether candles are too old. newest is the open time of the newest
// one, and last that of the last closed candle, which the caller wants. They are stale if
// newest opened more than two timeframes before last closed: then at least two candles
// are missing at the end. A result with such candles has the warning stale_candles, and
// a [CandleSource] refuses them.
func IsStale(newest, last time.Time, timeframe signal.Timeframe) bool {
	closed := last.Add(timeframe.Duration())
	return closed.Sub(newest) > 2*timeframe.Duration()
}

const (
	dayLength  = 24 * time.Hour
	longestGap = 7 * dayLength // an older close says nothing about the last day
)

// priceChange24h gives the change from the close 24 hours earlier to the newest close,
// in percent: 2.5 is a rise by 2.5 %. before is the index of the earlier candle. If the
// market was closed at that time, it is the last candle before, which may be up to 7 days
// older than the newest. Candles without times are taken to have no gaps.
func (p *prices) priceChange24h(timeframe signal.Timeframe) (percent float64, before int, unknown string) {
	length, newest := timeframe.Duration(), len(p.candles)-1
	switch {
	case length == 0:
		return 0, 0, "the timeframe is not known"
	case length > dayLength:
		return 0, 0, "a candle of " + string(timeframe) + " is longer than a day"
	case newest < 0:
		return 0, 0, "there are no candles"
	}
	last := p.candles[newest].Time
	if last.IsZero() {
		if before = newest - int(dayLength/length); before < 0 {
			return 0, 0, fmt.Sprintf("needs %d candles of %s, got %d", dayLength/length+1, timeframe, len(p.candles))
		}
	} else {
		for before = newest; before >= 0 && last.Sub(p.candles[before].Time) < dayLength; before-- {
		}
		switch {
		case before < 0:
			return 0, 0, "the candles do not reach back 24 hours"
		case last.Sub(p.candles[before].Time) > longestGap:
			return 0, 0, "the candle before the last 24 hours is older than 7 days"
		}
	}
	then, now := p.close[before], p.close[newest]
	return (now - then) / then * 100, before, ""
}

// TimeframeOf gives the timeframe of candles: the usual spacing of their times, if that
// is a known timeframe. Candles are oldest first. ok is false for fewer than two candles,
// and for candles without times.
func TimeframeOf(candles []signal.Candle) (timeframe signal.Timeframe, ok bool) {
	return signal.TimeframeOf(signal.Spacing(candles))
}
