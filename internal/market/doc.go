// Package market reads candles and computes the indicators that a question to the
// models wants: Indicators gives them, Complete adds them to market data that brings
// candles without. CandleSource is where candles come from that nobody brings; the
// venues are in package venue. Candles are of package signal, oldest first.
//
// It must not know providers, votes or how the candles are shown. Invariants: an
// indicator that cannot be computed is unknown, with a reason, never NaN and never a
// stand-in such as 0; what a caller sent is never changed; prices keep the digits of
// their source.
package market
