package store

// The keys by which results are found.

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Simulated results have keys of their own, so that no list mixes them with real ones.
const (
	simulatedPrefix = "simulated#"
	realPrefix      = "real#"
)

// SeriesKey gives the key of all results of a pair and timeframe, such as BTC/USDT#5m. A
// pair may be any text. If the pair of a real result begins with one of the prefixes, its
// key begins with "real#", so that it can't be the key of a simulated series.
func SeriesKey(pair, timeframe string, simulated bool) string {
	key := pair + "#" + timeframe
	switch {
	case simulated:
		return simulatedPrefix + key
	case strings.HasPrefix(key, simulatedPrefix), strings.HasPrefix(key, realPrefix):
		return realPrefix + key
	}
	return key
}

// DayKey gives the key of all results of a UTC day, such as 2026-11-23.
func DayKey(at time.Time, simulated bool) string {
	return prefixed(at.UTC().Format(time.DateOnly), simulated)
}

func prefixed(key string, simulated bool) string {
	if simulated {
		return simulatedPrefix + key
	}
	return key
}

// PositionKey orders the results of a series by candle, and then by id. So a late answer
// about an old candle is never the latest.
func PositionKey(candle time.Time, id string) string {
	return candle.UTC().Format(time.RFC3339) + "#" + id
}

// IsPosition reports whether a cursor has the form of a position.
func IsPosition(cursor string) bool {
	candle, id, found := strings.Cut(cursor, "#")
	if !found || !IsID(id) {
		return false
	}
	at, err := time.Parse(time.RFC3339, candle)
	return err == nil && at.UTC().Format(time.RFC3339) == candle
}

// IDOf gives the id in a position. An id gives itself.
func IDOf(order string) string { return order[strings.LastIndexByte(order, '#')+1:] }

// IsID reports whether a text is the id of a result: a UUIDv7 in lower case.
func IsID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.Version() == 7 && id.String() == text
}

// MadeAt gives the time when an id was made, to the millisecond. It is zero for a text
// that is not an id.
func MadeAt(id string) time.Time {
	if !IsID(id) {
		return time.Time{}
	}
	seconds, nanoseconds := uuid.MustParse(id).Time().UnixTime()
	return time.Unix(seconds, nanoseconds).UTC()
}
