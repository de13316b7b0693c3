package market

// Contradictions: indicators that can't be of the candles that were sent with them, but
// are of another market, another unit or another day.
//
// Senders compute indicators in different ways: with other smoothings and periods, with
// more history, with or without the candle that is forming. None of that is a
// contradiction, so each indicator has a wide range of possible values. A test checks the
// ranges with such senders and a real series.

import (
	"fmt"
	"math"
	"time"

	"thalas/internal/signal"
)

// The sizes of the ranges.
const (
	rsiPoints    = 45   // the RSI may differ by that many points
	atrTimes     = 5    // the ATR may be that many times larger or smaller
	macdRanges   = 3    // the MACD may differ by its own size and that many mean true ranges
	bandSpans    = 1.5  // three standard deviations reach at most that many spans of the prices beyond them
	volumeTimes  = 10   // the volume ratio may be that many times the largest one
	changePoints = 1.0  // the change in a day may differ by that many percentage points
	rounded      = 1e-3 // rounding may change a value by that part of the price

	rangePeriod = 14        // candles of the mean true range
	rsiSettles  = 40        // with as many candles the RSI hardly depends on where they begin
	macdSettles = 100       // the same for the MACD
	emaPeriods  = 3         // as many periods make up 99.75 % of an exponential average
	shortCandle = time.Hour // a candle up to this length seldom moves the price by one percent
)

// contradiction says how a sent indicator contradicts the one that was computed of the
// candles. It is empty if there is no contradiction, or if that can't be decided.
func (p *prices) contradiction(sent signal.Indicator, computed Reading, timeframe signal.Timeframe) string {
	number, isNumber := sent.Value.(signal.Number)
	if !isNumber || !number.IsKnown() || computed.Unknown != "" {
		return ""
	}
	low, high := p.possible(computed, timeframe)
	if value := number.Float64(); !(value < low || value > high) { // written so that NaN is no contradiction
		return ""
	}
	return fmt.Sprintf("%s was sent as %s, but the candles give %s: the models are shown what was sent; check its pair, timeframe and unit, or leave it out to have it computed",
		sent.Name, short(number.String()), computed.Number())
}

// possible gives the range of values that senders may have for an indicator of the
// candles. With too few candles every value is possible.
func (p *prices) possible(computed Reading, timeframe signal.Timeframe) (low, high float64) {
	x, n := computed.Value, len(p.close)
	ranges := p.meanRange(rangePeriod)
	slack := max(ranges, rounded*math.Abs(p.close[n-1])) // one more candle, or rounding
	switch computed.Name {
	case nameRSI:
		if n >= rsiSettles {
			return max(0, x-rsiPoints), min(100, x+rsiPoints)
		}
		return 0, 100
	case nameATR:
		return x / atrTimes, x*atrTimes + rounded*math.Abs(p.close[n-1])
	case nameEMA20:
		return p.within(emaPeriods*emaShort, slack)
	case nameEMA50:
		return p.within(emaPeriods*emaLong, slack)
	case nameMACD, nameMACDSignal, nameMACDHist:
		if n >= macdSettles {
			difference := math.Abs(x) + macdRanges*slack
			return x - difference, x + difference
		}
	case nameMiddle:
		return p.within(bandPeriod+1, slack)
	case nameUpper, nameLower:
		if low, high = p.within(bandPeriod+1, slack); computed.Name == nameUpper {
			return low, high + bandSpans*(high-low)
		}
		return low - bandSpans*(high-low), high
	case nameVolumeRatio:
		_, usual, largest := p.volumes()
		return 0, volumeTimes * largest / usual
	case nameChange:
		return p.possibleChange(timeframe, ranges)
	}
	return math.Inf(-1), math.Inf(1)
}

// within gives the range of an average of the newest candles, widened by slack. With
// fewer candles every value is possible.
func (p *prices) within(candles int, slack float64) (low, high float64) {
	if len(p.close) < candles {
		return math.Inf(-1), math.Inf(1)
	}
	low, high = p.span(len(p.close)-candles, len(p.close))
	return low - slack, high + slack
}

// possibleChange gives the range of the change over 24 hours. The newest candle may still
// be forming, so every price in it may be the present one. If candles are longer than an
// hour, the sender's day may also begin and end within a candle: then every price of the
// candle a day before is possible too, and both are widened by the mean range. The result
// is widened by changePoints. If candles of the day are missing, every value is possible.
func (p *prices) possibleChange(timeframe signal.Timeframe, ranges float64) (low, high float64) {
	length := timeframe.Duration()
	if spacing, known := TimeframeOf(p.candles); known {
		length = max(length, spacing.Duration())
	}
	newest := len(p.close) - 1
	_, before, _ := p.priceChange24h(timeframe)
	if length < dayLength && p.candles[newest].Time.Sub(p.candles[before].Time) > dayLength+length {
		return math.Inf(-1), math.Inf(1)
	}
	nowLow, nowHigh := p.span(newest, newest+1)
	thenLow, thenHigh := p.close[before], p.close[before]
	if length > shortCandle {
		thenLow, thenHigh = p.span(before, before+1)
		nowLow, nowHigh, thenLow, thenHigh = nowLow-ranges, nowHigh+ranges, thenLow-ranges, thenHigh+ranges
	}
	low, high = 100*(nowLow/thenHigh-1)-changePoints, math.Inf(1)
	if thenLow > 0 {
		high = 100*(nowHigh/thenLow-1) + changePoints
	}
	return low, high
}
