package signal

// A Timeframe is the length of one candle, and the grid that candles lie on.

import (
	"fmt"
	"strings"
	"time"

	"thalas/internal/strictjson"
)

// Timeframe is one of the names in Timeframes. The zero Timeframe is none.
type Timeframe string

// DefaultTimeframe is used where a request names none.
const DefaultTimeframe Timeframe = "5m"

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var timeframes = []struct {
	name   Timeframe
	length time.Duration
}{
	{"1m", time.Minute}, {"3m", 3 * time.Minute}, {"5m", 5 * time.Minute}, {"15m", 15 * time.Minute}, {"30m", 30 * time.Minute},
	{"1h", time.Hour}, {"2h", 2 * time.Hour}, {"4h", 4 * time.Hour}, {"6h", 6 * time.Hour}, {"8h", 8 * time.Hour}, {"12h", 12 * time.Hour},
	{"1d", day}, {"3d", 3 * day}, {"1w", week},
}

// Timeframes lists every timeframe, shortest first.
func Timeframes() []Timeframe {
	names := make([]Timeframe, len(timeframes))
	for i, t := range timeframes {
		names[i] = t.name
	}
	return names
}

// ParseTimeframe reads a timeframe such as 5m or 1d. Case matters, because
// elsewhere 1M is a month; a known name in another case is refused with a hint.
func ParseTimeframe(text string) (Timeframe, error) {
	known := make([]string, len(timeframes))
	for i, t := range timeframes {
		if string(t.name) == text {
			return t.name, nil
		}
		known[i] = string(t.name)
	}
	list := strings.Join(known, " ")
	for _, t := range timeframes {
		if strings.EqualFold(string(t.name), strings.TrimSpace(text)) {
			return "", fmt.Errorf("timeframe %q is not known: case and spaces matter, did you mean %q? Known are %s", strictjson.Cut(text, 40), t.name, list)
		}
	}
	return "", fmt.Errorf("timeframe %q is not known: known are %s", strictjson.Cut(text, 40), list)
}

// TimeframeOf gives the timeframe of that length, if there is one.
func TimeframeOf(length time.Duration) (Timeframe, bool) {
	for _, t := range timeframes {
		if t.length == length {
			return t.name, true
		}
	}
	return "", false
}

// Duration is the length of a candle; 0 for a name that is not in Timeframes.
func (f Timeframe) Duration() time.Duration {
	for _, t := range timeframes {
		if t.name == f {
			return t.length
		}
	}
	return 0
}

// Open gives the open time of the candle that at lies in. Candles count from
// the Unix epoch in UTC; weeks begin on Monday.
func (f Timeframe) Open(at time.Time) time.Time {
	length := f.Duration()
	if length == 0 {
		return time.Time{}
	}
	var origin int64
	if length == week {
		origin = int64(4 * day / time.Second) // 1970-01-05, the first Monday
	}
	seconds, step := at.Unix()-origin, int64(length/time.Second)
	offset := seconds % step
	if offset < 0 {
		offset += step
	}
	return time.Unix(at.Unix()-offset, 0).UTC()
}

// LastClosed gives the open time of the newest candle that has closed by at.
func (f Timeframe) LastClosed(at time.Time) time.Time {
	return f.Open(at).Add(-f.Duration())
}

// UnmarshalText reads a timeframe by ParseTimeframe.
func (f *Timeframe) UnmarshalText(text []byte) error {
	parsed, err := ParseTimeframe(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}
