// Package storetest is the suite that every store passes: Run holds a
// store.Store against its contract.
//
// It assumes nothing that the contract does not say. A list, the latest of a
// series and the counters may lag behind a write, so the suite asks for them
// again for some seconds before it fails; a result by its id, claims and sums
// may not. Times in samples are of the precision that is kept: milliseconds, and
// seconds where something expires.
package storetest
