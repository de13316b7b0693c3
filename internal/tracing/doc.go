// Package tracing shows in AWS X-Ray how a run on Lambda spent its time. It makes one
// subsegment for each attempt to ask a provider, one for the vote, and one for each AWS
// call.
//
// It is the only package that knows the X-Ray SDK. It must not know keys, prompts or
// answers: a subsegment has names, numbers and kinds of failure, and never the text of a
// provider's error.
//
// Invariants:
//   - Outside Lambda, without a daemon, and for a request that is not sampled, nothing is
//     allocated, sent or written. [New] gives a nil *Tracer if tracing is off, and all
//     methods work on nil.
//   - Every subsegment is a direct child of the invocation. The SDK sends such a
//     subsegment when it is closed. So a subsegment that is never closed is lost alone;
//     below another one it would keep the whole tree from being sent.
//   - Tracing never fails a run: no error, no panic, no waiting for the daemon.
//   - The SDK writes nothing to standard output, and starts no goroutine.
//
// The invocation is found by the trace header that the Lambda runtime puts into the
// context. So a traced call needs a context that is derived from the handler's;
// context.WithoutCancel keeps the header.
package tracing
