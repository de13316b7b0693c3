package venuetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"thalas/internal/market/venuetest"
)

func get(t *testing.T, server *venuetest.Server, venue, target string) (int, string) {
	t.Helper()
	response, err := server.Client().Get(server.BaseURL(venue) + target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// What has closed is the same whenever it is asked for, each candle opens where
// the one before closed, and the open one goes on.
func TestThePastStays(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 2, 30, 0, time.UTC)
	server := venuetest.Serve(func() time.Time { return now })
	defer server.Close()
	ask := func() (rows [][]any) {
		_, body := get(t, server, "binance", "/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=3")
		if err := json.Unmarshal([]byte(body), &rows); err != nil || len(rows) != 3 {
			t.Fatalf("%s: %v", body, err)
		}
		return rows
	}
	before := ask()
	now = now.Add(5 * time.Minute)
	after := ask()
	for column := range 6 {
		if before[1][column] != after[0][column] {
			t.Errorf("column %d of a closed candle was %v and is %v", column, before[1][column], after[0][column])
		}
		if column > 3 && before[2][column] == after[1][column] {
			t.Errorf("column %d of the open candle, its close or volume, has not gone on", column)
		}
	}
	if after[0][4] != after[1][1] || after[1][4] != after[2][1] {
		t.Errorf("a candle does not open where the one before closed: %v", after)
	}
}

func TestPlay(t *testing.T) {
	server := venuetest.Serve(time.Now)
	defer server.Close()
	if err := server.Play("kraken=451,ok ; coinbase=html,502*;"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		venue, target string
		status        int
	}{
		{"kraken", "/0/public/OHLC?pair=XBTUSD&interval=5", 451}, {"kraken", "/0/public/OHLC?pair=XBTUSD&interval=5", 200}, {"kraken", "/0/public/OHLC?pair=XBTUSD&interval=5", 200},
		{"coinbase", "/products/BTC-USD/candles?granularity=300", 200}, {"coinbase", "/products/BTC-USD/candles?granularity=300", 502}, {"coinbase", "/products/BTC-USD/candles?granularity=300", 502},
		{"okx", "/api/v5/market/candles?instId=BTC-USDT&bar=5m", 200}, {"nasdaq", "/", http.StatusNotFound},
	} {
		if status, body := get(t, server, tt.venue, tt.target); status != tt.status {
			t.Errorf("%s: status %d, want %d: %s", tt.venue, status, tt.status, body)
		}
	}
	for script, says := range map[string]string{"nasdaq=451": "no venue", "kraken=teapot": "no fault of kraken", "kraken": "no fault", "=429": "no venue"} {
		if err := server.Play(script); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error = %v, want one that says %q", script, err, says)
		}
	}
}
