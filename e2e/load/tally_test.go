package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScalar(t *testing.T) {
	const body = `{"id":"019a","pair": "BTC/USDT:USDT","current_price":50000.25,"simulated":false,"hold_reason":null,"last":3}`
	for key, want := range map[string]string{
		"id": "019a", "pair": "BTC/USDT:USDT", "current_price": "50000.25", "simulated": "false", "hold_reason": "null", "last": "3", "absent": "",
	} {
		if got := scalar([]byte(body), key); got != want {
			t.Errorf("scalar(%s) = %q, want %q", key, got, want)
		}
	}
	for _, cut := range []string{"", `{"id":`, `{"id":"`} {
		if got := scalar([]byte(cut), "id"); got != "" {
			t.Errorf("scalar of %q = %q, want none", cut, got)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var values []float64
	for i := 1000; i >= 1; i-- {
		values = append(values, float64(i))
	}
	if diff := cmp.Diff(&percentiles{500, 900, 990, 999, 1000}, percentilesOf(values)); diff != "" {
		t.Errorf("of 1…1000 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&percentiles{7, 7, 7, 7, 7}, percentilesOf([]float64{7})); diff != "" {
		t.Errorf("of one value (-want +got):\n%s", diff)
	}
	if got := percentilesOf(nil).less(1); got != nil {
		t.Errorf("of none: got %+v, want nil", got)
	}
}
