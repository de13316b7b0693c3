// Package store says what is kept, and what a store must be able to do: results
// that are read back by id, series and day, counters by the hour, and short-lived
// records that several processes agree by.
//
// The implementations are sub-packages; package storetest is the suite that all
// of them pass, and the contract in its finest print. Nothing here knows how a
// result came about.
package store
