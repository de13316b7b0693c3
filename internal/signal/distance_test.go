package signal_test

import (
	"testing"

	"thalas/internal/signal"
)

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"pair", "pair", 0}, {"", "pair", 4}, {"pari", "pair", 2}, {"timefram", "timeframe", 1},
		{"kitten", "sitting", 3}, {"min_provider", "min_providers", 1}, {"abc", "xyz", 3},
	} {
		if got := signal.EditDistance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
		if got := signal.EditDistance(test.b, test.a); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.b, test.a, got, test.want)
		}
	}
}
