// Package orchestrator runs one question: it asks every available provider at
// the same time, inside one deadline, and makes one Consensus of the answers
// that came. A provider that is slow, fails or panics costs the others nothing.
//
// It knows providers only by their interface and nothing of HTTP requests,
// storage or the cloud. Every goroutine that it starts has ended when it returns,
// but for a provider's that ignores its context.
package orchestrator
