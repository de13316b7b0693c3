// Package tracing shows in AWS X-Ray what a run on Lambda spent its time on: one
// subsegment for every attempt to ask a provider, one for the vote and one for
// each AWS call.
//
// It is the only package that knows the X-Ray SDK. It must not know keys, prompts
// or answers: a subsegment holds names, numbers and kinds of failure, never the
// text of a provider's error.
//
// Invariants:
//   - Outside Lambda, without a daemon, and for a request that is not sampled,
//     nothing is allocated, sent or written. New gives a nil *Tracer where it is
//     off; all its methods work on nil.
//   - What is begun hangs directly below the invocation. The SDK sends such a
//     subsegment as soon as it is closed, so one that is never closed costs itself
//     and nothing else; below an open parent it would cost everything.
//   - Tracing never fails a run: no error, no panic, no waiting for the daemon.
//   - The SDK writes nothing to standard output, and starts no goroutine.
//
// The invocation is found by the trace header that the Lambda runtime puts into
// the context. Whatever is to be traced must get a context that descends from the
// handler's; context.WithoutCancel keeps it.
package tracing
