package store

// The interfaces.

import (
	"context"
	"errors"
	"time"
)

// Errors of every store, for errors.Is.
var (
	// ErrNotFound: there is no such record, or it has expired.
	ErrNotFound = errors.New("not found")
	// ErrLimit: a Reserve would pass its limit; nothing was reserved.
	ErrLimit = errors.New("over the limit")
	// ErrHeld: somebody else has the claim on a key; nothing was changed.
	ErrHeld = errors.New("held by another claim")
	// ErrNotOwner: a claim is not, or no longer, held by that owner.
	ErrNotOwner = errors.New("not the owner")
	// ErrDamaged: what is kept can't be read, or not be relied on, until somebody mends
	// it. Trying again does not help.
	ErrDamaged = errors.New("the store is damaged")
	// ErrCursor: a cursor is not one that this kind of list gives.
	ErrCursor = errors.New("not a cursor of this list")
)

// Store is everything that the service keeps. Implementations are safe for
// concurrent use. Reads never give a record whose ExpiresAt has passed, whether
// or not it has been removed yet.
type Store interface {
	Results
	Counters
	Coordination

	// Close writes what is under way and ends the store.
	Close() error
}

// Results are stored consensuses.
type Results interface {
	// Record keeps a result and counts its run. It returns when both are durable,
	// and then Result finds it. A nil result only counts. Recording an id again
	// replaces it.
	Record(ctx context.Context, result *Result, count Count) error

	// Add keeps those of the results whose ids are not taken, and says how many they
	// were. No run is counted. After an error some may have been kept: adding all of
	// them again keeps the others.
	Add(ctx context.Context, results []*Result) (added int, err error)

	// Result gives the result of that id, or ErrNotFound.
	Result(ctx context.Context, id string) (Result, error)

	// Latest gives the result with the highest position of a series, or ErrNotFound.
	// A result whose candle or CreatedAt lies more than MaxAhead in the future is left
	// out: the clock that made it was wrong, and it must not hide what is made after it.
	Latest(ctx context.Context, series string) (Result, error)

	// Series lists a series by position, highest first.
	Series(ctx context.Context, series string, r Range) (Page, error)

	// Day lists a day by id, newest first.
	Day(ctx context.Context, day string, r Range) (Page, error)
}

// MaxAhead is how far the clocks of two machines may be apart.
const MaxAhead = time.Minute

// Result is one stored consensus.
type Result struct {
	ID        string    // UUIDv7
	Schema    int       // form of Body, 1; readers take older ones too
	Series    string    // of SeriesKey
	Position  string    // of PositionKey: the order within the series
	Day       string    // of DayKey
	Decision  string    // BUY, SELL or HOLD
	Status    string    // complete or degraded
	CreatedAt time.Time // the consensus' timestamp
	ExpiresAt time.Time // zero: never
	Body      []byte    // the JSON that was answered, byte for byte
}

// Page is a part of a list.
type Page struct {
	Results []Result
	Next    string // the cursor of what follows; empty: nothing does
}

// Counters are sums by the hour.
type Counters interface {
	// Hours gives the counters of the hours from the first to the last day, both
	// included, oldest first. Hours without a count are left out.
	Hours(ctx context.Context, firstDay, lastDay string) ([]Hour, error)
}

// Count is what one run adds to the counters of its hour.
type Count struct {
	At        time.Time         // when the run ended: selects the hour, in UTC
	Add       map[string]int64  // counter → increment
	Set       map[string]string // text → newest value
	ExpiresAt time.Time         // of the hour's counters; zero: never
}

// Hour is the counters of one hour.
type Hour struct {
	Day    string // 2026-11-23
	Hour   string // 05, in UTC
	Counts map[string]int64
	Texts  map[string]string
}

// Coordination is how processes that share a store agree. Every write has a
// condition and happens at once or not at all.
type Coordination interface {
	// Claim takes a key that is free: never claimed, expired, released, or in progress
	// past its Until. In the last case it gives the claim that it took the place of, whose
	// owner may have come further than it could say. ErrHeld, with the claim that holds the
	// key, where it is not free: then nothing is changed. A store that knows that an owner's
	// process is gone need not wait for Until.
	Claim(ctx context.Context, key string, claim Claim) (old *Claim, err error)

	// Complete turns the owner's claim into one with a result, which holds the key
	// until it expires. ErrNotOwner where somebody else has taken it since.
	Complete(ctx context.Context, key, owner, result string) error

	// Release frees the owner's claim. ErrNotOwner as for Complete.
	Release(ctx context.Context, key, owner string) error

	// Reserve takes a lease on a part of what a key has left. ErrLimit where what is spent
	// and reserved then were over limit: nothing is reserved. A limit of 0 is none. It gives
	// the sum as it stands afterwards, with ErrLimit too.
	Reserve(ctx context.Context, lease Lease, limit int64) (Sum, error)

	// Settle ends a lease and adds its cost to what is spent, whatever the limit. A lease
	// that has ended by itself, or that was never taken, only adds the cost.
	Settle(ctx context.Context, lease Lease, cost int64) error

	// Spending gives the sum of a key, which is nothing where there is none.
	Spending(ctx context.Context, key string) (Sum, error)
}

// Lease is a part of a key's limit that is held until it is settled, or until it ends.
// Amounts and costs are not below 0.
type Lease struct {
	Key       string
	Amount    int64
	Until     time.Time // when it ends by itself, to the second; leases that end together are kept as one
	ExpiresAt time.Time // when the sum of the key is forgotten
}

// Sum is what is gone of a key's limit.
type Sum struct {
	Spent    int64 // the costs of all leases that were settled
	Reserved int64 // the amounts of those that have not ended
}

// Claim is the hold on a key.
type Claim struct {
	Owner     string    // a token that nobody else has
	Payload   string    // a hash of what the key stands for
	Until     time.Time // when a claim in progress is up for others, to the millisecond
	ExpiresAt time.Time // when it is forgotten
	Result    string    // the result's id once completed; empty: in progress
}
