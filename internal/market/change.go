package market

// How far the price moved in a day, and how far apart candles are.

import (
	"fmt"
	"time"

	"thalas/internal/signal"
)

const (
	dayLength  = 24 * time.Hour
	longestGap = 7 * dayLength // an older close says nothing about a day
)

// priceChange24h is the newest close against the last one known 24 hours earlier,
// in percent: 2.5 is a rise by 2.5 %. before is the index of that candle. Where a
// market is closed at that time, the last close before counts, up to 7 days before
// the newest. Candles without times are taken to follow each other without a gap.
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

// TimeframeOf gives the timeframe that the candles are of: the usual spacing
// of their times, if that is a known one. Candles are oldest first; it is not ok
// for fewer than two and for candles without times.
func TimeframeOf(candles []signal.Candle) (timeframe signal.Timeframe, ok bool) {
	return signal.TimeframeOf(signal.Spacing(candles))
}
