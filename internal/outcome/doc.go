// Package outcome says what became of decisions: it settles a result against the candles
// that came after it, adds settled results up, scores the consensus and every provider
// by those sums, and fits the probability that a decision turns out right.
//
// It has only arithmetic: no clock, no I/O and no goroutines. It does not know stores,
// venues or HTTP. docs/outcomes.md has its formulas, with examples to redo by hand.
//
// Invariants:
//   - A decision is judged only by candles that opened after its last candle closed.
//   - Sums are plain additions: the order of candles, results and days changes nothing but
//     the last bits of a float64, and the sums of two halves are those of the whole.
//   - A figure that can't be formed is nil, never 0.
//   - The same sums give the same bytes.
package outcome
