// Package dynamo is a store in three DynamoDB tables, for any number of processes: one
// table for results with their outcomes, one for counters by the hour, sums of outcomes and
// the list of unsettled results, one for coordination records.
//
// It caches nothing and does nothing in the background: an operation ends with its last
// request, within its context. Package dynamotest shows how the tables must be created.
// Reading needs the rights GetItem, BatchGetItem and Query, on the indexes too; writing
// needs PutItem and UpdateItem, and settling DeleteItem in the table of counters.
// Transactions need no right of their own. Nothing is scanned, and nothing else is
// deleted: the time to live of the tables removes expired items.
//
// Results by id, the list of unsettled results, claims and what is spent are read
// consistently. Lists of results, the latest result, counters and the sums of outcomes are
// read eventually consistently, and lag behind a write by milliseconds.
//
// A series is ordered and selected by candle, so that a range costs what lies in it,
// however long the series. Older versions wrote items with an id that begins with
// "stray#" into the table of results; they are in no list and expire.
//
// The client sends a request again if its answer is lost ([Retrying]). All writes but
// those of counters can be repeated: claims and what is spent have a token of the call that
// wrote last, and what is added to the sums of outcomes is part of a transaction. The
// counters may count a run twice: after a lost answer, and if it is recorded again because
// its result could not be stored. All else is exact.
//
// Records expire at whole seconds: at the ExpiresAt that was asked for, or less than a
// second after it.
package dynamo
