package store

// Which part of a list is read: bounds of its order, and of the time when results
// were made.

import (
	"fmt"
	"math"
	"time"
)

// Range selects a part of a list. A series is selected by candle time and a day by
// CreatedAt, both to the millisecond.
type Range struct {
	From   time.Time // at or after it; zero: no bound
	To     time.Time // before it; zero: no bound
	Before string    // the cursor Next of the page before; empty: from the start
	Limit  int       // at most that many results, above 0
}

// Validate refuses a range without a limit, and with [ErrCursor] a cursor that is not
// of the list's kind: isCursor is [IsPosition] for a series and [IsID] for a day.
func (r Range) Validate(isCursor func(string) bool) error {
	if r.Limit < 1 {
		return fmt.Errorf("a limit of %d: it must be above 0", r.Limit)
	}
	if r.Before != "" && !isCursor(r.Before) {
		return ErrCursor
	}
	return nil
}

// Bounds are a [Range] as a store reads it.
type Bounds struct {
	Least string // the lowest position or id that may belong to the part; empty: no bound
	Above string // every position or id of the part is below it

	createdFrom, createdTo int64 // milliseconds since 1970: createdFrom ≤ CreatedAt < createdTo
}

// HoldsCreated reports whether a result that was made then, in milliseconds since
// 1970, belongs to the part.
func (b Bounds) HoldsCreated(milliseconds int64) bool {
	return b.createdFrom <= milliseconds && milliseconds < b.createdTo
}

// OfSeries gives the bounds of a range in a series.
func (r Range) OfSeries() Bounds {
	b := r.fromCursor()
	if !r.From.IsZero() {
		b.Least = PositionsFrom(r.From.UnixMilli())
	}
	if !r.To.IsZero() {
		b.Above = min(b.Above, PositionsFrom(r.To.UnixMilli()))
	}
	return b
}

// OfDay gives the bounds of a range in a day.
func (r Range) OfDay() Bounds {
	b := r.fromCursor()
	if !r.From.IsZero() {
		b.createdFrom = r.From.UnixMilli()
	}
	if !r.To.IsZero() {
		b.createdTo = r.To.UnixMilli()
	}
	return b
}

// fromCursor gives the bounds of all results behind the cursor.
func (r Range) fromCursor() Bounds {
	b := Bounds{Above: r.Before, createdFrom: math.MinInt64, createdTo: math.MaxInt64}
	if r.Before == "" {
		b.Above = AboveAll
	}
	return b
}

// OfLatest gives the bounds of what [Results.Latest] chooses from: neither the candle
// nor CreatedAt is more than [MaxAhead] in the future.
func OfLatest(now time.Time) Bounds {
	ahead := now.Add(MaxAhead + time.Millisecond).UnixMilli() // the first millisecond that is too late
	return Bounds{Above: PositionsFrom(ahead), createdFrom: math.MinInt64, createdTo: ahead}
}

// AboveAll is a bound above every position and every id.
const AboveAll = "~"

// PositionsFrom gives the lower bound of the positions of candles that open at that time,
// in milliseconds since 1970, or later. The bound itself is not a position.
func PositionsFrom(milliseconds int64) string {
	at := time.UnixMilli(milliseconds + 999).UTC().Truncate(time.Second)
	switch year := at.Year(); {
	case year < 0:
		return ""
	case year > 9999:
		return AboveAll
	}
	return at.Format(time.RFC3339)
}

// IDsFrom gives the lower bound of the ids that were made at that time, in milliseconds
// since 1970, or later. The bound itself is not an id.
func IDsFrom(milliseconds int64) string {
	switch {
	case milliseconds < 0:
		return ""
	case milliseconds >= 1<<48:
		return AboveAll
	}
	digits := fmt.Sprintf("%012x", milliseconds)
	return digits[:8] + "-" + digits[8:]
}
