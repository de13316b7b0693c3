package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thalas/internal/signal"
)

func TestAtLeast(t *testing.T) {
	for _, tt := range []struct {
		n     int
		share float64
		rarer float64
		want  int
	}{
		{10, 0.5, 0.001, 1},            // 1/1024 is rarer, 11/1024 is not
		{1000, 0.99992, mistaken, 995}, // 0.08 are expected to fail
		{1, 0.5, 0.6, 1},
	} {
		if got := atLeast(tt.n, tt.share, tt.rarer); got != tt.want {
			t.Errorf("atLeast(%d, %v, %v) = %d, want %d", tt.n, tt.share, tt.rarer, got, tt.want)
		}
	}
}

func TestBill(t *testing.T) {
	const openai = `{"model": "gpt-6-luna", "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 0}}}`
	for name, tt := range map[string]struct {
		provider string
		status   int
		whole    bool
		body     string
		usd      float64
		unknown  bool
	}{
		"ticks":             {"grok", 200, true, `{"usage": {"cost_in_usd_ticks": 15000000}}`, 0.0015, false},
		"own error":         {"openai", 500, true, `{}`, 0, false},
		"refused":           {"openai", 429, true, `{}`, 0, false},
		"gateway":           {"openai", 502, true, `{}`, 0, true},
		"cut":               {"openai", 200, false, openai[:40], 0, true},
		"never begun":       {"openai", 0, false, ``, 0, true},
		"an error in a 200": {"openai", 200, true, `{"error": {"message": "You exceeded your current quota."}}`, 0, false},
		"ticks as text":     {"grok", 200, true, `{"usage": {"cost_in_usd_ticks": "15000000", "details": []}}`, 0.0015, false},
		"absurd":            {"openai", 200, true, `{"model": "gpt-6-luna", "usage": {"prompt_tokens": -1, "completion_tokens": 1e400}}`, 0, true},
		"no usage":          {"openai", 200, true, `{"model": "gpt-6-luna"}`, 0, true},
		"not JSON":          {"openai", 200, true, `<html>`, 0, true},
		"no price":          {"openai", 200, true, strings.Replace(openai, "gpt-6-luna", "gpt-test", 1), 0, true},
		"beyond a read":     {"openai", 200, true, openai + strings.Repeat(" ", readable), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			usd, unknown := bill(tt.provider, tt.status, tt.whole, []byte(tt.body))
			if math.Abs(usd-tt.usd) > 1e-12 || unknown != tt.unknown {
				t.Errorf("$%v, unknown %t; want $%v, %t", usd, unknown, tt.usd, tt.unknown)
			}
		})
	}
	if usd, unknown := bill("openai", 200, true, []byte(openai)); usd <= 0 || unknown {
		t.Errorf("$%v, unknown %t of a whole answer", usd, unknown)
	}
}

func TestBooked(t *testing.T) {
	c := &chaos{worst: map[string]int64{"grok": 700}}
	late := []signal.Failure{{Provider: "grok", Error: signal.FailureTimeout}}
	for name, tt := range map[string]struct {
		calls     []*call
		failures  []signal.Failure
		low, high int64
	}{
		"told":                 {[]*call{{provider: "grok", usd: 0.0001}, {provider: "grok", usd: 0.0000001}}, nil, 101, 101},
		"unknown":              {[]*call{{provider: "grok", unknown: true}, {provider: "grok", usd: 0.0001}}, nil, 799, 800},
		"at the deadline":      {[]*call{{provider: "grok", usd: 0.0001}}, late, 0, 800},
		"late, nothing billed": {[]*call{{provider: "grok"}}, late, 0, 0},
	} {
		if low, high := c.booked(tt.calls, tt.failures); low != tt.low || high != tt.high {
			t.Errorf("%s: %d to %d, want %d to %d", name, low, high, tt.low, tt.high)
		}
	}
}

func TestBroken(t *testing.T) {
	calls := []*call{{provider: "anthropic"}, {provider: "openai"}, {provider: "gemini"}, {provider: "grok"}}
	sound := answer{status: 200, Consensus: signal.Consensus{Status: signal.Complete, Decision: signal.Buy, TotalProviders: 4, ParticipatingProviders: 4}}
	for _, made := range calls {
		sound.Responses = append(sound.Responses, signal.Vote{Provider: made.provider, Attempts: 1})
	}
	if what := sound.broken(calls, 2); what != nil {
		t.Errorf("a sound answer breaks %q", what)
	}
	for name, change := range map[string]func(*answer){
		"a HOLD":             func(a *answer) { a.Decision = signal.Hold },
		"a vote twice":       func(a *answer) { a.Responses[1] = a.Responses[0] },
		"a vote is missing":  func(a *answer) { a.Responses, a.ParticipatingProviders = a.Responses[1:], 3 },
		"an attempt hidden":  func(a *answer) { a.Responses[2].Attempts = 2 },
		"a cost from nobody": func(a *answer) { a.TotalCostUSD = 0.1 },
		"another status":     func(a *answer) { a.status = 500 },
	} {
		a := sound
		a.Responses = append([]signal.Vote(nil), sound.Responses...)
		if change(&a); a.broken(calls, 2) == nil {
			t.Errorf("%s: nothing is broken", name)
		}
	}
	if sound.broken(calls, 5) == nil {
		t.Error("a decision without a quorum breaks nothing")
	}
}

func TestThirds(t *testing.T) {
	if middle, last := thirds([]float64{9, 9, 9, 1, 2, 3, 6, 5, 4}); middle != 2 || last != 5 {
		t.Errorf("%v and %v, want 2 and 5", middle, last)
	}
	if middle, last := thirds([]float64{1, 2}); middle != 0 || last != 0 {
		t.Errorf("of too few: %v and %v", middle, last)
	}
}

func TestChanceIsOfTheCall(t *testing.T) {
	c := &chaos{seed: 1}
	if c.chance("a", 1).Uint64() != c.chance("a", 1).Uint64() || c.chance("a", 1).Uint64() == c.chance("a", 2).Uint64() {
		t.Error("the draws do not follow the call")
	}
}

// The docs have the marks of every scenario, and a table between them.
func TestDocsHaveEveryTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "copy.md")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{}
	for _, s := range scenarios {
		tables[s.name] = "| " + s.name + " |\n"
	}
	if err := writeTables(file, tables); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	for _, table := range tables {
		if err != nil || !bytes.Contains(written, []byte(table)) {
			t.Errorf("%q is not written: %v", table, err)
		}
	}
}

func TestMistakesOfUsage(t *testing.T) {
	var out bytes.Buffer
	for _, args := range [][]string{{"-only", "nothing"}, {"-nonsense"}, {"-short", "-docs", "a.md"}} {
		if code := run(t.Context(), args, &out, &out); code != 2 {
			t.Errorf("%v: exit status %d, want 2", args, code)
		}
	}
}
