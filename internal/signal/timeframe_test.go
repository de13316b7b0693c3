package signal_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"thalas/internal/signal"
)

func TestTimeframes(t *testing.T) {
	var names []string
	for i, f := range signal.Timeframes() {
		names = append(names, string(f))
		if parsed, err := signal.ParseTimeframe(string(f)); err != nil || parsed != f {
			t.Errorf("%s is read as %q, %v", f, parsed, err)
		}
		if back, ok := signal.TimeframeOf(f.Duration()); !ok || back != f {
			t.Errorf("%s: its length %v is of %q", f, f.Duration(), back)
		}
		if i > 0 && f.Duration() <= signal.Timeframes()[i-1].Duration() {
			t.Errorf("%s is not longer than the one before", f)
		}
	}
	if got, want := strings.Join(names, " "), "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if signal.Timeframe("5m").Duration() != 5*time.Minute || signal.Timeframe("1w").Duration() != 7*24*time.Hour || signal.Timeframe("3d").Duration() != 72*time.Hour {
		t.Error("a length is wrong")
	}
	if signal.DefaultTimeframe != "5m" {
		t.Errorf("the default is %s", signal.DefaultTimeframe)
	}
}

func TestParseTimeframeRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"1M", `timeframe "1M" is not known: case and spaces matter, did you mean "1m"? Known are 1m 3m`},
		{"5M", `did you mean "5m"?`},
		{"1D", `did you mean "1d"?`},
		{" 1h", `did you mean "1h"?`},
		{"", `timeframe "" is not known: known are 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w`},
		{"7m", `timeframe "7m" is not known: known are`},
		{"60", `timeframe "60" is not known: known are`},
		{strings.Repeat("m", 1000), `timeframe "` + strings.Repeat("m", 40) + `…" is not known`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			var f signal.Timeframe
			err := f.UnmarshalText([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || f != "" {
				t.Errorf("got %q, %v; want an error with %s", f, err, test.want)
			}
		})
	}
	var f signal.Timeframe
	if err := f.UnmarshalText([]byte("4h")); err != nil || f != "4h" {
		t.Errorf("4h is read as %q, %v", f, err)
	}
}

func TestTimeframeGrid(t *testing.T) {
	tests := []struct {
		timeframe         signal.Timeframe
		at, open, lastOne string
	}{
		{"5m", "2026-11-23T05:00:01.25Z", "2026-11-23T05:00:00Z", "2026-11-23T04:55:00Z"},
		{"5m", "2026-11-23T05:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T04:55:00Z"},
		{"5m", "2026-11-23T04:59:59.999999999Z", "2026-11-23T04:55:00Z", "2026-11-23T04:50:00Z"},
		{"1h", "2026-11-23T05:29:00+05:30", "2026-11-22T23:00:00Z", "2026-11-22T22:00:00Z"},
		{"1d", "2026-11-23T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"3d", "1970-01-04T00:00:00Z", "1970-01-04T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"1w", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-16T00:00:00Z"}, // a Monday
		{"1w", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-09T00:00:00Z"}, // a Sunday
		{"1w", "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1969-12-22T00:00:00Z"},
		{"1d", "1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z", "1969-12-30T00:00:00Z"}, // before the epoch
		{"5m", "1969-12-31T23:59:59.5Z", "1969-12-31T23:55:00Z", "1969-12-31T23:50:00Z"},
	}
	for _, test := range tests {
		t.Run(string(test.timeframe)+" "+test.at, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.timeframe.Open(at).Format(time.RFC3339Nano); got != test.open {
				t.Errorf("opens at %s, want %s", got, test.open)
			}
			if got := test.timeframe.LastClosed(at).Format(time.RFC3339Nano); got != test.lastOne {
				t.Errorf("last closed opened at %s, want %s", got, test.lastOne)
			}
		})
	}
	none := signal.Timeframe("1M")
	if none.Duration() != 0 || !none.Open(time.Now()).IsZero() {
		t.Error("a name that is no timeframe has a grid")
	}
	if f, ok := signal.TimeframeOf(7 * time.Minute); ok {
		t.Errorf("7 minutes are %s", f)
	}
}

func TestTimeframeGridProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(signal.Timeframes()).Draw(t, "timeframe")
		at := time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds"))
		open := f.Open(at)
		if inside := at.Sub(open); inside < 0 || inside >= f.Duration() {
			t.Fatalf("%v lies %v after the open %v", at, inside, open)
		}
		if !f.Open(open).Equal(open) || !f.Open(open.Add(f.Duration())).Equal(open.Add(f.Duration())) {
			t.Fatalf("%v is not on the grid", open)
		}
		if f == "1w" && open.Weekday() != time.Monday {
			t.Fatalf("a week begins on %v", open.Weekday())
		}
		if closed := f.LastClosed(at).Add(f.Duration()); closed.After(at) {
			t.Fatalf("the last closed candle closes at %v, after %v", closed, at)
		}
	})
}
