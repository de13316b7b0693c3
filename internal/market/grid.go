package market

// Candles in time: when they are too old, what length they have, and how far the price
// moved in a day.

import (
	"fmt"
	"time"

	"thalas/internal/signal"
)

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
