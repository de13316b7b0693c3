package orchestrator

// Which candle a result is about, and whether the data is too old for it.

import (
	"time"

	"thalas/internal/signal"
)

// candleTime is the open time of the last closed candle: of the candles where
// they carry times, else of the timeframe's grid.
func candleTime(candles []signal.Candle, timeframe signal.Timeframe, now time.Time) time.Time {
	for i := len(candles) - 1; i >= 0; i-- {
		if at := candles[i].Time; !at.IsZero() && !at.Add(timeframe.Duration()).After(now) {
			return at.UTC()
		}
	}
	return timeframe.LastClosed(now)
}

// isStale reports whether the newest candle opened more than two timeframes ago:
// then a newer one has closed that the models were not shown.
func isStale(newest *signal.Candle, timeframe signal.Timeframe, now time.Time) bool {
	return !newest.Time.IsZero() && now.Sub(newest.Time) > 2*timeframe.Duration()
}
