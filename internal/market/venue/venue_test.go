package venue_test

// Making sources, and calls whose connection fails.

import (
	"compress/gzip"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
)

// dials counts the connections of a transport.
type dials struct {
	transport *http.Transport
	made      atomic.Int32
}

func (d *dials) count() {
	var dialer net.Dialer
	d.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		d.made.Add(1)
		return dialer.DialContext(ctx, network, address)
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		name, baseURL string
		says          string // of the error; empty: none
	}{
		{"kraken", "", ""},
		{"kraken", "https://proxy.example/kraken/", ""},
		{"Kraken", "", "known are kraken, coinbase, okx, binance, binanceus"},
		{"", "", "is not known"},
		{"okx", "www.okx.com", "OKX_BASE_URL is not an address"},
		{"binanceus", "https://user@api.binance.us", "BINANCEUS_BASE_URL"},
		{"coinbase", "https://api.exchange.coinbase.com/?a=b", "COINBASE_BASE_URL"},
		{"coinbase", "ftp://api.exchange.coinbase.com", "COINBASE_BASE_URL"},
	}
	for _, tt := range tests {
		source, err := venue.New(tt.name, tt.baseURL, &http.Client{})
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%s at %q: %v", tt.name, tt.baseURL, err)
		case tt.says == "" && source.Name() != tt.name:
			t.Errorf("name %q, want %q", source.Name(), tt.name)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s at %q: error = %v, want one that says %q", tt.name, tt.baseURL, err, tt.says)
		}
	}
}

func TestDefaults(t *testing.T) {
	if want, got := []string{"kraken", "coinbase", "okx"}, venue.Defaults(); !slices.Equal(got, want) {
		t.Errorf("defaults %q, want %q", got, want)
	}
	for _, name := range venue.Names() {
		if venue.IsOptIn(name) == slices.Contains(venue.Defaults(), name) {
			t.Errorf("%s is opt-in and a default, or neither", name)
		}
	}
	if venue.IsOptIn("nasdaq") {
		t.Error("an unknown venue is opt-in")
	}
}

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	each(t, func(t *testing.T, name string) {
		source, err := venue.New(name, "http://"+address, &http.Client{})
		if err != nil {
			t.Fatal(err)
		}
		s := series(t, "BTC/USD", "5m")
		_, err = source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
		if e := failed(t, err, market.ErrUnavailable); !strings.Contains(e.Message, strings.ToUpper(name)+"_BASE_URL") || e.Status != 0 {
			t.Errorf("error = %+v, want one that names the variable", *e)
		}
	})
}

func TestCutConnection(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		server, source := serveRaw(t, name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(`[[`))
		})
		defer server.CloseClientConnections()
		s := series(t, "BTC/USD", "5m")
		_, err := source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
		if e := failed(t, err, market.ErrUnavailable); !strings.Contains(e.Message, "broke off") {
			t.Error(e)
		}
	})
}

func TestCompressedAnswer(t *testing.T) {
	_, source := serveRaw(t, "coinbase", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("no compression is asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		_, _ = compressed.Write([]byte(`[[1515264780,994.5,994.5,994.5,994.5,1]]`))
		_ = compressed.Close()
	})
	fetched, err := source.Candles(t.Context(), series(t, "ETH/USD", "1m"), time.Unix(1515264780, 0))
	candles := fetched.Candles
	if err != nil || len(candles) != 1 {
		t.Errorf("%v, %v", candles, err)
	}
}
