package orchestrator

// What candles show that they should not.

import (
	"fmt"
	"time"

	"thalas/internal/signal"
)

const (
	// clocksApart is how far the clocks of two machines may lie apart.
	clocksApart = time.Minute
	// priceApart is how many times the newest close the price may be, or it the price.
	priceApart = 2
)

// warnAboutCandles adds what shows that candles are of another time, timeframe or
// market than the question. Candles are oldest first.
func (r *run) warnAboutCandles(now time.Time) {
	candles := r.MarketData.Candles
	if len(candles) == 0 {
		return
	}
	newest := &candles[len(candles)-1]
	switch {
	case newest.Time.After(now.Add(clocksApart)):
		r.warn(signal.WarnFutureCandles, "", fmt.Sprintf("the newest candle opens at %s, which is to come: candle_time is that of the clock, and how old the candles are is not known; send times in UTC", newest.Time.Format(time.RFC3339)))
	case isStale(newest, r.Timeframe, now):
		r.warn(signal.WarnStaleCandles, "", fmt.Sprintf("the newest candle opened at %s, more than two timeframes of %s ago", newest.Time.Format(time.RFC3339), r.Timeframe))
	}
	if apart, contradicted := r.Timeframe.Contradicted(candles); contradicted {
		r.warn(signal.WarnTimeframeContradiction, "", fmt.Sprintf("the timeframe is %s, but the candles are %s apart: candle_time and valid_until may be wrong", r.Timeframe, apart))
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
		r.warn(signal.WarnCandleContradiction, "", fmt.Sprintf("%d of %d candles can't be, such as %s: the models were shown them; check the order of the prices", count, len(candles), first))
	}
	if price, last := r.CurrentPrice.Float64(), newest.Close.Float64(); price > priceApart*last || last > priceApart*price {
		r.warn(signal.WarnPriceContradiction, "", fmt.Sprintf("the price is %s, but the newest candle closed at %s: check the pair and the unit of both", r.CurrentPrice, newest.Close))
	}
}
