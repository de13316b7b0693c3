package main

// The server under test, and who asks it.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"thalas/e2e/process"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// guard ends what hangs. Nothing takes that long unless a promise is broken.
const guard = 60 * time.Second

// budget is a day's budget that nothing here uses up, in USD.
const budget = "1000000"

type server struct {
	*process.Process
	url    string
	client *http.Client
}

var serving = regexp.MustCompile(`Try it in a browser: (http://\S+)/docs\n`)

// start runs serve over a data file, and returns once it listens. A wrapper is a
// shell script that ends by running its arguments.
func (c *chaos) start(p *providers, file, wrapper string, env ...string) (*server, error) {
	environ := slices.Concat(process.PlainEnvironment(), p.env(), []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_FILE=" + file, "LOG_LEVEL=error", "DAILY_BUDGET_USD=" + budget}, env)
	program, args := c.program, []string{"serve"}
	if wrapper != "" {
		program, args = "/bin/sh", []string{"-c", wrapper, "sh", c.program, "serve"}
	}
	child, err := process.Start("thalas", c.folder, environ, program, args...)
	if err != nil {
		return nil, err
	}
	s := &server{Process: child, client: &http.Client{Timeout: guard, Transport: &http.Transport{MaxIdleConnsPerHost: 512}}}
	c.mu.Lock()
	c.servers = append(c.servers, s)
	c.mu.Unlock()
	err = child.Await(c.ctx, func(context.Context) error {
		found := serving.FindStringSubmatch(child.Log())
		if found == nil {
			return errors.New("it does not say that it listens")
		}
		s.url = found[1]
		return nil
	})
	return s, err
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	s.Kill()
	s.client.CloseIdleConnections()
}

// end ends the server as an operator does. An exit status is judged by the caller.
func (s *server) end() error {
	s.client.CloseIdleConnections()
	return s.Stop()
}

// thalas runs a command of the program over a data file that no server has open.
func (c *chaos) thalas(file string, args ...string) error {
	output, err := exec.CommandContext(c.ctx, c.program, append(args, "--data-file", file)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("thalas %s: %w: %s", args[0], err, output)
	}
	return nil
}

// checkFile has every record of a data file read.
func (c *chaos) checkFile(file string) {
	if err := c.thalas(file, "check"); err != nil {
		c.failf("%v", err)
	}
}

// scratch names a data file that is not there yet.
func (c *chaos) scratch() (string, error) {
	folder, err := os.MkdirTemp(c.folder, "store-")
	return folder + "/thalas.db", err
}

// answer is what a caller gets.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // there was none

	signal.Consensus // of a 200
	problem          struct {
		Type      string
		Detail    string
		Retryable bool
		Failures  []signal.Failure
	}
}

func (a *answer) String() string { return fmt.Sprintf("%d %.500s", a.status, bytes.TrimSpace(a.body)) }

// isReplay reports whether the answer is one of before.
func (a *answer) isReplay() bool { return a.header.Get("Idempotency-Replayed") == "true" }

func (a *answer) warns(of signal.WarningCode) bool {
	return slices.ContainsFunc(a.Warnings, func(w signal.Warning) bool { return w.Code == of })
}

// question asks about a market in which every sound vote but one is BUY, so that a
// decision is BUY whoever else fails. All are of the same length, and so may cost the
// same.
func question(pair string, quorum int, timeout string) string {
	return fmt.Sprintf(`{"pair": "%s/USDT", "current_price": 50000, "market_data": {"rsi": 20, "macd": 900, "price_change_24h": 4}, "min_providers": %d, "timeout_seconds": %s}`, pair, quorum, timeout)
}

// ask posts a question; with a key where that is not empty. A store that a slow disk keeps
// from claiming the key asks nobody, and says so: the question is repeated, as it advises.
func (s *server) ask(body, key string) (a answer) {
	for range 60 {
		if a = s.askOnce(body, key); !strings.HasSuffix(a.problem.Type, "/store-unreachable") {
			break
		}
	}
	return a
}

func (s *server) askOnce(body, key string) answer {
	request, err := http.NewRequest(http.MethodPost, s.url+"/v1/consensus", strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	a := s.do(request)
	if a.status == http.StatusOK {
		a.err = json.Unmarshal(a.body, &a.Consensus)
	} else if a.err == nil {
		a.err = json.Unmarshal(a.body, &a.problem)
	}
	return a
}

func (s *server) get(path string) answer {
	request, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		return answer{err: err}
	}
	return s.do(request)
}

func (s *server) do(request *http.Request) (a answer) {
	response, err := s.client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a.status, a.header = response.StatusCode, response.Header
	a.body, a.err = io.ReadAll(response.Body)
	return a
}

// isKept reports whether the server gives a result back byte for byte.
func (s *server) isKept(a answer) bool {
	found := s.get("/v1/consensus/" + a.ID)
	return found.status == http.StatusOK && bytes.Equal(found.body, a.body)
}

// health is what GET /v1/health says.
type health struct {
	Status, Store string
	Providers     []struct {
		Name    string
		LeftOut *struct{ Reason string } `json:"left_out"`
	}
	Budget *struct {
		Spent    float64 `json:"spent_usd"`
		Reserved float64 `json:"reserved_usd"`
	}
}

func (s *server) health() (h health, err error) {
	a := s.get("/v1/health")
	if a.err != nil {
		return h, a.err
	}
	return h, json.Unmarshal(a.body, &h)
}

// money gives what the day's budget has spent and reserved, in millionths of a USD.
func (s *server) money() (spent, reserved int64, err error) {
	h, err := s.health()
	if err == nil && h.Budget == nil {
		err = errors.New("health does not tell the day's budget")
	}
	if err != nil {
		return 0, 0, err
	}
	return micro(h.Budget.Spent), micro(h.Budget.Reserved), nil
}

// worstCases finds what one attempt of each provider may cost: what is reserved for a
// question to it alone, while that is being asked.
func (c *chaos) worstCases() (worst map[string]int64, err error) {
	worst = map[string]int64{}
	for _, name := range simulator.Providers {
		asked := make(chan struct{}, 1)
		p := newProviders(func(string, string, int) simulator.Fault { return "hang" })
		p.arrived = func() { asked <- struct{}{} }
		env := []string{"MAX_ATTEMPTS=1"}
		for _, other := range simulator.Providers {
			env = append(env, fmt.Sprintf("%s_ENABLED=%t", strings.ToUpper(other), other == name))
		}
		file, err := c.scratch()
		if err != nil {
			return nil, err
		}
		s, err := c.start(p, file, "", env...)
		if err != nil {
			return nil, err
		}
		go s.ask(question(pairOf(0), 1, "25"), "")
		select {
		case <-asked:
			_, worst[name], err = s.money()
		case <-time.After(guard):
			err = fmt.Errorf("%s is not asked", name)
		}
		s.kill()
		p.close()
		if err != nil {
			return nil, fmt.Errorf("the worst case of %s: %w", name, err)
		}
	}
	return worst, nil
}
