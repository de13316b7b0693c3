package sam

// sam local start-api: the routes of the template over HTTP.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// API is a running start-api.
type API struct {
	URL string

	command *exec.Cmd
	stop    context.CancelFunc
	ended   chan struct{}
	log     *transcript
}

// startTime bounds the time until it listens.
const startTime = 2 * time.Minute

// StartAPI serves at a port of this machine until Stop is called or ctx ends. Each function
// keeps its container from request to request. The output of sam and of the functions
// goes to log.
func (c *CLI) StartAPI(ctx context.Context, port int, log io.Writer) (*API, error) {
	ctx, stop := context.WithCancel(ctx)
	a := &API{URL: "http://127.0.0.1:" + strconv.Itoa(port), stop: stop, ended: make(chan struct{}), log: &transcript{to: log}}
	a.command = c.command(ctx, c.local("start-api", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--warm-containers", "LAZY")...)
	a.command.Stdout, a.command.Stderr = a.log, a.log
	if err := a.command.Start(); err != nil {
		stop()
		return nil, err
	}
	go func() {
		_ = a.command.Wait()
		close(a.ended)
	}()
	late := time.NewTimer(startTime)
	defer late.Stop()
	for {
		if answer, err := http.Get(a.URL + "/"); err == nil { // no route: no function is started
			return a, answer.Body.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
			continue
		case <-a.ended:
		case <-late.C:
		}
		said := a.Log()
		a.Stop()
		return nil, fmt.Errorf("sam local start-api did not come up; it said:\n%s", tail([]byte(said)))
	}
}

// Ended is closed when start-api has ended.
func (a *API) Ended() <-chan struct{} { return a.ended }

// Log is the output until now.
func (a *API) Log() string { return a.log.String() }

// Stop ends start-api and its containers.
func (a *API) Stop() {
	a.stop()
	<-a.ended
}

// transcript keeps what it passes on.
type transcript struct {
	to io.Writer

	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p)
	return t.to.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
