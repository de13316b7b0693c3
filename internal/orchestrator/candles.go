package orchestrator

// Which candle a result is about, and warnings about candles that contradict the request.

import (
	"fmt"
	"time"

	"thalas/internal/signal"
)

const (
	// clockDifference is how much the clocks of two machines may differ.
	clockDifference = time.Minute
	// maxPriceRatio is the largest ratio of price and newest close, either way, that is
	// taken for the same market and unit.
	maxPriceRatio = 2
)

// candleTime is the open time of the last candle that has closed by now. Without times in
// the candles, it is that of the timeframe's grid.
func candleTime(candles []signal.Candle, timeframe signal.Timeframe, now time.Time) time.Time {
	for i := len(candles) - 1; i >= 0; i-- {
		if at := candles[i].Time; !at.IsZero() && !at.Add(timeframe.Duration()).After(now) {
			return at.UTC()
		}
	}
	return timeframe.LastClosed(now)
}

// Candle is the open time of the last candle of the request that has closed by now.
func (c Checked) Candle(now time.Time) time.Time {
	return candleTime(c.request.MarketData.Candles, c.request.Timeframe, now)
}

// warnAboutCandles warns of candles that seem to be of another time, timeframe or market
// than the request. Candles are oldest first.
func (r *run) warnAboutCandles(now time.Time) {
	candles := r.MarketData.Candles
	if len(candles) == 0 {
		return
	}
	newest := &candles[len(candles)-1]
	switch opened := newest.Time.Format(time.RFC3339); {
	case newest.Time.IsZero():
	case newest.Time.After(now.Add(clockDifference)):
		r.warn(signal.WarnFutureCandles, "", "the newest candle opens in the future, at "+opened+": candle_time is taken from the clock, and the age of the candles is unknown; send times in UTC")
	case now.Sub(newest.Time) > 2*r.Timeframe.Duration(): // a newer one has closed, which the models were not shown
		r.warn(signal.WarnStaleCandles, "", fmt.Sprintf("the newest candle opened at %s, more than two timeframes of %s ago", opened, r.Timeframe))
	}
	if spacing, contradicted := r.Timeframe.Contradicted(candles); contradicted {
		r.warn(signal.WarnTimeframeContradiction, "", fmt.Sprintf("the timeframe is %s, but the candles are %s apart: candle_time and valid_until may be wrong", r.Timeframe, spacing))
	}
	first, count := "", 0
	for i := range candles {
		if wrong := candles[i].Contradiction(); wrong != "" {
			if count++; count == 1 {
				first = fmt.Sprintf("recent_candles[%d]: %s", i, wrong)
			}
		}
	}
	if count > 0 {
		r.warn(signal.WarnCandleContradiction, "", fmt.Sprintf("%d of %d candles contradict themselves, such as %s: the models were shown them; check the order of the prices", count, len(candles), first))
	}
	if price, last := r.CurrentPrice.Float64(), newest.Close.Float64(); price > maxPriceRatio*last || last > maxPriceRatio*price {
		r.warn(signal.WarnPriceContradiction, "", fmt.Sprintf("the price is %s, but the newest candle closed at %s: check the pair and the unit of both", r.CurrentPrice, newest.Close))
	}
}
