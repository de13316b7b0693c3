// Package venue reads the candles of public trading venues: one thin adapter for
// each wire format (Kraken, Coinbase, OKX, Binance), a Chain that goes to the next
// venue where one fails, and a Shared that asks once for many callers. A venue that
// asks to be left alone is left alone, by its source.
//
// It must not know providers, votes or schedules, and needs no key. Invariants:
// what is given are closed candles on the grid of their timeframe, oldest first,
// with the digits that the venue sent; a candle is never made up, a pair never
// replaced by a similar one; every failure is a *market.Error.
package venue
