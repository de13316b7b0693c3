// Package endpoint has what is the same for every foreign HTTP service that this program
// calls, a model provider or a venue: the notation of its base URL, the wait that it asks
// for, and the pages that proxies send in its place.
//
// It makes no request, and it knows neither keys nor what the services answer.
package endpoint

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ParseBase reads the base URL of a service: http or https, a host, and a path or none.
// Errors quote no part of it, since a user or a query may hold a secret. Their text follows
// the name of the variable that holds the URL.
func ParseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Opaque != "", u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("is not an address: give an absolute http or https URL such as https://host or https://host/path")
	case u.User != nil:
		return nil, errors.New("holds a user name: remove what stands before the @")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("holds a query: remove what follows the ?")
	case u.Fragment != "":
		return nil, errors.New("holds a fragment: remove what follows the #")
	}
	return u, nil
}

// Base writes a URL of [ParseBase] such that the path of a request can be appended: without
// a slash at its end, and without the version segment (such as /v1), which is part of the
// paths of requests. An empty version is none.
func Base(u *url.URL, version string) string {
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, version), "/")
	return u.Scheme + "://" + u.Host + path
}

// IsHTML reports whether a body is a page, as proxies and firewalls send them.
func IsHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// A wait of so many seconds or more is a time since 1970: in seconds, or in milliseconds, as
// some gateways write it.
const (
	firstEpoch         = 1e9
	firstEpochInMillis = 1e12
)

// RetryAfter reads Retry-After-Ms (milliseconds) or, without a usable one, Retry-After:
// seconds, also with a fraction; an HTTP date; or, above 10⁹, a time in seconds or
// milliseconds since 1970. It gives 0 to most; 0 if there is no wait that can be read.
func RetryAfter(header http.Header, now time.Time, most time.Duration) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	wait := waitOrTime(header.Get("Retry-After-Ms"), time.Millisecond, now, most)
	if wait == 0 {
		wait = waitOrTime(text, time.Second, now, most)
	}
	if at, err := http.ParseTime(text); err == nil && wait == 0 {
		wait = min(max(at.Sub(now), 0), most)
	}
	return wait
}

// waitOrTime is [ParseWait], but a number as large as a time since 1970 is one.
func waitOrTime(text string, unit time.Duration, now time.Time, most time.Duration) time.Duration {
	seconds, err := ParseDecimal(strings.TrimSpace(text))
	if seconds *= unit.Seconds(); err != nil || seconds <= firstEpoch {
		return ParseWait(text, unit, most)
	}
	if seconds >= firstEpochInMillis {
		seconds /= 1000
	}
	left := seconds - float64(now.UnixMilli())/1000
	return time.Duration(min(max(left, 0), most.Seconds()) * float64(time.Second))
}

// ParseWait reads a decimal number of units. It gives 0 to most; 0 for text that is not a
// number.
func ParseWait(text string, unit, most time.Duration) time.Duration {
	n, err := ParseDecimal(strings.TrimSpace(text))
	if err != nil || n <= 0 {
		return 0
	}
	if n >= float64(most/unit) {
		return most
	}
	return time.Duration(n * float64(unit))
}

// ParseDecimal reads a finite number in plain or exponent notation. Unlike
// [strconv.ParseFloat] it refuses hexadecimal digits, underscores, infinity and NaN.
func ParseDecimal(text string) (float64, error) {
	if strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune("0123456789+-.eE", c) }) {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}
