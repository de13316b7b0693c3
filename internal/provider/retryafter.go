package provider

// How long a provider asks to be left alone, in the forms that occur.

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds a wait. A provider that says more is tried again after it:
// limits are raised and accounts paid before their time.
const maxRetryAfter = 15 * time.Minute

// From these numbers of seconds on, a wait is a time since 1970: in seconds, or in
// milliseconds, as some gateways write it.
const (
	firstEpoch         = 1e9
	firstEpochInMillis = 1e12
)

// ParseRetryAfter reads Retry-After-Ms (milliseconds) or, without a usable one,
// Retry-After (seconds, also with a fraction; an HTTP date; or, above 10^9, a time
// in seconds since 1970), both held against now. It gives 0…15 min; 0 where there
// is none, or none that can be read.
func ParseRetryAfter(header http.Header, now time.Time) time.Duration {
	if wait := parseWaitFrom(header.Get("Retry-After-Ms"), time.Millisecond, now); wait > 0 {
		return wait
	}
	text := header.Get("Retry-After")
	if wait := parseWaitFrom(text, time.Second, now); wait > 0 {
		return wait
	}
	if at, err := http.ParseTime(strings.TrimSpace(text)); err == nil {
		return boundWait(at.Sub(now))
	}
	return 0
}

// ParseRetryDelay reads a duration as protocol buffers write it in JSON, such as
// 17.5s. It gives 0…15 min; 0 for text that is none.
func ParseRetryDelay(text string) time.Duration {
	seconds, isDuration := strings.CutSuffix(strings.TrimSpace(text), "s")
	if !isDuration {
		return 0
	}
	return parseWait(seconds, time.Second)
}

// parseWaitFrom reads a decimal number of units, which is a time since 1970 where
// it is as large as one.
func parseWaitFrom(text string, unit time.Duration, now time.Time) time.Duration {
	seconds, err := parseDecimal(strings.TrimSpace(text))
	if seconds *= unit.Seconds(); err != nil || seconds <= firstEpoch {
		return parseWait(text, unit)
	}
	if seconds >= firstEpochInMillis {
		seconds /= 1000
	}
	left := seconds - float64(now.UnixMilli())/1000
	return boundWait(time.Duration(min(left, maxRetryAfter.Seconds()) * float64(time.Second)))
}

// parseWait reads a decimal number of units.
func parseWait(text string, unit time.Duration) time.Duration {
	n, err := parseDecimal(strings.TrimSpace(text))
	if err != nil || n <= 0 {
		return 0
	}
	if n >= float64(maxRetryAfter/unit) {
		return maxRetryAfter
	}
	return boundWait(time.Duration(n * float64(unit)))
}

func boundWait(wait time.Duration) time.Duration { return min(max(wait, 0), maxRetryAfter) }

// parseDecimal reads a finite number in plain or exponent notation. Unlike
// strconv it knows no hexadecimal, no underscores, no infinity and no NaN.
func parseDecimal(text string) (float64, error) {
	if strings.Trim(text, "0123456789+-.eE") != "" || strings.ContainsAny(text, "xXpP_iInN") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}
