package market

// How far the price moved in a day, and how far apart candles are.

import (
	"math"
	"time"

	"thalas/internal/signal"
)

const (
	dayLength  = 24 * time.Hour
	longestGap = 7 * dayLength // an older close says nothing about a day
)

// PriceChange24h is the newest close against the last one known 24 hours
// earlier, in percent: 2.5 is a rise by 2.5 %. Where a market is closed at that
// time, the last close before counts, up to 7 days before the newest. Candles
// are oldest first; without times they are taken to follow each other without a
// gap. It is not ok where the candles do not reach back that far, and for
// timeframes of more than a day.
func PriceChange24h(candles []signal.Candle, timeframe signal.Timeframe) (percent float64, ok bool) {
	length := timeframe.Duration()
	if len(candles) == 0 || length == 0 || length > dayLength {
		return 0, false
	}
	newest := candles[len(candles)-1]
	before := len(candles) - 1 - int(dayLength/length)
	if !newest.Time.IsZero() {
		before = len(candles) - 1
		for before >= 0 && newest.Time.Sub(candles[before].Time) < dayLength {
			before--
		}
	}
	if before < 0 || newest.Time.Sub(candles[before].Time) > longestGap {
		return 0, false
	}
	then, now := candles[before].Close.Float64(), newest.Close.Float64()
	percent = (now - then) / then * 100
	if math.IsNaN(percent) || math.IsInf(percent, 0) {
		return 0, false
	}
	return percent, true
}

// TimeframeOf gives the timeframe that the candles are of: the smallest spacing
// of their times, if that is a known one. Candles are oldest first; it is not ok
// for fewer than two and for candles without times.
func TimeframeOf(candles []signal.Candle) (timeframe signal.Timeframe, ok bool) {
	smallest := time.Duration(math.MaxInt64)
	for i := 1; i < len(candles); i++ {
		smallest = min(smallest, candles[i].Time.Sub(candles[i-1].Time))
	}
	return signal.TimeframeOf(smallest)
}
