package contract

// Servers on 127.0.0.1 that record requests, and comparing two requests by their meaning.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// key is what adapters and SDKs ask with.
const key = "simulated-key-of-the-contract"

// An exchange is a request as it arrived.
type exchange struct {
	method, path string
	header       http.Header
	body         []byte
}

// serve answers every request with one JSON body, and records the last request.
func serve(t *testing.T, answer []byte) (base string, sent *exchange) {
	t.Helper()
	sent = new(exchange)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.method, sent.path, sent.header = r.Method, r.URL.Path, r.Header
		sent.body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

// client gives a client whose connections end with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// unimportant has the headers about the client and the transport, and those for the telemetry
// of the SDKs. All others must be the same, so that a new header of an SDK is noticed.
var unimportant = []string{
	"Accept", "Accept-Encoding", "Content-Length", "User-Agent",
	"X-Goog-Api-Client", "X-Server-Timeout", "X-Stainless-",
}

// important gives the headers that matter to a service.
func important(header http.Header) map[string]string {
	kept := make(map[string]string)
next:
	for name, values := range header {
		for _, prefix := range unimportant {
			if strings.HasPrefix(name, prefix) {
				continue next
			}
		}
		kept[name] = strings.Join(values, ", ")
	}
	return kept
}

// document parses JSON for a comparison by meaning.
func document(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return v
}

// lost lists the places in sent (a.b[].c) whose value is not in kept. Values that are null,
// false, 0 or empty may be missing.
func lost(at string, sent, kept any) []string {
	switch sent := sent.(type) {
	case map[string]any:
		kept, _ := kept.(map[string]any)
		var places []string
		for name, value := range sent {
			places = append(places, lost(strings.TrimPrefix(at+"."+name, "."), value, kept[name])...)
		}
		return places
	case []any:
		kept, _ := kept.([]any)
		var places []string
		for i, value := range sent {
			var other any
			if i < len(kept) {
				other = kept[i]
			}
			places = append(places, lost(at+"[]", value, other)...)
		}
		return places
	case nil:
		return nil
	}
	if sent == kept || kept == nil && (sent == false || sent == 0.0 || sent == "") {
		return nil
	}
	return []string{at}
}
