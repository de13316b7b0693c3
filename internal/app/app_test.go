package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
)

func load(t *testing.T, environ ...string) config.Config {
	t.Helper()
	c, err := config.Load(environ, Known())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noSimulator(t *testing.T) Simulator {
	return func() (func(string) string, error) {
		t.Error("the simulator is started")
		return nil, errors.New("not wanted")
	}
}

func TestEntriesSayWhyTheyCannotBeAsked(t *testing.T) {
	a, err := New(load(t, "OPENAI_API_KEY=planted-test-key", "OPENAI_WEIGHT=0.25", "OPENAI_TIMEOUT_SECONDS=3", "GEMINI_ENABLED=false"), nil, noSimulator(t))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range a.Registry.Entries() {
		switch {
		case e.Disabled:
			got[e.Provider.Name()] = "disabled; " + e.Unavailable
		default:
			got[e.Provider.Name()] = e.Unavailable
		}
	}
	want := map[string]string{
		"anthropic": "no API key: set ANTHROPIC_API_KEY", "openai": "",
		"gemini": "disabled; no API key: set GEMINI_API_KEY", "grok": "disabled; no API key: set GROK_API_KEY",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if e, _ := a.Registry.Find("openai"); e.VoteWeight() != .25 || e.Timeout.Seconds() != 3 {
		t.Errorf("openai has weight %v and timeout %s", e.VoteWeight(), e.Timeout)
	}
}

func TestSimulation(t *testing.T) {
	tests := []struct {
		name    string
		environ []string
		want    bool
	}{
		{"by default never", nil, false},
		{"false", []string{"SIMULATE_PROVIDERS=false"}, false},
		{"auto without a key", []string{"SIMULATE_PROVIDERS=auto"}, true},
		{"auto with the key of a disabled provider", []string{"SIMULATE_PROVIDERS=auto", "GROK_API_KEY=planted-test-key"}, false},
		{"true with a key", []string{"SIMULATE_PROVIDERS=true", "OPENAI_API_KEY=planted-test-key"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			started := 0
			a, err := New(load(t, tt.environ...), nil, func() (func(string) string, error) {
				started++
				return func(name string) string { return "http://127.0.0.1/" + name }, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if a.Simulated != tt.want || (started == 1) != tt.want || (len(a.Registry.Available()) == 3) != tt.want {
				t.Errorf("simulated %t, started %d times, %d available; want %t", a.Simulated, started, len(a.Registry.Available()), tt.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "prices.json")
	if err := os.WriteFile(broken, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, says string
		environ    []string
	}{
		{"several providers", "2 mistakes:\n  ANTHROPIC_EFFORT", []string{"ANTHROPIC_EFFORT=nonsense", "GROK_EFFORT=high"}},
		{"key as an effort", `OPENAI_EFFORT is "[redacted]"`, []string{"OPENAI_EFFORT=Planted-Test-Key", "OPENAI_API_KEY=Planted-Test-Key"}},
		{"key as a model", "GROK_MODEL holds an API key", []string{"GROK_MODEL=planted-test-key", "OPENAI_API_KEY=planted-test-key"}},
		{"key in an address", "GROK_BASE_URL holds an API key", []string{"GROK_BASE_URL=http://h/planted-test-key", "OPENAI_API_KEY=planted-test-key"}},
		{"no price file", "PRICES_FILE: the table of models and prices can't be read", []string{"PRICES_FILE=" + filepath.Join(dir, "none")}},
		{"broken price file", "PRICES_FILE: the table of models and prices " + broken, []string{"PRICES_FILE=" + broken}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(load(t, tt.environ...), nil, noSimulator(t))
			var mistakes config.Mistakes
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want the mistake %q", err, tt.says)
			}
		})
	}
}

func TestSimulatorThatIsMissing(t *testing.T) {
	c := load(t, "SIMULATE_PROVIDERS=true")
	if _, err := New(c, nil, nil); err == nil || !strings.Contains(err.Error(), "this program has no simulator") {
		t.Errorf("error %v", err)
	}
	if _, err := New(c, nil, func() (func(string) string, error) { return nil, errors.New("no port is free") }); err == nil || !strings.Contains(err.Error(), "no port is free") {
		t.Errorf("error %v", err)
	}
}
