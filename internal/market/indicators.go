package market

// The indicators that a question to the models wants, at the newest candle, in
// one pass over the candles.

import (
	"fmt"
	"math"
	"strconv"

	"thalas/internal/signal"
)

// Periods, in candles. They are the usual ones.
const (
	rsiPeriod    = 14
	atrPeriod    = 14
	emaShort     = 20
	emaLong      = 50
	macdFast     = 12
	macdSlow     = 26
	macdSmooth   = 9
	bandPeriod   = 20
	bandWidth    = 2 // standard deviations
	volumePeriod = 20
)

// macdNeeds is the candles until the slow average and the signal line are warm.
const macdNeeds = macdSlow + macdSmooth - 1

// The names of the indicators.
const (
	nameRSI         = "rsi"
	nameATR         = "atr"
	nameEMA20       = "ema_20"
	nameEMA50       = "ema_50"
	nameMACD        = "macd"
	nameMACDSignal  = "macd_signal"
	nameMACDHist    = "macd_hist"
	nameUpper       = "bb_upper"
	nameMiddle      = "bb_middle"
	nameLower       = "bb_lower"
	nameVolumeRatio = "volume_ratio"
	nameChange      = "price_change_24h"
)

// Reading is the value of an indicator at the newest candle.
type Reading struct {
	Name    string
	Value   float64 // finite; 0 if it is unknown
	Unknown string  // why it is unknown, such as "needs 15 candles, got 3"; empty if it is known
}

// digits is the number of significant digits of a computed number in text: more than any
// price has, and few enough to hide the rounding of floats.
const digits = 10

// Number gives the value with 10 significant digits, or the unknown number.
func (r Reading) Number() signal.Number {
	if r.Unknown != "" {
		return signal.Number{}
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(r.Value, 'g', digits, 64), 64)
	if err != nil { // the largest float64 can't be rounded up
		rounded = r.Value
	}
	return signal.NumberOf(rounded)
}

// indicators computes all indicators at the newest candle, in this order: rsi, atr,
// ema_20, ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower,
// volume_ratio, price_change_24h. Candles are oldest first. The values are those of TA-Lib
// if it has the indicator; docs/indicators.md has the formulas. An indicator that can't be
// computed is unknown, and never has a substitute for its value.
func (p *prices) indicators(timeframe signal.Timeframe) []Reading {
	var (
		gain, loss   = wilder(rsiPeriod), wilder(rsiPeriod)
		ranges       = wilder(atrPeriod)
		short, long  = ema(emaShort), ema(emaLong)
		fast, slow   = ema(macdFast), ema(macdSlow)
		signalLine   = ema(macdSmooth)
		macd         float64
		ratio, noVol = p.volumeRatio()
	)
	for i, price := range p.close {
		short.add(price)
		long.add(price)
		slow.add(price)
		if i >= macdSlow-macdFast { // as TA-Lib: both averages are warm at the same candle
			fast.add(price)
		}
		if slow.warm() {
			macd = fast.value - slow.value
			signalLine.add(macd)
		}
		if i > 0 {
			change := price - p.close[i-1]
			gain.add(max(change, 0))
			loss.add(max(-change, 0))
			ranges.add(p.trueRange(i))
		}
	}
	strength, noRSI := relativeStrength(gain.value, loss.value)
	middle, deviation := bands(p.close)
	change, _, noChange := p.priceChange24h(timeframe)

	return []Reading{
		p.reading(nameRSI, strength, rsiPeriod+1, noRSI),
		p.reading(nameATR, ranges.value, atrPeriod+1, ""),
		p.reading(nameEMA20, short.value, emaShort, ""),
		p.reading(nameEMA50, long.value, emaLong, ""),
		p.reading(nameMACD, p.difference(macd), macdNeeds, ""),
		p.reading(nameMACDSignal, p.difference(signalLine.value), macdNeeds, ""),
		p.reading(nameMACDHist, p.difference(macd-signalLine.value), macdNeeds, ""),
		p.reading(nameUpper, middle+bandWidth*deviation, bandPeriod, ""),
		p.reading(nameMiddle, middle, bandPeriod, ""),
		p.reading(nameLower, middle-bandWidth*deviation, bandPeriod, ""),
		p.reading(nameVolumeRatio, ratio, volumePeriod, noVol),
		p.reading(nameChange, change, 0, noChange),
	}
}

// reading makes a Reading. It is unknown if there are fewer candles than needed, or if
// there is another reason.
func (p *prices) reading(name string, value float64, needed int, unknown string) Reading {
	switch n := len(p.close); {
	case n < needed:
		unknown = fmt.Sprintf("needs %d candles, got %d", needed, n)
	case unknown == "" && !isFinite(value):
		unknown = "a price is unknown, or too large to compute with"
	}
	if unknown != "" {
		return Reading{Name: name, Unknown: unknown}
	}
	return Reading{Name: name, Value: value}
}

// difference gives the difference of two averages. It is 0 if it is so small that rounding
// of floats of the size of the price explains it.
func (p *prices) difference(d float64) float64 {
	const rest = 1e-13
	if n := len(p.close); n > 0 && math.Abs(d) < rest*math.Abs(p.close[n-1]) {
		return 0
	}
	return d
}

// relativeStrength gives the share of the gains in all movement, in percent. It is unknown
// if the price never moved.
func relativeStrength(gain, loss float64) (percent float64, unknown string) {
	if gain == 0 && loss == 0 {
		return 0, "the price never moved"
	}
	return 100 / (1 + loss/gain), "" // 0 without a gain
}

// bands gives the mean of the newest closes and their standard deviation (of the
// population, as John Bollinger has it). It computes with distances from the first
// of them, scaled by the largest, so that neither tiny nor huge prices lose theirs.
func bands(closes []float64) (middle, deviation float64) {
	if len(closes) < bandPeriod {
		return 0, 0
	}
	closes = closes[len(closes)-bandPeriod:]
	first, center := closes[0], mean(bandPeriod)
	for _, c := range closes {
		center.add(c - first)
	}
	var largest, squares float64
	for _, c := range closes {
		largest = max(largest, math.Abs(c-first-center.value))
	}
	if largest > 0 {
		for _, c := range closes {
			d := (c - first - center.value) / largest
			squares += d * d
		}
	}
	return first + center.value, largest * math.Sqrt(squares/bandPeriod)
}

// volumeRatio gives the newest volume divided by the mean of the newest 20 volumes, which
// include it.
func (p *prices) volumeRatio() (ratio float64, unknown string) {
	if len(p.candles) < volumePeriod {
		return 0, ""
	}
	newest, usual, _ := p.volumes()
	switch {
	case !isFinite(usual):
		return 0, fmt.Sprintf("a volume of the newest %d candles is unknown", volumePeriod)
	case usual <= 0:
		return 0, fmt.Sprintf("the newest %d candles have no volume", volumePeriod)
	}
	return newest / usual, ""
}
