package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestProviders(t *testing.T) {
	env := environment{"ANTHROPIC_API_KEY=planted-test-key-anthropic", "OPENAI_MODEL=gpt-of-mine", "OPENAI_API_KEY=planted-test-key-openai", "OPENAI_WEIGHT=.25", "GEMINI_ENABLED=false", "GEMINI_API_KEY=planted-test-key-gemini"}
	got := thalas(t, env, "", "providers")
	if got.code != 0 || got.err != "" {
		t.Errorf("exit code %d, error output %q", got.code, got.err)
	}
	golden(t, "providers", got.out)
	if strings.Contains(got.out, "planted") {
		t.Error("a key is shown")
	}

	got = thalas(t, env, "", "providers", "--json")
	var rows []providerRow
	if err := json.Unmarshal([]byte(got.out), &rows); err != nil || got.code != 0 {
		t.Fatalf("exit code %d, %v:\n%s", got.code, err, got.out)
	}
	want := []providerRow{
		{"anthropic", "claude-haiku-5-5", 1, true, true, true, "", ptr(.1), ptr(.5), nil},
		{"gemini", "gemini-3.5-flash-lite", .8, false, true, false, "disabled: set GEMINI_ENABLED=true", ptr(.3), ptr(2.5), nil},
		{"grok", "grok-4.20-0309-non-reasoning", .7, false, false, false, "disabled, and no API key: set GROK_API_KEY and GROK_ENABLED=true", ptr(1.25), ptr(2.5), nil},
		{"openai", "gpt-of-mine", .25, true, true, true, "", nil, nil, nil},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}

	got = thalas(t, nil, "", "providers", "--simulate", "auto")
	if !strings.Contains(got.out, "Simulated: no language model would be asked.") {
		t.Errorf("nothing says that they are simulated:\n%s", got.out)
	}
}

func TestVersion(t *testing.T) {
	got := thalas(t, nil, "", "version")
	if got.code != 0 || !strings.HasPrefix(got.out, "thalas ") || !strings.Contains(got.out, " (go1.") {
		t.Errorf("exit code %d, %q", got.code, got.out)
	}
}

// The simulator serves until it is told to end, and says how to reach it.
func TestSimulate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, writer := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"simulate", "--faults", "grok=unavailable*"}, terminal{out: writer, err: io.Discard})
		_ = writer.Close()
	}()
	env := environment{"LOG_LEVEL=error"}
	lines := bufio.NewScanner(out)
	for len(env) < 13 && lines.Scan() { // three variables for each of four providers
		env = append(env, strings.TrimPrefix(lines.Text(), "export "))
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()

	response, err := http.Get(env.Getenv("OPENAI_BASE_URL") + "/v1/models")
	if err != nil || response.StatusCode != http.StatusUnauthorized { // no key was sent
		t.Errorf("the simulator does not answer: %v, %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	got := thalas(t, append(env, "MAX_ATTEMPTS=1"), indicators, "ask", "BTC/USDT", "--price", "1", "--data", "-", "--json")
	if got.code != 0 || !strings.Contains(got.out, `"participating_providers": 3`) || !strings.Contains(got.out, `"simulated": false`) {
		t.Errorf("exit code %d:\n%s%s", got.code, got.err, got.out)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d after the interrupt", code)
	}
}

func TestHelpFitsTheScreen(t *testing.T) {
	lines := [][]string{{"--help"}, {"help", "ask"}}
	for _, command := range newRoot(terminal{out: io.Discard}).Commands() {
		lines = append(lines, []string{command.Name(), "--help"})
	}
	for _, args := range lines {
		got := thalas(t, nil, "", args...)
		if got.code != 0 || !strings.Contains(got.out, "Usage:") || got.err != "" {
			t.Errorf("%v: exit code %d, error output %q", args, got.code, got.err)
		}
		for line := range strings.Lines(got.out) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	script := thalas(t, nil, "", "completion", "bash")
	if script.code != 0 || !strings.Contains(script.out, "__start_thalas") {
		t.Fatalf("exit code %d, output %.200s", script.code, script.out)
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		check := exec.Command(bash, "-n")
		check.Stdin = strings.NewReader(script.out)
		if output, err := check.CombinedOutput(); err != nil {
			t.Errorf("bash does not read the script: %v\n%s", err, output)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"a"}, "ask\tAsk the models"},
		{[]string{"ask", "BTC/USDT", "--wait", ""}, "all\ndecided\n"},
		{[]string{"ask", "BTC/USDT", "--simulate", ""}, "true\nauto\nfalse\n"},
		{[]string{"ask", "BTC/USDT", "--timeframe", "1"}, "1m\n"},
		{[]string{"providers", "--simulate", ""}, "true\nauto\nfalse\n"},
		{[]string{"history", "--simulate", ""}, "true\nauto\nfalse\n"},
		{[]string{"scoreboard", "--timeframe", "1"}, "1m\n"},
		{[]string{"settle", "--venue", ""}, "kraken\n"},
		{[]string{"export", "--format", ""}, "csv\njsonl\n"},
		{[]string{"metrics", "--window", ""}, "hour\nday\n"},
	} {
		got := thalas(t, nil, "", append([]string{"__complete"}, tt.args...)...)
		if got.code != 0 || !strings.Contains(got.out, tt.want) {
			t.Errorf("%q offers\n%swant %q", tt.args, got.out, tt.want)
		}
	}
}
