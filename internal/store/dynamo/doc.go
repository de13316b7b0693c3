// Package dynamo keeps everything in three DynamoDB tables: results, counters by
// the hour, and coordination records, for any number of processes at a time.
//
// Nothing is cached and nothing runs in the background: each operation is its
// requests, all within its context. What a table must look like, package
// dynamotest shows by making it. The rights that are needed are GetItem,
// BatchGetItem and Query (on the indexes too) for reading, PutItem and UpdateItem
// for writing; nothing is ever scanned or deleted, which is left to the tables'
// time to live.
//
// A result by its id, claims and sums are read as they stand. Lists and the
// latest result go through an index, and counters through an eventually
// consistent read: they lag behind a write by milliseconds.
//
// A series is ordered and selected by candle, so that a range costs what lies in it,
// however long the series. Older versions wrote items with an id that begins with
// "stray#" into the table of results; they are in no list and expire.
//
// A request whose answer is lost is sent again, by the rules of the client
// (Retrying). All writes but one can be repeated: a claim and a sum remember the
// call that wrote them last. The counters of an hour do not: a lost answer may
// count a run twice there. The results are the truth.
//
// What expires does so at a whole second, not before the time that was asked for
// and less than a second after it.
package dynamo
