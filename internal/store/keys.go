package store

// The keys that results are found by.

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Simulated results are kept under keys of their own, so that they never mix
// with real ones.
const (
	simulatedPrefix = "simulated#"
	realPrefix      = "real#"
)

// SeriesKey is the key of all results of a pair and timeframe: BTC/USDT#5m.
// A pair may be any text: a real one that begins like the key of another kind is
// set apart from it by "real#".
func SeriesKey(pair, timeframe string, simulated bool) string {
	key := pair + "#" + timeframe
	if !simulated && (strings.HasPrefix(key, simulatedPrefix) || strings.HasPrefix(key, realPrefix)) {
		return realPrefix + key
	}
	return prefix(simulated) + key
}

// DayKey is the key of all results of a UTC day: 2026-11-23.
func DayKey(at time.Time, simulated bool) string {
	return prefix(simulated) + at.UTC().Format(time.DateOnly)
}

func prefix(simulated bool) string {
	if simulated {
		return simulatedPrefix
	}
	return ""
}

// PositionKey orders the results of a series: by candle, then by id, so that a
// late answer about an old candle is never the latest.
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

// IsID reports whether text is an id in the one form that is given out.
func IsID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.Version() == 7 && id.String() == text
}

// MadeAt is when an id was made, to the millisecond. Zero for what is no id.
func MadeAt(id string) time.Time {
	if !IsID(id) {
		return time.Time{}
	}
	parsed := uuid.MustParse(id)
	seconds, nanoseconds := parsed.Time().UnixTime()
	return time.Unix(seconds, nanoseconds).UTC()
}
