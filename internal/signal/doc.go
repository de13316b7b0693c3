// Package signal is the vocabulary of the service: what is asked about ([Pair], [Timeframe],
// [MarketData]), what one model answers ([Vote], [Failure]), and what all of them together
// decide ([Consensus]). The JSON names are the public contract.
//
// It knows nothing of providers, HTTP or storage, and imports only the standard library and
// strictjson. The Parse functions, and the UnmarshalText and UnmarshalJSON methods, check
// what they read. A value that they give is valid, so no later code checks it again.
package signal
