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
		opens []time.Duration // since midnight; nil: candles without times
		apart string
	}{
		{"of the timeframe", []time.Duration{0, 5 * m, 10 * m}, ""},
		{"with a gap", []time.Duration{0, 60 * m, 65 * m}, ""},
		{"of a longer one", []time.Duration{0, 60 * m, 180 * m}, "1h"},
		{"of a shorter one", []time.Duration{0, m}, "1m"},
		{"of a thin market", []time.Duration{0, 10 * m, 25 * m, 35 * m}, ""},
		{"one that is short", []time.Duration{0, 5 * m, 9 * m, 14 * m, 19 * m}, ""},
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

// On the day when clocks are set forward, a candle of a day in local time has 23 hours.
func TestADayOf23Hours(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	var candles []signal.Candle
	for day := range 60 {
		candles = append(candles, signal.Candle{Time: time.Date(2026, 2, 1+day, 0, 0, 0, 0, newYork).UTC()})
	}
	if apart, contradicted := signal.Timeframe("1d").Contradicted(candles); contradicted {
		t.Errorf("%s apart", apart)
	}
	if spacing := signal.Spacing(candles); spacing != 24*time.Hour {
		t.Errorf("spacing %s", spacing)
	}
}
