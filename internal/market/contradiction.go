package market

// Numbers that were sent and cannot be of the candles that were sent with them:
// those of another market, another unit, or another day.
//
// Senders compute in many ways: other smoothings and periods, more history, the
// candle that is forming or only closed ones. None of that may be called a
// contradiction, so each indicator has a span that all of it lies in. A test holds
// the spans against such senders over a real series.

import (
	"fmt"
	"math"
	"time"

	"thalas/internal/signal"
)

// How far the spans reach.
const (
	rsiApart     = 45   // points
	atrTimes     = 5    // times the value, or a fifth of it
	macdRanges   = 3    // mean true ranges beyond twice the value, or to the other side of 0
	bandSpans    = 1.5  // spans of the prices: where three standard deviations reach at the most
	volumeTimes  = 10   // times the largest volume
	changePoints = 1.0  // percentage points
	rounded      = 1e-3 // of the price: what rounding may change

	rangePeriod = 14        // candles of the mean true range
	rsiSettles  = 40        // candles until their beginning matters little
	macdSettles = 100       // likewise
	emaPeriods  = 3         // periods that make up 99.75 % of an exponential average
	shortCandle = time.Hour // up to here a candle seldom moves the price by a point
)

// contradiction says how a sent indicator contradicts the candles, which give the
// reading; empty where it does not, or where that cannot be told.
func (p *prices) contradiction(sent signal.Indicator, computed Reading, timeframe signal.Timeframe) string {
	number, isNumber := sent.Value.(signal.Number)
	if !isNumber || !number.IsKnown() || computed.Unknown != "" {
		return ""
	}
	low, high := p.possible(computed, timeframe)
	if value := number.Float64(); !(value < low || value > high) { // worded so that NaN is none
		return ""
	}
	return fmt.Sprintf("%s was sent as %s, but the candles give %s: the models are shown what was sent; check its pair, timeframe and unit, or leave it out to have it computed",
		sent.Name, short(number.String()), computed.Number())
}

// possible is the span of what senders may have for an indicator that the candles
// give; everything where the candles are too few to tell.
func (p *prices) possible(computed Reading, timeframe signal.Timeframe) (low, high float64) {
	x, n := computed.Value, len(p.close)
	ranges := p.meanRange(rangePeriod)
	slack := max(ranges, rounded*math.Abs(p.close[n-1])) // one more candle, or rounding
	switch computed.Name {
	case nameRSI:
		if n >= rsiSettles {
			return max(0, x-rsiApart), min(100, x+rsiApart)
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
			apart := math.Abs(x) + macdRanges*slack
			return x - apart, x + apart
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

// within is where an average of the newest candles lies, and slack either way;
// everything where there are not as many candles.
func (p *prices) within(candles int, slack float64) (low, high float64) {
	if len(p.close) < candles {
		return math.Inf(-1), math.Inf(1)
	}
	low, high = p.span(len(p.close)-candles, len(p.close))
	return low - slack, high + slack
}

// possibleChange is the change over 24 hours with any price of the newest candle
// for now, which may still be forming, and a point either way. With candles longer
// than an hour the sender's day may also begin and end in the middle of one: then
// any price of the candle a day before will do, and a mean range more at each end.
// Where candles within a day are missing, nothing can be told.
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
