package market

// The relative strength index.

import (
	"math"

	"thalas/internal/signal"
)

// RSIPeriod is the usual period.
const RSIPeriod = 14

// Closes gives the closing prices.
func Closes(candles []signal.Candle) []float64 {
	closes := make([]float64, len(candles))
	for i, c := range candles {
		closes[i] = c.Close.Float64()
	}
	return closes
}

// RSI is the relative strength index, 0…100, of the last of the closes, oldest
// first (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978): the
// averages of gains and losses begin as plain means of the first period changes
// and are smoothed by 1/period from there. It is not ok with fewer than
// period+1 closes, and where the price never moved: there is no strength to
// compare then.
func RSI(closes []float64, period int) (value float64, ok bool) {
	if period < 1 || len(closes) <= period {
		return 0, false
	}
	var gain, loss float64
	n := float64(period)
	for i := 1; i < len(closes); i++ {
		change := closes[i] - closes[i-1]
		up, down := max(change, 0), max(-change, 0)
		if i <= period {
			gain += up / n
			loss += down / n
		} else {
			gain += (up - gain) / n
			loss += (down - loss) / n
		}
	}
	moved := gain + loss
	if !(moved > 0) || math.IsInf(moved, 0) { // worded so that NaN is no movement
		return 0, false
	}
	return 100 * (gain / moved), true
}
