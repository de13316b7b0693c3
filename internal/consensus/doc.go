// Package consensus makes one decision of several votes and explains it. It is
// arithmetic and nothing else: no clock, no I/O, no goroutines, no iteration
// over maps, and it knows nothing of providers, HTTP or storage.
//
// Invariants:
//   - The same votes and policy give the same bytes, in whatever order the
//     answers came in and on whatever machine: votes are sorted by provider name
//     before anything is summed, and no product is fused with a sum.
//   - Every number it returns is finite; confidence, agreement, shares and
//     stability lie in 0…1.
//   - A BUY or SELL always has more weight behind it than any other decision, and
//     has passed every gate. Whatever is unclear is a HOLD with its reason.
//   - What Decided calls safe, no later answer changes.
//
// Votes are expected as the provider adapters let them in: one a provider,
// confidence and weight in 0…1, one of the three decisions. The functions are
// total all the same: a confidence or weight outside its range counts as 0 and
// an unknown decision as HOLD, so what can't be has no say.
package consensus
