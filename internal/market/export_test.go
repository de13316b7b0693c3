package market

import "thalas/internal/signal"

// Indicators computes all indicators at the newest candle.
func Indicators(candles []signal.Candle, timeframe signal.Timeframe) []Reading {
	return newPrices(candles).indicators(timeframe)
}
