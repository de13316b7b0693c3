// Package process runs servers as children, for commands that measure or disturb them.
// It builds thalas, starts a server, waits until it listens, reads what it uses of the
// machine, and ends it. It knows nothing of what a server does, and needs only the
// standard library.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// ErrForced is in the error of a process that had to be killed when it was told to end.
var ErrForced = errors.New("was killed")

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 45 * time.Second // a server may finish runs in flight for 40 s
)

// Process is a running server. Its log is in a file of the temporary folder.
type Process struct {
	URL    string // without a path
	name   string
	cmd    *exec.Cmd
	log    string
	exited chan struct{} // closed when it has ended
	err    error         // of the process; read after exited
	close  func()
}

// serving is the line in which a server says where it listens.
var serving = regexp.MustCompile(`Open the page in a browser: (http://\S+)/\n`)

// Announce writes the line by which [Serve] finds the address of a server.
func Announce(w io.Writer, address net.Addr) {
	fmt.Fprintf(w, "Open the page in a browser: http://%s/\n", address)
}

// Serve starts a server with exactly this environment, and returns once its log says
// where it listens. If it does not within 30 s, or ends, the error has the end of its log.
// Its standard input stays open as long as this process lives.
func Serve(ctx context.Context, name, folder string, environ []string, program string, args ...string) (*Process, error) {
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
		p.err = cmd.Wait()
		close(p.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		text, _ := os.ReadFile(p.log)
		if found := serving.FindSubmatch(text); found != nil {
			p.URL = string(found[1])
			return p, nil
		}
		select {
		case <-p.exited:
			p.close()
			return nil, fmt.Errorf("%s ended at once (%v)%s", p.name, p.err, p.endOfLog())
		case <-ctx.Done():
			p.Kill()
			return nil, fmt.Errorf("%s does not say that it listens: %w%s", p.name, ctx.Err(), p.endOfLog())
		case <-poll.C:
		}
	}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
	p.close()
}

// Stop ends the process, by force after 45 s. Its error says that the process had ended
// before, that it ended badly, or that force was needed.
func (p *Process) Stop() error {
	defer p.close()
	select {
	case <-p.exited:
		return fmt.Errorf("%s ended by itself (%v)%s", p.name, p.err, p.endOfLog())
	default:
	}
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil { // not known everywhere
		_ = p.cmd.Process.Kill()
	}
	select {
	case <-p.exited:
		// Ended by our signal, which it may leave to the system, or well.
		if code := p.cmd.ProcessState.ExitCode(); code > 0 {
			return fmt.Errorf("%s ended with exit status %d%s", p.name, code, p.endOfLog())
		}
		return nil
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s did not stop within %v and %w%s", p.name, stopTimeout, ErrForced, p.endOfLog())
	}
}

func (p *Process) endOfLog() string {
	log, _ := os.ReadFile(p.log)
	text := strings.TrimSpace(string(log[max(0, len(log)-2000):]))
	if text == "" {
		return ""
	}
	return "; its log ends:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// PlainEnvironment is the part of this environment that a server may have: no key, no
// proxy and no setting of the server, so that two runs measure the same thing. The Go
// runtime's own settings are kept, for experiments.
func PlainEnvironment() []string {
	var environ []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GORACE"} {
		if value, set := os.LookupEnv(name); set {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// Build compiles thalas into the folder and returns the program's path. The working
// folder must belong to the module.
func Build(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "thalas.exe") // the suffix is needed on one system and hurts on none
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "thalas/cmd/thalas")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build thalas/cmd/thalas (go to a folder of the module first): %w\n%s", err, output)
	}
	return program, nil
}
