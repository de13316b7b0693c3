package main

// A server that would steer the terminal of whoever reads from it.

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Each text of each answer in turn gets a tail of escape sequences. What is printed of it,
// as a table, as JSON, as CSV or as an error, must hold none. JSON is printed as it was
// sent: what JSON allows in a text, such as a mark that turns the direction, stays there.
func TestServerCannotSteerTheTerminal(t *testing.T) {
	const hostile = "\x1b[2J\x1b]0;owned\a\b\r\u202egnp.exe\u009b2J\x7f"
	f := fill(t, "BTC/USDT", "BTC/USDT")
	s := serving(t, f.env, "serve")
	for _, command := range []string{
		"show " + f.ids[0], "latest BTC/USDT", "history", "replay BTC/USDT --min-confidence 1", "health", "metrics", "export",
		"show " + f.ids[0] + " --json", "history --json", "export --format jsonl", "show 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", "latest SOL/USDT",
	} {
		texts := 1
		for at := 0; at < texts; at++ {
			between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				request, err := http.NewRequestWithContext(r.Context(), r.Method, s.url+r.RequestURI, r.Body)
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("Content-Type", "application/json")
				answer, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer answer.Body.Close()
				var document any
				if err := json.NewDecoder(answer.Body).Decode(&document); err != nil && err != io.EOF {
					t.Error(err)
				}
				texts = 0
				changed, _ := json.Marshal(appended(document, hostile, at, &texts))
				w.WriteHeader(answer.StatusCode)
				_, _ = w.Write(changed)
			}))
			got := thalas(t, nil, "", append(strings.Fields(command), "--url", between.URL)...)
			between.Close()
			steers := "\x1b\a\b\r\u202e\u009b\x7f"
			if strings.Contains(command, "json") {
				steers = "\x1b\a\b\r"
			}
			if printed := got.out + got.err; strings.ContainsAny(printed, steers) {
				t.Errorf("%s, text %d of %d: escape sequences get through: %q", command, at, texts, printed)
			}
		}
		if texts < 3 {
			t.Errorf("%s: only %d texts were tried", command, texts)
		}
	}
}

// appended gives a document whose text number at has a tail. It counts the texts, names not
// included, in seen.
func appended(value any, tail string, at int, seen *int) any {
	switch v := value.(type) {
	case string:
		*seen++
		if *seen-1 == at {
			return v + tail
		}
	case []any:
		for i := range v {
			v[i] = appended(v[i], tail, at, seen)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[name] = appended(v[name], tail, at, seen)
		}
	}
	return value
}
