package main

import "testing"

func TestParseVoteIsStrict(t *testing.T) {
	const rest = `,"reasoning":"r","risk_level":"low","stop_loss":null,"take_profit":null}`
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"vote", `{"decision":"BUY","confidence":0.8` + rest, true},
		{"percentage", `{"decision":"BUY","confidence":85` + rest, false},
		{"unknown decision", `{"decision":"SHORT","confidence":0.8` + rest, false},
		{"no confidence", `{"decision":"BUY"` + rest, false},
		{"another field", `{"decision":"BUY","confidence":0.8,"note":1` + rest, false},
		{"two votes", `{"decision":"BUY","confidence":0.8` + rest + `{}`, false},
		{"prose", `I would buy.`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseVote(tt.text); (err == nil) != tt.ok {
				t.Errorf("got error %v, want ok = %v", err, tt.ok)
			}
		})
	}
}
