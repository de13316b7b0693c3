// Package signal is the vocabulary of the service: what is asked about (Pair,
// Timeframe, MarketData), what one model says (Vote, Failure) and what all of
// them together decide (Consensus). The JSON names are the public contract.
//
// It knows nothing of providers, HTTP or storage and imports only the standard
// library. Text is parsed at the edge by the Parse functions and the
// UnmarshalText and UnmarshalJSON methods; a value that came through them is
// valid, so no later code checks again.
package signal
