// Package watch asks by the clock. It reads a watch list, fetches the candles that have
// closed of each series on it, and asks the models once for each candle. The schedule on
// AWS and `thalas watch` both use it.
//
// It knows neither venues nor the events of a cloud: candles come from a
// [market.CandleSource], and answers from an [Asker]. Invariants: the scheduled time
// determines the candle, and the present time never does; a failure of one series does not
// affect the others; the summary has every series of the list, also those for which there
// was no time; nobody is asked twice about the same candle; no goroutine outlives its
// round.
package watch
