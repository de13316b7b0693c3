// Package process runs programs as children, for commands that measure or torment
// a server: it builds the server, starts it, waits until it answers, says what it
// takes of the machine, and ends it, whatever happens. It knows nothing of what the
// children do, and needs the standard library alone.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrForced is in the error of a process that did not end by itself when it was told to.
var ErrForced = errors.New("was killed")

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 45 * time.Second // a server may finish runs in flight for 40 s
)

// Process is a running child. Its log is in a file of the temporary folder.
type Process struct {
	Address string // host:port; empty until the caller has found it out
	name    string
	cmd     *exec.Cmd
	log     string
	exited  chan struct{} // closed when it has ended
	failure error         // of the process; read after exited
	told    bool          // that it ended by itself
	close   func()
}

// Start runs a program with exactly this environment. It gets a standard input
// that stays open as long as we live.
func Start(name, folder string, environ []string, program string, args ...string) (*Process, error) {
	log, err := os.CreateTemp(folder, name+"-*.log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = environ, folder, log, log
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, log: log.Name(), exited: make(chan struct{})}
	p.close = func() { stdin.Close(); log.Close() }
	go func() {
		p.failure = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Await returns when try has succeeded, or with an error that holds the end of the
// log where the process ends or 30 s pass before.
func (p *Process) Await(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			p.told = true
			return fmt.Errorf("%s ended at once (%v)%s", p.name, p.failure, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w%s", p.name, err, p.lastWords())
		case <-poll.C:
		}
	}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is what the process has written to standard output and standard error.
func (p *Process) Log() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}

// Kill ends the process as a power cut would.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
	p.close()
}

// Stop ends the process, by force if it must be. An error says that it had ended
// before, unless that was told, that it ended badly, or that force was needed.
func (p *Process) Stop() error {
	defer p.close()
	select {
	case <-p.exited:
		if p.told {
			return nil
		}
		return fmt.Errorf("%s ended by itself (%v)%s", p.name, p.failure, p.lastWords())
	default:
	}
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil { // not known everywhere
		_ = p.cmd.Process.Kill()
	}
	select {
	case <-p.exited:
		// Ended by our signal, which it may leave to the system, or well.
		if code := p.cmd.ProcessState.ExitCode(); code > 0 {
			return fmt.Errorf("%s ended with exit status %d%s", p.name, code, p.lastWords())
		}
		return nil
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s did not stop within %v and %w%s", p.name, stopTimeout, ErrForced, p.lastWords())
	}
}

// lastWords is the end of the log.
func (p *Process) lastWords() string {
	text := p.Log()
	if text = strings.TrimSpace(text[max(0, len(text)-2000):]); text == "" {
		return ""
	}
	return "; its log ends:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// FreeAddress gives an address on the loopback that nobody listens on now.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// PlainEnvironment is what a child gets of ours: no key, no proxy and no setting
// of the server, so that two runs measure the same thing. The Go runtime's own
// settings go along, for experiments.
func PlainEnvironment() []string {
	var environ []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GORACE"} {
		if value, set := os.LookupEnv(name); set {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// Build compiles the server into the folder and gives the program's path. It must be
// called in a folder of the module.
func Build(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "thalas.exe") // the suffix is needed on one system and hurts on none
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "thalas/cmd/thalas")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build thalas/cmd/thalas (go to a folder of the module first): %w\n%s", err, output)
	}
	return program, nil
}
