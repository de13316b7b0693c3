package venue_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"thalas/internal/market"
	"thalas/internal/market/venue"
)

// serveRaw starts a server that answers every request by handler, without a date,
// since what it answers is of another day than the machine's. It makes a venue's
// source of it.
func serveRaw(t *testing.T, name string, handler http.HandlerFunc) (*httptest.Server, market.CandleSource) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	source, err := venue.New(name, server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return server, source
}
