package market_test

import (
	"testing"
	"time"

	"thalas/internal/market"
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
