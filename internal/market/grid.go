package market

// Candles in time: when they are too old, and what is missing between them.

import (
	"time"

	"thalas/internal/signal"
)

// IsStale reports whether candles whose newest opened at newest are too old for
// a caller who wants those up to last, the open time of the last closed candle.
// They are when, as last closed, newest had opened more than two timeframes
// before: then at least two candles are missing at the end. At that moment it is
// the rule by which a result says stale_candles; a source refuses such candles.
func IsStale(newest, last time.Time, timeframe signal.Timeframe) bool {
	closed := last.Add(timeframe.Duration())
	return closed.Sub(newest) > 2*timeframe.Duration()
}

// Missing counts the intervals between the first and the last of candles with
// times, oldest first, that have no candle: mostly nothing was traded then.
func Missing(candles []signal.Candle, timeframe signal.Timeframe) int {
	length := timeframe.Duration()
	if len(candles) == 0 || length == 0 {
		return 0
	}
	intervals := int(candles[len(candles)-1].Time.Sub(candles[0].Time)/length) + 1
	return intervals - len(candles)
}
