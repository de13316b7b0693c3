package signal

// Timeframes: the lengths of candles, the grid on which candles open, and whether candles
// can be of a timeframe.

import (
	"fmt"
	"strings"
	"time"

	"thalas/internal/strictjson"
)

// Timeframe is one of the names that [Timeframes] lists. The zero Timeframe is none of them.
type Timeframe string

// DefaultTimeframe is the timeframe of a request that names none.
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

// ParseTimeframe reads a timeframe such as 5m or 1d. Case matters, because elsewhere 1M
// is a month. The error suggests a timeframe that differs only in case or spaces.
func ParseTimeframe(text string) (Timeframe, error) {
	near := Timeframe("")
	for _, t := range timeframes {
		if string(t.name) == text {
			return t.name, nil
		}
		if strings.EqualFold(string(t.name), strings.TrimSpace(text)) {
			near = t.name
		}
	}
	text, known := strictjson.Cut(text, 40), strings.Trim(fmt.Sprint(Timeframes()), "[]")
	if near != "" {
		return "", fmt.Errorf("timeframe %q is not known: case and spaces matter, did you mean %q? Known are %s", text, near, known)
	}
	return "", fmt.Errorf("timeframe %q is not known: known are %s", text, known)
}

// TimeframeOf gives the timeframe of a length, if there is one.
func TimeframeOf(length time.Duration) (Timeframe, bool) {
	for _, t := range timeframes {
		if t.length == length {
			return t.name, true
		}
	}
	return "", false
}

// Duration is the length of a candle. It is 0 if f is not in [Timeframes].
func (f Timeframe) Duration() time.Duration {
	for _, t := range timeframes {
		if t.name == f {
			return t.length
		}
	}
	return 0
}

// Open gives the open time of the candle to which a time belongs. Candles are counted from
// the Unix epoch in UTC, and weeks begin on Monday.
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

// LastClosed gives the open time of the newest candle that has closed at a time.
func (f Timeframe) LastClosed(at time.Time) time.Time {
	return f.Open(at).Add(-f.Duration())
}

// UnmarshalText reads a timeframe by ParseTimeframe.
func (f *Timeframe) UnmarshalText(text []byte) error { return unmarshal(f, text, ParseTimeframe) }

// Spacing is the most frequent time between two neighbouring candles, and the shortest of
// several that are equally frequent. It is 0 for candles without times, and for fewer than
// two. Candles are oldest first.
func Spacing(candles []Candle) time.Duration {
	if len(candles) < 2 || candles[0].Time.IsZero() {
		return 0
	}
	counts := map[time.Duration]int{}
	var usual time.Duration
	for i := 1; i < len(candles); i++ {
		d := gap(candles, i)
		counts[d]++
		if n := counts[d] - counts[usual]; n > 0 || n == 0 && d < usual {
			usual = d
		}
	}
	return usual
}

func gap(candles []Candle, i int) time.Duration { return candles[i].Time.Sub(candles[i-1].Time) }

// Contradicted reports whether the candles can't be of the timeframe, and gives the time
// between them in words: 1h, or 7m0s if there is no such timeframe. Closed markets and
// times without a trade leave gaps. So candles that are further apart than the timeframe
// contradict it only if every gap is a multiple of the usual one.
func (f Timeframe) Contradicted(candles []Candle) (spacing string, contradicted bool) {
	length, fitting := f.Duration(), 0
	for i := 1; i < len(candles); i++ {
		if gap(candles, i) == length {
			fitting++
		}
	}
	if 2*fitting >= len(candles)-1 {
		return "", false
	}
	usual := Spacing(candles)
	if usual <= 0 || usual == length {
		return "", false
	}
	for i := 1; usual > length && i < len(candles); i++ {
		if len(candles) < 3 || gap(candles, i)%usual != 0 {
			return "", false
		}
	}
	if known, ok := TimeframeOf(usual); ok {
		return string(known), true
	}
	return usual.String(), true
}
