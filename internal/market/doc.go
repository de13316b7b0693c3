// Package market reads candles and computes the indicators for a question to the models:
// [Complete] adds those that are missing to market data with candles. [CandleSource] is the
// interface of what fetches candles; package venue implements it. Candles are those of
// package signal, oldest first.
//
// It must not know providers, votes or how the candles are shown. Invariants: an
// indicator that can't be computed is unknown, with a reason, and never NaN or a
// substitute such as 0; what a caller sent is never changed; prices keep the digits of
// their source.
package market
