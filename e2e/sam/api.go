package sam

// sam local start-api: the routes of the template over HTTP.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// API is a running start-api.
type API struct {
	URL string

	stop  context.CancelFunc
	ended chan struct{}
	log   string // file
}

// startTime bounds the time until it listens.
const startTime = 2 * time.Minute

// StartAPI serves at a port of this machine until Stop is called or ctx ends. Each function
// keeps its container from request to request. The output of sam and of the functions
// goes to log.
func (c *CLI) StartAPI(ctx context.Context, port int, log io.Writer) (*API, error) {
	file, err := os.Create(filepath.Join(c.folder, "start-api.log"))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	a := &API{URL: "http://127.0.0.1:" + strconv.Itoa(port), stop: stop, ended: make(chan struct{}), log: file.Name()}
	command := c.command(ctx, c.local("start-api", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--warm-containers", "LAZY")...)
	both := io.MultiWriter(file, log)
	command.Stdout, command.Stderr = both, both
	if err := command.Start(); err != nil {
		stop()
		file.Close()
		return nil, err
	}
	go func() {
		_ = command.Wait()
		file.Close()
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
func (a *API) Log() string {
	text, _ := os.ReadFile(a.log)
	return string(text)
}

// Stop ends start-api and its containers.
func (a *API) Stop() {
	a.stop()
	<-a.ended
}
