package e2e

// What `make run` does, from the files of a clone and in an empty home.

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runLine is the command line of `make run`, with the binary in place of go run.
func runLine(t *testing.T) string {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	recipe := regexp.MustCompile(`(?m)^run:.*\n((?:\t.*\n)+)`).FindStringSubmatch(string(makefile))
	if recipe == nil {
		t.Fatal("the Makefile has no target run")
	}
	line := strings.ReplaceAll(strings.TrimSpace(recipe[1]), "$$", "$")
	if strings.Count(line, "go run ./cmd/thalas ") != 1 || strings.Contains(line, "\n") {
		t.Fatalf("make run does something else: %s", line)
	}
	return strings.Replace(line, "go run ./cmd/thalas ", `exec "`+binary+`" `, 1)
}

func TestMakeRun(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	clone := t.TempDir()
	candles, err := os.ReadFile("../examples/sp500-daily.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(clone, "examples"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, "examples", "sp500-daily.csv"), candles, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, again := range []string{"the first time", "again"} {
		command := child(t, []string{"HOME=" + t.TempDir(), "LISTEN_ADDR=127.0.0.1:0"}, "-c", runLine(t))
		command.Path, command.Dir = shell, clone
		s := startCommand(t, command)
		if s.out.await(regexp.MustCompile("End with Ctrl-C"), s.done) == nil {
			t.Fatalf("%s: it ends: exit code %d\n%s", again, s.code, s.log)
		}
		latest := s.get(t, "/v1/consensus/latest?pair=SPX/USD&timeframe=1d")
		if c := resultOf(t, latest); !c.Simulated || !strings.Contains(s.out.String(), c.ID) {
			t.Errorf("%s: what is printed is not what is stored: %s\n%s", again, latest.body, s.out)
		}
		for _, want := range []string{"SIMULATED: ", "The server stays up: " + s.url + "\n", "curl -s " + s.url + "/v1/consensus ", " confidence "} {
			if !strings.Contains(s.out.String(), want) {
				t.Errorf("%s: nothing says %q:\n%s", again, want, s.out)
			}
		}
		s.terminate(t, os.Interrupt)
		if _, err := os.Stat(filepath.Join(clone, ".demo", "thalas.db")); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	}
}
