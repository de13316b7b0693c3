package endpoint

// How long a service asks to be left alone.

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// From these numbers of seconds on, a wait is a time since 1970: in seconds, or in
// milliseconds, as some gateways write it.
const (
	firstEpoch         = 1e9
	firstEpochInMillis = 1e12
)

// RetryAfter reads Retry-After-Ms (milliseconds) or, without a usable one,
// Retry-After (seconds, also with a fraction; an HTTP date; or, above 10^9, a time in
// seconds since 1970). Times are held against now. It gives 0 to most; 0 where there is
// no wait, or none that can be read.
func RetryAfter(header http.Header, now time.Time, most time.Duration) time.Duration {
	if wait := waitOrTime(header.Get("Retry-After-Ms"), time.Millisecond, now, most); wait > 0 {
		return wait
	}
	text := header.Get("Retry-After")
	if wait := waitOrTime(text, time.Second, now, most); wait > 0 {
		return wait
	}
	if at, err := http.ParseTime(strings.TrimSpace(text)); err == nil {
		return BoundWait(at.Sub(now), most)
	}
	return 0
}

// waitOrTime reads a decimal number of units, which is a time since 1970 where it is
// as large as one.
func waitOrTime(text string, unit time.Duration, now time.Time, most time.Duration) time.Duration {
	seconds, err := ParseDecimal(strings.TrimSpace(text))
	if seconds *= unit.Seconds(); err != nil || seconds <= firstEpoch {
		return ParseWait(text, unit, most)
	}
	if seconds >= firstEpochInMillis {
		seconds /= 1000
	}
	left := seconds - float64(now.UnixMilli())/1000
	return BoundWait(time.Duration(min(left, most.Seconds())*float64(time.Second)), most)
}

// ParseWait reads a decimal number of units. It gives 0 to most; 0 for text that is
// no number.
func ParseWait(text string, unit, most time.Duration) time.Duration {
	n, err := ParseDecimal(strings.TrimSpace(text))
	if err != nil || n <= 0 {
		return 0
	}
	if n >= float64(most/unit) {
		return most
	}
	return BoundWait(time.Duration(n*float64(unit)), most)
}

// BoundWait gives a wait of 0 to most.
func BoundWait(wait, most time.Duration) time.Duration { return min(max(wait, 0), most) }

// ParseDecimal reads a finite number in plain or exponent notation. Unlike
// strconv it knows no hexadecimal, no underscores, no infinity and no NaN.
func ParseDecimal(text string) (float64, error) {
	if strings.Trim(text, "0123456789+-.eE") != "" || strings.ContainsAny(text, "xXpP_iInN") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}
