package api_test

import (
	"net/http"
	"strings"
	"testing"

	"thalas/internal/api"
	"thalas/internal/page"
)

// The page over the real handler: its policy is not weakened on the way, and it needs no key,
// since it holds no data. What it reads does.
func TestPage(t *testing.T) {
	f := newServer(t, setup{api: options(sha("first"))})
	for path, want := range map[string]string{"/": "text/html; charset=utf-8", "/ui/app.js": "text/javascript; charset=utf-8", "/ui/style.css": "text/css; charset=utf-8"} {
		r := f.get(t, path).want(t, 200)
		for name, want := range map[string]string{
			"Content-Type": want, "Content-Security-Policy": page.Policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-cache",
		} {
			if got := strings.Join(r.header.Values(name), " | "); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if r.header.Get("X-Request-Id") == "" {
			t.Errorf("%s has no X-Request-Id", path)
		}
		f.send(t, "GET", path, "", "If-None-Match", r.header.Get("ETag")).want(t, 304)
	}
	f.get(t, "/v1/series").problem(t, 401, "unauthorized")
	f.send(t, "POST", "/", "").problem(t, 405, "method-not-allowed")
	newServer(t, setup{}).get(t, "/").problem(t, 404, "unknown-route") // only where it is asked for
}

// A page of another site could otherwise show this one under its own name.
func TestPageAnswersToItsOwnNamesOnly(t *testing.T) {
	f := newServer(t, setup{api: api.Options{Page: true, Local: true}})
	for _, path := range []string{"/", "/ui/app.js"} {
		request, err := http.NewRequest(http.MethodGet, f.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "evil.example:8787"
		f.do(t, request).problem(t, 403, "cross-origin")
	}
}
