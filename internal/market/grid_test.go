package market_test

import (
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

func TestIsStale(t *testing.T) {
	last := time.Date(2026, 11, 24, 4, 55, 0, 0, time.UTC)
	tests := []struct {
		newest string
		want   bool
	}{{"04:55", false}, {"04:50", false}, {"04:49", true}, {"04:45", true}, {"00:00", true}}
	for _, tt := range tests {
		newest, err := time.Parse("2006-01-02 15:04", "2026-11-24 "+tt.newest)
		if err != nil {
			t.Fatal(err)
		}
		if got := market.IsStale(newest, last, "5m"); got != tt.want {
			t.Errorf("newest %s: stale = %t, want %t", tt.newest, got, tt.want)
		}
	}
}

func TestMissing(t *testing.T) {
	at := func(minutes ...int) []signal.Candle {
		candles := make([]signal.Candle, len(minutes))
		for i, m := range minutes {
			candles[i].Time = time.Date(2026, 11, 24, 0, m, 0, 0, time.UTC)
		}
		return candles
	}
	for _, tt := range []struct {
		candles   []signal.Candle
		timeframe signal.Timeframe
		want      int
	}{{nil, "5m", 0}, {at(5), "5m", 0}, {at(5, 10, 15), "5m", 0}, {at(5, 15), "5m", 1}, {at(0, 20, 50), "5m", 8}, {at(0, 20), "", 0}} {
		if got := market.Missing(tt.candles, tt.timeframe); got != tt.want {
			t.Errorf("%v of %s: %d missing, want %d", tt.candles, tt.timeframe, got, tt.want)
		}
	}
}
