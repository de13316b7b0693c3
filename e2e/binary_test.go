package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "thalas-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "thalas.exe") // the ending matters on Windows only
	// Nearly everything is compiled once for this and for the functions. Without symbols it links faster.
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "../cmd/thalas")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// guard ends a child that hangs. No test waits that long unless it fails.
const guard = 60 * time.Second

// child is the program about to be run with env alone for an environment.
func child(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append([]string{"LC_ALL=C"}, env...) // never nil, which would be ours
	command.WaitDelay = time.Second
	return command
}

// outcome is what a run came to.
type outcome struct {
	code     int // -1: ended by a signal
	out, err string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit code %d\nstandard output:\n%s\nstandard error:\n%s", o.code, o.out, o.err)
}

// thalas runs the program.
func thalas(t *testing.T, env []string, stdin string, args ...string) outcome {
	t.Helper()
	command := child(t, env, args...)
	var out, err bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &err
	return finished(t, command.Run(), command, &out, &err)
}

func finished(t *testing.T, failed error, command *exec.Cmd, out, err *bytes.Buffer) outcome {
	t.Helper()
	if command.ProcessState == nil {
		t.Fatalf("%v did not start: %v", command.Args, failed)
	}
	o := outcome{command.ProcessState.ExitCode(), out.String(), err.String()}
	if strings.Contains(o.err, "goroutine ") || strings.Contains(o.err, "panic:") {
		t.Errorf("%v ends with a trace:\n%s", command.Args, o)
	}
	return o
}

const indicators = `{"rsi": 30, "macd": 150, "price_change_24h": 2.5}`

// question is an ask that reads indicators from standard input.
func question(more ...string) []string {
	return append([]string{"ask", "BTC/USDT", "--price", "50000.50", "--data", "-"}, more...)
}

// decisionOf reads the document of a run that decided.
func decisionOf(t *testing.T, o outcome) signal.Consensus {
	t.Helper()
	var c signal.Consensus
	if o.code != 0 {
		t.Fatalf("there is no decision: %s", o)
	}
	if err := json.Unmarshal([]byte(o.out), &c); err != nil {
		t.Fatalf("standard output is not the document alone: %v\n%s", err, o)
	}
	return c
}

// simulated starts a simulator with a script of faults.
func simulated(t *testing.T, script string) *simulator.Running {
	t.Helper()
	faults, err := simulator.ParseFaults(script)
	if err != nil {
		t.Fatal(err)
	}
	running, err := simulator.Start(simulator.Options{Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	return running
}
