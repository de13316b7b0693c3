package signal_test

import (
	"testing"
	"time"

	"thalas/internal/signal"
)

func TestContradicted(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name  string
		opens []time.Duration // since some midnight; nil: candles without times
		apart string
	}{
		{"of the timeframe", []time.Duration{0, 5 * m, 10 * m}, ""},
		{"with a gap", []time.Duration{0, 60 * m, 65 * m}, ""},
		{"of a longer one", []time.Duration{0, 60 * m, 180 * m}, "1h"},
		{"of a shorter one", []time.Duration{0, m}, "1m"},
		{"of no timeframe", []time.Duration{0, 7 * m, 14 * m}, "7m0s"},
		{"two with a gap prove nothing", []time.Duration{0, 60 * m}, ""},
		{"one", []time.Duration{0}, ""},
		{"none", nil, ""},
	}
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			candles := make([]signal.Candle, len(test.opens))
			for i, open := range test.opens {
				candles[i].Time = midnight.Add(open)
			}
			apart, contradicted := signal.Timeframe("5m").Contradicted(candles)
			if apart != test.apart || contradicted != (test.apart != "") {
				t.Errorf("got %q, %v; want %q", apart, contradicted, test.apart)
			}
		})
	}
	if apart, contradicted := signal.Timeframe("5m").Contradicted(make([]signal.Candle, 3)); contradicted {
		t.Errorf("candles without times are %q apart", apart)
	}
}
