package main

import (
	"math"
	"testing"
)

func TestPercentiles(t *testing.T) {
	var values []float64
	for i := 1000; i >= 1; i-- {
		values = append(values, float64(i))
	}
	for share, want := range map[float64]float64{0.5: 500, 0.9: 900, 0.99: 990, 0.999: 999} {
		if got := percentile(values, share); got != want {
			t.Errorf("%v of 1…1000: got %v, want %v", share, got, want)
		}
	}
	if got := percentile([]float64{7}, 0.999); got != 7 {
		t.Errorf("of one value: got %v, want 7", got)
	}
	if got := percentile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("of none: got %v, want NaN", got)
	}
}
