package provider

import (
	"net/http"
	"testing"
	"time"
)

func TestParseRetryAfter(t *testing.T) {
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
		{"far date", "", "Mon, 23 Nov 2099 07:00:00 GMT", maxRetryAfter},
		{"epoch", "", "1795420920", 2 * time.Minute},
		{"epoch in milliseconds", "1795420890500", "", 90*time.Second + 500*time.Millisecond},
		{"epoch in milliseconds as seconds", "", "1795420890500", 90*time.Second + 500*time.Millisecond},
		{"past epoch", "", "1795420700", 0},
		{"far epoch", "", "1895420700", maxRetryAfter},
		{"largest that is no epoch", "", "1000000000", maxRetryAfter},
		{"negative", "-5", "-5", 0},
		{"absurd", "", "1e300", maxRetryAfter},
		{"infinite", "Inf", "Infinity", 0},
		{"NaN", "NaN", "nan", 0},
		{"hexadecimal", "", "0x10", 0},
		{"words", "", "a while", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			header.Set("Retry-After-Ms", tt.ms)
			header.Set("Retry-After", tt.after)
			if got := ParseRetryAfter(header, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParseRetryDelay(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"17.5s": 17500 * time.Millisecond, "0.000000001s": 1, "3s ": 3 * time.Second,
		"": 0, "s": 0, "17": 0, "2m": 0, "-3s": 0, "1e300s": maxRetryAfter, "NaNs": 0,
	} {
		if got := ParseRetryDelay(text); got != want {
			t.Errorf("ParseRetryDelay(%q) = %v, want %v", text, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("1500", "2", "17.5s")
	f.Add("", "Mon, 23 Nov 2026 08:01:30 GMT", "-1s")
	f.Add("1e999", "0x1p-2", "Infs")
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, ms, after, delay string) {
		header := http.Header{"Retry-After-Ms": {ms}, "Retry-After": {after}}
		for _, wait := range []time.Duration{ParseRetryAfter(header, now), ParseRetryDelay(delay)} {
			if wait < 0 || wait > maxRetryAfter {
				t.Fatalf("wait of %v", wait)
			}
		}
	})
}
