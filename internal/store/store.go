// Package store defines what a store holds and what it must be able to do. It holds
// results, which are found by id, series and day, with their outcomes and what those add
// up to; counters by the hour; and short-lived
// records by which several processes coordinate.
//
// The implementations are sub-packages. Package storetest has the tests that all of them
// pass, which are the contract in full detail. Package store does not know how a result
// was made.
package store

import (
	"context"
	"errors"
	"time"
)

// Errors of every store, for errors.Is.
var (
	// ErrNotFound means that there is no such record, or that it has expired.
	ErrNotFound = errors.New("not found")
	// ErrLimit means that a Reserve would exceed its limit. Nothing was reserved.
	ErrLimit = errors.New("over the limit")
	// ErrHeld means that another owner has claimed the key. Nothing was changed.
	ErrHeld = errors.New("held by another claim")
	// ErrNotOwner means that the claim is not held by that owner, or not any more.
	ErrNotOwner = errors.New("not the owner")
	// ErrDamaged means that the stored data can't be read or trusted until a person
	// repairs it. Trying again does not help.
	ErrDamaged = errors.New("the store is damaged")
	// ErrCursor means that a cursor is not of this kind of list.
	ErrCursor = errors.New("not a cursor of this list")
)

// Store holds everything that the service stores. Implementations are safe for
// concurrent use. Reads never give a record after its ExpiresAt, whether or not it has
// been removed by then.
type Store interface {
	Results
	Outcomes
	Counters
	Coordination

	// Close waits for the writes that are under way, and closes the store.
	Close() error
}

// Results are stored consensuses.
type Results interface {
	// Record stores a result and counts its run. When it returns, both are durable and
	// Result finds the result. If result is nil, Record only counts. A result with an id
	// that is stored already replaces it.
	Record(ctx context.Context, result *Result, count Count) error

	// Add stores the results whose ids are not stored yet, and says how many it stored.
	// It counts no run. After an error some of them may have been stored: calling Add
	// with all of them again stores the others.
	Add(ctx context.Context, results []*Result) (added int, err error)

	// Result gives the result of an id, or ErrNotFound.
	Result(ctx context.Context, id string) (Result, error)

	// Market gives the Market that a result was written with, which no other method gives,
	// or nil if it has none. It gives ErrNotFound as Result does.
	Market(ctx context.Context, id string) ([]byte, error)

	// Latest gives the result with the highest position of a series, or ErrNotFound.
	// It leaves out results whose candle or CreatedAt is more than MaxAhead in the
	// future: they were made by a wrong clock, and would hide the results after them.
	Latest(ctx context.Context, series string) (Result, error)

	// Series lists a series by position, the highest first.
	Series(ctx context.Context, series string, r Range) (Page, error)

	// Day lists a day by id, the newest first.
	Day(ctx context.Context, day string, r Range) (Page, error)
}

// MaxAhead is how much the clocks of two machines may differ.
const MaxAhead = time.Minute

// Result is one stored consensus. As JSON, which package bolt stores, it is without its id
// and without what is stored beside it.
type Result struct {
	ID        string    `json:"-"`                   // UUIDv7
	Schema    int       `json:"schema"`              // version of Body, now 1; readers accept older versions
	Series    string    `json:"series"`              // made by SeriesKey
	Position  string    `json:"position"`            // made by PositionKey: the order within the series
	Day       string    `json:"day"`                 // made by DayKey
	Decision  string    `json:"decision"`            // BUY, SELL or HOLD
	Status    string    `json:"status"`              // complete or degraded
	CreatedAt time.Time `json:"created_at"`          // the consensus' timestamp
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	Body      []byte    `json:"-"`                   // the JSON that was answered, byte for byte
	Imported  bool      `json:"imported,omitempty"`  // it was exported elsewhere, and stored here by Add

	// When a result is written, either Unsettled puts it on the list of those without a
	// final outcome, or Settlement stores its final outcome with it. Both are nil when it
	// is read, and may be nil for a result that is on no list.
	Unsettled  *Unsettled  `json:"-"`
	Settlement *Settlement `json:"-"`
	// Outcome is the JSON of what became of a result that was read: final, or what the last
	// try to settle it found. It is nil if nothing is known yet.
	Outcome []byte `json:"-"`
	// Market is what the models saw of the market, in gzip. It is nil when a result is read:
	// see Results.Market. A store leaves it out beside a body that fills its record.
	Market []byte `json:"-"`
}

// Page is a part of a list.
type Page struct {
	Results []Result
	Next    string // the cursor of the next page; empty: this is the last one
}

// Counters are sums by the hour.
type Counters interface {
	// Hours gives the counters of each hour from the first day to the end of the last
	// day, the oldest first. Hours without counters are left out.
	Hours(ctx context.Context, firstDay, lastDay string) ([]Hour, error)
}

// Count is what one run adds to the counters of its hour.
type Count struct {
	At        time.Time         // when the run ended; its hour in UTC is counted in
	Add       map[string]int64  // counter → increment
	Set       map[string]string // text → newest value
	ExpiresAt time.Time         // when the hour's counters expire; zero: never
}

// Hour is the counters of one hour.
type Hour struct {
	Day    string // 2026-11-23
	Hour   string // 05, in UTC
	Counts map[string]int64
	Texts  map[string]string
}

// Coordination is how processes that share a store coordinate. Every write is
// conditional and atomic.
type Coordination interface {
	// Claim takes a key that is free: never claimed, expired, released, or in progress
	// past its Until. In the last case it gives the claim that it replaced: that one's
	// owner may have stored a result without completing the claim. If the key is not
	// free, nothing is changed, and Claim gives ErrHeld and the claim that holds the key.
	// A store that knows that an owner's process has ended need not wait for Until.
	Claim(ctx context.Context, key string, claim Claim) (old *Claim, err error)

	// Complete writes the result into the owner's claim, which then holds the key until
	// it expires. It gives ErrNotOwner if another owner has taken the key.
	Complete(ctx context.Context, key, owner, result string) error

	// Release frees the key of the owner's claim. It gives ErrNotOwner as Complete does.
	Release(ctx context.Context, key, owner string) error

	// Reserve takes a lease on a part of a key's limit. If the sum of what is spent and
	// reserved would exceed the limit, it reserves nothing and gives ErrLimit. A limit of
	// 0 is none. It gives the key's sum after the call, with ErrLimit too.
	Reserve(ctx context.Context, lease Lease, limit int64) (Sum, error)

	// Settle ends a lease and adds its cost to what is spent, even over the limit. If the
	// lease has ended by itself, or was never taken, Settle only adds the cost.
	Settle(ctx context.Context, lease Lease, cost int64) error

	// Spending gives the sum of a key. An unknown key has the zero Sum.
	Spending(ctx context.Context, key string) (Sum, error)
}

// Lease is a part of a key's limit, held until it is settled or ends by itself. Amounts
// and costs are 0 or more.
type Lease struct {
	Key       string
	Amount    int64
	Until     time.Time // when it ends by itself, to the second; leases with the same end are stored as one
	ExpiresAt time.Time // when the sum of the key expires
}

// Sum is the used part of a key's limit.
type Sum struct {
	Spent    int64 // the costs of all settled leases
	Reserved int64 // the amounts of the leases that have not ended
}

// Claim is an owner's hold on a key.
type Claim struct {
	Owner     string    `json:"owner"`               // a token that no other claim has
	Payload   string    `json:"payload,omitempty"`   // a hash of what the key stands for
	Until     time.Time `json:"until,omitzero"`      // from when on others may take a claim in progress, to the millisecond
	ExpiresAt time.Time `json:"expires_at,omitzero"` // when the claim expires
	Result    string    `json:"result,omitempty"`    // the id of the result; empty: the claim is in progress
}
