package signal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"thalas/internal/signal"
)

func TestDecision(t *testing.T) {
	for text, want := range map[string]signal.Decision{"BUY": signal.Buy, "sell": signal.Sell, "Hold": signal.Hold} {
		if got, err := signal.ParseDecision(text); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "BUY ", "BUY or SELL", "STRONG BUY", strings.Repeat("x", 1000)} {
		d := signal.Hold
		err := d.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), "is none of BUY, SELL, HOLD") || len(err.Error()) > 100 || d != signal.Hold {
			t.Errorf("%s: got %q, %v", text, d, err)
		}
	}
	var d signal.Decision
	if err := json.Unmarshal([]byte(`"buy"`), &d); err != nil || d != signal.Buy {
		t.Errorf("got %q, %v", d, err)
	}
}

func TestRiskLevel(t *testing.T) {
	for text, want := range map[string]signal.RiskLevel{"low": signal.Low, "Medium": signal.Medium, "HIGH": signal.High} {
		if got, err := signal.ParseRiskLevel(text); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %s", text, got, err, want)
		}
	}
	var r signal.RiskLevel
	if err := json.Unmarshal([]byte(`"extreme"`), &r); err == nil || !strings.Contains(err.Error(), "is none of low, medium, high") || r != "" {
		t.Errorf("extreme: got %q, %v", r, err)
	}
	if err := json.Unmarshal([]byte(`"high"`), &r); err != nil || r != signal.High {
		t.Errorf("high: got %q, %v", r, err)
	}
	ascending := []signal.RiskLevel{"", signal.Low, signal.Medium, signal.High}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := a.Above(b); got != (i > j) {
				t.Errorf("%q above %q: %v", a, b, got)
			}
		}
	}
}

func TestTally(t *testing.T) {
	var tally signal.Tally[float64]
	tally.Add(signal.Buy, 1)
	tally.Add(signal.Sell, 2)
	tally.Add(signal.Hold, 4)
	tally.Add(signal.Buy, 8)
	if tally != (signal.Tally[float64]{Buy: 9, Sell: 2, Hold: 4}) || tally.Sum() != 15 {
		t.Errorf("got %+v", tally)
	}
	data, err := json.Marshal(signal.Tally[int]{Buy: 2})
	if want := `{"BUY":2,"SELL":0,"HOLD":0}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v; want %s", data, err, want)
	}
}
