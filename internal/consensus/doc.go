// Package consensus makes one decision of several votes, and explains it. It has only
// arithmetic: no clock, no I/O, no goroutines and no iteration over maps. It does not
// know providers, HTTP or storage.
//
// Invariants:
//   - The same votes and policy give the same bytes, in every order of the answers and
//     on every machine: votes are sorted by provider name before they are summed, and no
//     product is fused with a sum.
//   - Every number it returns is finite; confidence, agreement, shares and
//     stability lie in 0…1.
//   - A BUY or SELL has a larger weighted vote than any other decision, and has passed
//     every gate. Every unclear vote is a HOLD with its reason.
//   - If [Decided] reports true, no later answer changes the decision.
//
// The provider adapters let in only valid votes: one a provider, confidence and weight in
// 0…1, one of the three decisions. The functions accept other votes too, but give them no
// influence: a confidence or weight outside its range counts as 0, and an unknown decision
// as HOLD.
package consensus
