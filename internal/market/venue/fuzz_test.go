package venue_test

// Whatever a venue answers becomes candles that hold what is promised, or an
// error of a kind.

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/signal"
)

// canned answers every request in the same way, without a connection.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {"7"}}, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}

func fuzz(f *testing.F, name, pair string, timeframe signal.Timeframe, last int64, more ...string) {
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(200, body)
	for _, text := range more {
		f.Add(400, []byte(text))
	}
	f.Add(429, []byte("<html>"))
	s := series(f, pair, timeframe)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		source, err := venue.New(name, "", &http.Client{Transport: canned{status, body}})
		if err != nil {
			t.Fatal(err)
		}
		fetched, err := source.Candles(t.Context(), s, time.Unix(last, 0))
		candles := fetched.Candles
		if err == nil {
			sound(t, candles, s, time.Unix(last, 0))
			return
		}
		var e *market.Error
		if !errors.As(err, &e) || e.Kind == "" || e.Message == "" || e.Venue != name || len(e.Message) > 2000 || candles != nil {
			t.Fatalf("error = %#v with %d candles", err, len(candles))
		}
	})
}

func FuzzKraken(f *testing.F) {
	fuzz(f, "kraken", "BTC/USD", "1d", 1681603200, `{"error":["EQuery:Unknown asset pair"]}`)
}

func FuzzCoinbase(f *testing.F) {
	fuzz(f, "coinbase", "ETH/USD", "1m", 1515264780, `{"message":"NotFound"}`)
}

func FuzzOKX(f *testing.F) {
	fuzz(f, "okx", "BTC/USDT", "1h", 1787180400, `{"code":"51001","msg":"Instrument ID does not exist","data":[]}`)
}

func FuzzBinance(f *testing.F) {
	fuzz(f, "binance", "BTC/USDT", "1m", 1790414340, `{"code":-1121,"msg":"Invalid symbol."}`)
}
