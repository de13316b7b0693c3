package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

const candles = "../examples/sp500-daily.csv"

// A stranger has no key and runs what the README says.
func TestStranger(t *testing.T) {
	t.Parallel()
	ask := func(more ...string) []string {
		return append([]string{"ask", "SPX/USD", "--timeframe", "1d", "--candles", candles}, more...)
	}
	c := decisionOf(t, thalas(t, nil, "", ask("--simulate", "auto", "--json")...))
	if !c.Simulated || c.Pair.String() != "SPX/USD" || c.Timeframe != "1d" || c.ParticipatingProviders != 3 || c.CurrentPrice != 2874.560059 || c.Status != "complete" {
		t.Errorf("got %+v", c)
	}

	o := thalas(t, nil, "", ask("--simulate", "auto")...)
	if o.code != 0 || !strings.HasPrefix(o.out, "SIMULATED: ") || !strings.Contains(o.err, "no language model is asked") {
		t.Errorf("a simulated decision should say so: %s", o)
	}
	if strings.Contains(o.out+o.err, "\x1b") {
		t.Errorf("escape codes in a pipe: %q", o)
	}
	if strings.Contains(o.out, "asking") || strings.Contains(o.out, `"msg"`) || !strings.Contains(o.err, "anthropic  ") {
		t.Errorf("the result should be alone on standard output, the live lines elsewhere: %s", o)
	}
}

// Nothing simulates by itself: there is money behind a decision.
func TestNothingSimulatesByItself(t *testing.T) {
	refused := simulated(t, "anthropic=wrong_key*")
	tests := []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"unset", nil, nil, "No available providers in registry"},
		{"false", []string{"SIMULATE_PROVIDERS=false"}, nil, "No available providers in registry"},
		{"the flag wins", []string{"SIMULATE_PROVIDERS=true"}, []string{"--simulate", "false"}, "No available providers in registry"},
		{"auto, but there is a key", []string{"ANTHROPIC_API_KEY=planted-test-key", "ANTHROPIC_BASE_URL=" + refused.BaseURL("anthropic")}, []string{"--simulate", "auto"},
			"Insufficient successful provider responses: 0 < 1"},
		{"auto, but there is the key of a disabled provider", []string{"GROK_API_KEY=planted-test-key"}, []string{"--simulate", "auto"}, "No available providers in registry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := thalas(t, tt.env, indicators, question(append(tt.args, "--json")...)...)
			if o.code != 3 || o.out != "" || !strings.Contains(o.err, tt.says) {
				t.Errorf("want exit code 3 and %q: %s", tt.says, o)
			}
			if tt.says == "No available providers in registry" && !strings.Contains(o.err, "set ANTHROPIC_API_KEY\n") {
				t.Errorf("nothing says what to set: %s", o)
			}
		})
	}
}

// A real key never goes to the simulator, and a real address is never asked by it.
func TestSimulateTrueWithKeys(t *testing.T) {
	t.Parallel()
	real := simulated(t, "")
	c := decisionOf(t, thalas(t, append(real.Env(), "LOG_LEVEL=error"), indicators, question("--simulate", "true", "--json")...))
	if !c.Simulated || c.ParticipatingProviders != 4 || len(real.Requests()) != 0 {
		t.Errorf("simulated %t with %d votes, and the configured addresses got %v", c.Simulated, c.ParticipatingProviders, real.Requests())
	}
}

func TestCommandsThatAskNobody(t *testing.T) {
	// Nobody listens at port 1: whoever asked would fail.
	env := []string{"ANTHROPIC_API_KEY=planted-test-key", "ANTHROPIC_BASE_URL=http://127.0.0.1:1"}
	for _, args := range [][]string{{"version"}, {"providers"}, {"providers", "--json"}, {"--help"}, {"help", "ask"}, {"completion", "zsh"}} {
		if o := thalas(t, env, "", args...); o.code != 0 || o.out == "" || o.err != "" {
			t.Errorf("%v: %s", args, o)
		}
	}
	if o := thalas(t, []string{"MIN_PROVIDERS=x"}, "", "version"); o.code != 0 {
		t.Errorf("version reads a configuration that it has no use for: %s", o)
	}
}

func TestCompletionScriptsAreRead(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // that shell is not here
		}
		check := exec.Command(path, "-n")
		check.Stdin = strings.NewReader(thalas(t, nil, "", "completion", shell).out)
		if output, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s does not read its script: %v\n%s", shell, err, output)
		}
	}
}
