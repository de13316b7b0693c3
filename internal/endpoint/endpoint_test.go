package endpoint

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBase(t *testing.T) {
	for _, tt := range []struct{ name, text, version, want, fails string }{
		{"bare", "https://api.kraken.com", "", "https://api.kraken.com", ""},
		{"slash", " https://host/ ", "", "https://host", ""},
		{"path", "https://host/kraken//", "", "https://host/kraken", ""},
		{"version", "https://host/v1/", "/v1", "https://host", ""},
		{"no version to cut", "https://host/v1", "", "https://host/v1", ""},
		{"escaped path", "https://host/a%2Fb", "", "https://host/a%2Fb", ""},
		{"no scheme", "www.okx.com", "", "", "is not an address"},
		{"another scheme", "ftp://host", "", "", "is not an address"},
		{"no host", "http://", "", "", "is not an address"},
		{"user", "https://planted-name@host", "", "", "user name"},
		{"query", "https://host/?planted=1", "", "", "query"},
		{"fragment", "https://host#planted", "", "", "fragment"},
	} {
		u, err := ParseBase(tt.text)
		switch {
		case tt.fails == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.fails == "":
			if got := Base(u, tt.version); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		case err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "planted"):
			t.Errorf("%s: error %v, want one that says %q and quotes nothing", tt.name, err, tt.fails)
		}
	}
}

func TestIsHTML(t *testing.T) {
	for body, want := range map[string]bool{"<html>": true, "\n <!DOCTYPE html>": true, "": false, "{}": false, "a <b>": false} {
		if IsHTML([]byte(body)) != want {
			t.Errorf("IsHTML(%q) = %v", body, !want)
		}
	}
}

const maxWait = 15 * time.Minute

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, ms, after string
		want            time.Duration
	}{
		{"none", "", "", 0},
		{"seconds", "", "17", 17 * time.Second},
		{"fraction", "", " 0.25 ", 250 * time.Millisecond},
		{"milliseconds first", "1500", "2", 1500 * time.Millisecond},
		{"fraction of a millisecond", "0.5", "", 500 * time.Microsecond},
		{"unusable milliseconds", "soon", "2", 2 * time.Second},
		{"zero milliseconds", "0", "2", 2 * time.Second},
		{"date", "", "Mon, 23 Nov 2026 08:01:30 GMT", 90 * time.Second},
		{"date in the old form", "", "Monday, 23-Nov-26 08:01:30 GMT", 90 * time.Second},
		{"past date", "", "Mon, 23 Nov 2026 07:00:00 GMT", 0},
		{"far date", "", "Mon, 23 Nov 2099 07:00:00 GMT", maxWait},
		{"epoch", "", "1795420920", 2 * time.Minute},
		{"epoch in milliseconds", "1795420890500", "", 90*time.Second + 500*time.Millisecond},
		{"epoch in milliseconds as seconds", "", "1795420890500", 90*time.Second + 500*time.Millisecond},
		{"past epoch", "", "1795420700", 0},
		{"far epoch", "", "1895420700", maxWait},
		{"largest that is no epoch", "", "1000000000", maxWait},
		{"negative", "-5", "-5", 0},
		{"absurd", "", "1e300", maxWait},
		{"infinite", "Inf", "Infinity", 0},
		{"NaN", "NaN", "nan", 0},
		{"hexadecimal", "", "0x10", 0},
		{"words", "", "a while", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			header.Set("Retry-After-Ms", tt.ms)
			header.Set("Retry-After", tt.after)
			if got := RetryAfter(header, now, maxWait); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("1500", "2", "17.5")
	f.Add("", "Mon, 23 Nov 2026 08:01:30 GMT", "-1")
	f.Add("1e999", "0x1p-2", "Inf")
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, ms, after, seconds string) {
		header := http.Header{"Retry-After-Ms": {ms}, "Retry-After": {after}}
		for _, wait := range []time.Duration{RetryAfter(header, now, maxWait), ParseWait(seconds, time.Second, maxWait)} {
			if wait < 0 || wait > maxWait {
				t.Fatalf("wait of %v", wait)
			}
		}
	})
}
