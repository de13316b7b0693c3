// Package watch asks by the clock: it reads a watch list, and for each series on
// it fetches the candles that have closed, has the indicators computed, and asks
// the models, once for each candle. The schedule on AWS and `thalas watch` do the
// same by it.
//
// It knows neither venues nor events of a cloud: candles come from a
// market.CandleSource, answers from an Asker. Invariants: which candle is meant
// follows from the scheduled time and never from now; what becomes of one series
// costs no other anything; every series of the list is in the summary, also those
// that there was no time for; nobody is asked twice about the same candle; every
// goroutine that is started has ended when a round returns.
package watch
