package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/market/venuetest"
	"thalas/internal/signal"
)

func TestVenue(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 2, 30, 0, time.UTC)
	server := venuetest.Serve(func() time.Time { return now })
	defer server.Close()
	var environ []string
	for _, name := range venue.Names() {
		environ = append(environ, strings.ToUpper(name)+"_BASE_URL="+server.BaseURL(name))
	}
	var log bytes.Buffer
	a, err := New(load(t, environ...), slog.New(slog.NewTextHandler(&log, nil)), noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	series := market.Series{Pair: pair, Timeframe: "5m"}
	last := series.Timeframe.LastClosed(now)
	ask := func(names ...string) market.Fetched {
		t.Helper()
		source, err := a.Venue(names...)
		if err != nil {
			t.Fatal(err)
		}
		f, err := source.Candles(t.Context(), series, last)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	server.Script("kraken", venuetest.RetryAfter(429, 3600))
	if f := ask(); f.Venue != "coinbase" {
		t.Errorf("the defaults gave candles of %s", f.Venue)
	}
	if f := ask("kraken", "okx", "kraken"); f.Venue != "okx" || len(f.Failed) != 1 {
		t.Errorf("kraken and okx gave candles of %s after %v", f.Venue, f.Failed)
	}
	if n := len(server.Requests("kraken")); n != 1 {
		t.Errorf("%d requests to a venue that wants to be left alone", n)
	}
	if f := ask("coinbase"); f.Venue != "coinbase" || len(server.Requests("coinbase")) != 1 {
		t.Errorf("candles of %s after %d requests for the same", f.Venue, len(server.Requests("coinbase")))
	}
	if strings.Contains(log.String(), "licence") {
		t.Errorf("warned without a cause: %s", log.String())
	}
	for _, name := range []string{"binance", "binanceus", "binance"} {
		if f := ask(name); f.Venue != name {
			t.Errorf("%s gave candles of %s", name, f.Venue)
		}
	}
	if got := strings.Count(log.String(), "commercial signal services"); got != 2 {
		t.Errorf("%d warnings of the licence, want one for each venue:\n%s", got, log.String())
	}
}

func TestVenueRefuses(t *testing.T) {
	const key = "sk-planted-test-key-0123456789"
	a, err := New(load(t, "OPENAI_API_KEY="+key, "OKX_BASE_URL=http://127.0.0.1/"+key), nil, noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, says string }{{"nasdaq", "known are kraken"}, {"okx", "OKX_BASE_URL holds an API key"}} {
		if _, err := a.Venue("kraken", tt.name); err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), key) {
			t.Errorf("%s: error = %v, want one that says %q", tt.name, err, tt.says)
		}
	}
}
