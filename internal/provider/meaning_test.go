package provider

// The table of meanings, and the waits that messages name.

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMeaningsCanBeFound(t *testing.T) {
	seen := map[string]bool{}
	ours := strings.ToLower(system + question)
	for _, row := range meanings {
		for _, word := range slices.Concat(row.codes, row.phrases) {
			switch {
			case word != strings.ToLower(word) || strings.TrimSpace(word) != word || word == "":
				t.Errorf("%q is never found: it is not in lower case", word)
			case seen[word]:
				t.Errorf("%q stands in two places", word)
			case strings.Contains(ours, word):
				t.Errorf("%q stands in every question, so it never counts", word)
			}
			seen[word] = true
		}
	}
}

func TestNamedWait(t *testing.T) {
	now := time.Date(2026, 11, 30, 23, 50, 0, 0, time.UTC)
	for _, tt := range []struct {
		message, question string
		want              time.Duration
	}{
		{"You will regain access on 2026-12-01 at 00:00 UTC.", "", 10 * time.Minute},
		{"You will regain access on 2026-12-01.", "", 10 * time.Minute},
		{"Access resets at 2026-12-01T00:01:00Z", "", 11 * time.Minute},
		{"regain access on 2027-12-01 at 00:00 UTC", "", maxRetryAfter},
		{"regain access on 2025-12-01 at 00:00 UTC", "", 0},
		{"Please retry in 45.5s.", "", 45500 * time.Millisecond},
		{"Please TRY AGAIN IN 644ms.", "", 644 * time.Millisecond},
		{"Please try again in 9h3m.", "", maxRetryAfter},
		{"Please retry after 30 seconds.", "", 30 * time.Second},
		{"Please retry after 2 minutes.", "", 2 * time.Minute},
		{"Please retry after 99999999999999999 minutes.", "", maxRetryAfter},
		{"Please retry after 30 bananas.", "", 0},
		{"Please try again in 2026-99-99.", "", 0},
		{"Please try again later.", "", 0},
		{"You wrote: try again in 5m", "Should I Try Again In 5m?", 0},
		{"", "", 0},
	} {
		if got := namedWait(tt.message, strings.ToLower(tt.question), now); got != tt.want {
			t.Errorf("%q names %v, want %v", tt.message, got, tt.want)
		}
	}
}

func FuzzProblem(f *testing.F) {
	f.Add(200, `{"error":{"message":"m","code":402,"metadata":{"raw":"{\"error\":\"x\"}"}}}`, "credit balance")
	f.Add(400, `[{"error":{"message":"{\"error\":{\"message\":\"try again in 5m\"}}","details":[{"retryDelay":"1s"},7,{"violations":[{"quotaId":"PerDay"},null]}]}}]`, "")
	f.Add(403, `"your credit balance"`, "Your CREDIT BALANCE")
	f.Fuzz(func(t *testing.T, status int, body, asked string) {
		p, _ := readProblem([]byte(body))
		q := strings.ToLower(asked)
		told := effectiveStatus(status, p)
		about, _ := meaningOf(told, p, q)
		if about < 0 || int(about) >= len(outcomes) || outcomes[about].kind == "" {
			t.Fatalf("meaning %d", about)
		}
		if wait := namedWait(p.message, q, time.Now()); wait < 0 || wait > maxRetryAfter {
			t.Fatalf("wait of %v", wait)
		}
		// Of a message that only repeats the question, only the status counts.
		if echo := (problem{message: asked}); told == http.StatusForbidden {
			if about, isEcho := meaningOf(told, echo, q); about != noAccess {
				t.Fatalf("%q means %d, echo %t", asked, about, isEcho)
			}
		}
	})
}

func TestRetryDelay(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"17.5s": 17500 * time.Millisecond, "0.000000001s": 1, "3s ": 3 * time.Second,
		"": 0, "s": 0, "17": 0, "2m": 0, "-3s": 0, "1e300s": maxRetryAfter, "NaNs": 0,
	} {
		if got := retryDelay(text); got != want {
			t.Errorf("retryDelay(%q) = %v, want %v", text, got, want)
		}
	}
}
