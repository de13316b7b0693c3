// Package orchestrator answers one question: it asks every available provider at the same
// time, within one deadline, and makes one [signal.Consensus] of their votes. A provider
// that is slow, fails or panics delays no other one.
//
// It knows providers only by their interface, and nothing of HTTP requests, storage or the
// cloud. Every goroutine that it starts has ended when it returns, except that of a
// provider that ignores its context.
package orchestrator
