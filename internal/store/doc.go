// Package store defines what a store keeps and what it must be able to do. It keeps
// results, which are found by id, series and day; counters by the hour; and short-lived
// records by which several processes coordinate.
//
// The implementations are sub-packages. Package storetest has the tests that all of them
// pass, which are the contract in full detail. Package store does not know how a result
// was made.
package store
