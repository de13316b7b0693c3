package api_test

import (
	"net/http"
	"strings"
	"testing"

	"thalas/internal/api"
)

// Any web page can make its own name resolve to 127.0.0.1, and then has the origin of a server
// on loopback. So only requests to names of this machine are answered.
func TestLocalServerAnswersToItsOwnNamesOnly(t *testing.T) {
	f := newServer(t, setup{api: api.Options{Local: true}})
	for host, want := range map[string]int{"evil.example:8787": 403, "localhost:8787": 200, "127.0.0.1": 200, "[::1]:80": 200, "": 200} {
		request, err := http.NewRequest(http.MethodGet, f.URL+"/v1/health", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		if got := f.do(t, request).status; got != want {
			t.Errorf("host %q: %d, want %d", host, got, want)
		}
	}
}
