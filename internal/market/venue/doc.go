// Package venue fetches the candles of public trading venues. It has a thin adapter for
// each wire format (Kraken, Coinbase, OKX, Binance); a [Chain], which asks the next venue
// if one fails; and a [Shared], which fetches once for many callers. A source makes no
// request while its venue asks not to be called.
//
// It must not know providers, votes or schedules, and needs no key. Invariants: candles
// are closed, on the grid of their timeframe, oldest first, and have the digits that the
// venue sent; no candle is made up, and no pair is replaced by a similar one; every
// failure is a [*market.Error].
package venue
