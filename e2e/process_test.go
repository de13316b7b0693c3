package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// An interrupt ends a run at once, without a decision: votes that are there
// already must not become one.
func TestInterrupt(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("signals can't be sent there")
			}
			hanging := make(chan struct{}, 8)
			s := newWireServer(t, func(w http.ResponseWriter, r *http.Request) {
				if provider, _, _ := strings.Cut(r.URL.Path[1:], "/"); provider == "openai" {
					_, _ = w.Write([]byte(envelope(provider, ballots[provider])))
					return
				}
				hanging <- struct{}{}
				<-r.Context().Done()
			})
			command := child(t, plantedAt(s.URL), question("--timeout", "30")...)
			var out, err bytes.Buffer
			command.Stdin, command.Stdout, command.Stderr = strings.NewReader(indicators), &out, &err
			if failed := command.Start(); failed != nil {
				t.Fatal(failed)
			}
			for range 3 {
				<-hanging
			}
			if failed := command.Process.Signal(signal); failed != nil {
				t.Fatal(failed)
			}
			o := finished(t, command.Wait(), command, &out, &err)
			if o.code != 1 || o.out != "" || !strings.Contains(o.err, "cancelled before it was decided") || strings.Contains(o.err, "Consensus reached") {
				t.Errorf("want exit code 1 and no decision: %s", o)
			}
		})
	}
}

// The simulator serves until it is interrupted, which is how it ends well.
func TestSimulateEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals can't be sent there")
	}
	command := child(t, nil, "simulate")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // its first line: it is there
		t.Fatal(err)
	}
	_ = command.Process.Signal(os.Interrupt)
	_, _ = io.Copy(io.Discard, out)
	if err := command.Wait(); err != nil {
		t.Errorf("simulate ends by %v", err)
	}
}

// An input that never comes is no reason not to end.
func TestInterruptWhileReading(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals can't be sent there")
	}
	command := child(t, nil, question()...)
	var out, err bytes.Buffer
	command.Stdout, command.Stderr = &out, &err
	in, failed := command.StdinPipe()
	if failed != nil {
		t.Fatal(failed)
	}
	defer in.Close()
	if failed := command.Start(); failed != nil {
		t.Fatal(failed)
	}
	// More than a pipe holds: once it is written, the program is reading.
	if _, failed := in.Write([]byte(`{"note": "` + strings.Repeat("x", 200<<10))); failed != nil {
		t.Fatal(failed)
	}
	_ = command.Process.Signal(os.Interrupt)
	if o := finished(t, command.Wait(), command, &out, &err); o.code != 1 || o.out != "" || !strings.Contains(o.err, "interrupted before anybody was asked") {
		t.Errorf("want exit code 1: %s", o)
	}
}

func TestInputsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	junk := "\x00\x01\xff\xfe\x1b[2J\"\x1b]0;x\a\r\n\x7f" + strings.Repeat("\x80\"\n", 1000)
	files := map[string]string{
		"missing": filepath.Join(dir, "none"), "folder": dir, "empty": write("empty", "", 0o600),
		"junk": write("junk", junk, 0o600), "long line": write("long", strings.Repeat("a", 1<<20), 0o600),
		"forbidden":                  write("forbidden", `{"rsi": 1}`, 0),
		"a name \x1b[31mthat steers": filepath.Join(dir, "\x1b[31m\nnone"),
	}
	for name, path := range files {
		for _, flag := range []string{"--data", "--candles"} {
			t.Run(flag+" "+name, func(t *testing.T) {
				t.Parallel()
				if file, err := os.Open(path); err == nil && name == "forbidden" {
					_ = file.Close()
					t.Skip("this user may read everything")
				}
				o := thalas(t, nil, "", "ask", "BTC/USDT", "--price", "1", flag, path)
				if o.code != 2 || o.out != "" || !strings.HasPrefix(o.err, "Error: "+flag) || len(o.err) > 700 {
					t.Errorf("want exit code 2 and a short text that names %s: %s", flag, o)
				}
				if strings.ContainsAny(o.err, "\x1b\x00\a\r") {
					t.Errorf("control characters get through: %q", o.err)
				}
			})
		}
	}
	for _, flag := range []string{"--data", "--candles"} {
		o := thalas(t, nil, junk, "ask", "BTC/USDT", "--price", "1", flag, "-")
		if o.code != 2 || o.out != "" || !strings.HasPrefix(o.err, "Error: "+flag+" -") {
			t.Errorf("junk as standard input of %s: %s", flag, o)
		}
	}
}

// A result that nobody gets is no success.
func TestStandardOutputIsGone(t *testing.T) {
	s := simulated(t, "")
	env := append(s.Env(), "LOG_LEVEL=error")
	t.Run("closed pipe", func(t *testing.T) {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		defer writer.Close()
		command := child(t, env, question("--json")...)
		var failed bytes.Buffer
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(indicators), writer, &failed
		if o := finished(t, command.Run(), command, &bytes.Buffer{}, &failed); o.code == 0 { // by the signal, as usual, or by the error
			t.Errorf("no failure: %s", o)
		}
	})
	t.Run("full device", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("there is none here")
		}
		defer full.Close()
		for _, args := range [][]string{question(), question("--json"), {"providers"}, {"version"}} {
			command := child(t, env, args...)
			var failed bytes.Buffer
			command.Stdin, command.Stdout, command.Stderr = strings.NewReader(indicators), full, &failed
			if o := finished(t, command.Run(), command, &bytes.Buffer{}, &failed); o.code != 1 || !strings.Contains(o.err, "no space left") {
				t.Errorf("%v: want exit code 1: %s", args, o)
			}
		}
	})
}
