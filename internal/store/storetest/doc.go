// Package storetest has the tests that every store must pass: [Run] tests a
// [store.Store] against its contract.
//
// The tests assume nothing that the contract does not say. Lists, the latest result and
// counters may lag behind a write, so a test reads them again for some seconds before it
// fails. Results by id, claims and sums may not lag. The times of samples have the
// precision that stores keep: milliseconds, and seconds for an expiry.
package storetest
