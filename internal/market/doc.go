// Package market reads candles and computes the few indicators that a question
// to the models wants. Candles are of package signal, oldest first.
//
// It must not know providers, votes or how the candles are shown. Invariants: an
// indicator that cannot be computed is absent (ok is false), never NaN and never
// a stand-in such as 0; prices keep the digits of their source.
package market
