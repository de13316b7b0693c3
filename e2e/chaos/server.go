package main

// The server under test, and the client that asks it.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"thalas/e2e/process"
	"thalas/internal/api"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// guard bounds every request. Nothing takes that long unless a promise is broken.
const guard = 60 * time.Second

type server struct {
	*process.Process
	client *http.Client
}

// serve starts the server with a data file, and returns once it listens. A wrapper is a
// shell script that runs its arguments at its end. The day's budget is too large to be
// used up.
func (c *chaos) serve(p *providers, file, wrapper string, env ...string) *server {
	environ := slices.Concat(process.PlainEnvironment(), p.Env(), []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_FILE=" + file, "LOG_LEVEL=error", "DAILY_BUDGET_USD=1000000"}, env)
	command := []string{c.program, "serve"}
	if wrapper != "" {
		command = append([]string{"/bin/sh", "-c", wrapper, "sh"}, command...)
	}
	child, err := process.Serve(c.ctx, "thalas", c.folder, environ, command[0], command[1:]...)
	c.must(err)
	c.later(child.Kill) // in case it is still running
	return &server{child, &http.Client{Timeout: guard, Transport: &http.Transport{MaxIdleConnsPerHost: 512}}}
}

// end ends the server as an operator does.
func (s *server) end() error {
	s.client.CloseIdleConnections()
	return s.Stop()
}

// scratch returns the path of a data file that does not exist yet.
func (c *chaos) scratch() string {
	folder, err := os.MkdirTemp(c.folder, "store-")
	c.must(err)
	return folder + "/thalas.db"
}

// thalas runs a command of the program on a data file that no server has open.
func (c *chaos) thalas(file string, args ...string) {
	if output, err := exec.CommandContext(c.ctx, c.program, append(args, "--data-file", file)...).CombinedOutput(); err != nil {
		c.failf("thalas %s: %v: %s", args[0], err, output)
	}
}

// answer is what a caller gets.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // why there is no answer that can be read

	signal.Consensus // of a 200
	problem          api.Problem
}

func (a *answer) String() string {
	return fmt.Sprintf("%d %.500s (%v)", a.status, bytes.TrimSpace(a.body), a.err)
}

func (a *answer) failures() []signal.Failure { return append(a.Failures, a.problem.Failures...) }

// isReplay reports whether the answer is the stored one of an earlier request.
func (a *answer) isReplay() bool { return a.header.Get("Idempotency-Replayed") == "true" }

// isStored reports whether a decision has no warning that it was not stored.
func (a *answer) isStored() bool {
	return !slices.ContainsFunc(a.Warnings, func(w signal.Warning) bool { return w.Code == "not_stored" })
}

// ask posts a question, with an Idempotency-Key if key is not empty. All simulated models
// but one vote BUY on its market, so that a decision is BUY whichever provider fails. All
// questions have the same length, and so the same worst case. If a slow disk keeps the
// store from claiming the key, no model is asked and the answer advises to try again: the
// question is repeated.
func (s *server) ask(pair string, quorum, timeout int, key string) (a answer) {
	body := fmt.Sprintf(`{"pair": "%s/USDT", "current_price": 50000, "market_data": {"rsi": 20, "macd": 900, "price_change_24h": 4}, "min_providers": %d, "timeout_seconds": %2d}`, pair, quorum, timeout)
	for range 60 {
		a = s.do(http.MethodPost, "/v1/consensus", body, key)
		if a.status == http.StatusOK && a.err == nil {
			a.err = json.Unmarshal(a.body, &a.Consensus)
		} else if a.err == nil {
			a.err = json.Unmarshal(a.body, &a.problem)
		}
		if !strings.HasSuffix(a.problem.Type, "/store-unreachable") {
			break
		}
	}
	return a
}

func (s *server) get(path string) answer { return s.do(http.MethodGet, path, "", "") }

func (s *server) do(method, path, body, key string) (a answer) {
	request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a.status, a.header = response.StatusCode, response.Header
	a.body, a.err = io.ReadAll(response.Body)
	return a
}

// findsAgain reports whether the server returns a stored result byte for byte, with its
// outcome as the last member.
func (s *server) findsAgain(a answer) bool {
	found := s.get("/v1/consensus/" + a.ID)
	return found.status == http.StatusOK && bytes.Equal(withoutOutcome(found.body), a.body)
}

// withoutOutcome gives the bytes that were stored of a result that is read by its id.
func withoutOutcome(body []byte) []byte {
	stored, _, _ := bytes.Cut(body, []byte(`,"outcome":`))
	return append(bytes.Clone(stored), '}')
}

func (s *server) health() (h service.Health, err error) {
	a := s.get("/v1/health")
	return h, errors.Join(a.err, json.Unmarshal(a.body, &h))
}

// budget returns the spent and the reserved part of the day's budget, in millionths of a USD.
func (s *server) budget() (spent, reserved int64, err error) {
	h, err := s.health()
	if err == nil && (h.Budget == nil || h.Budget.SpentUSD == nil || h.Budget.ReservedUSD == nil) {
		err = errors.New("health does not show the day's budget")
	}
	if err != nil {
		return 0, 0, err
	}
	return micro(*h.Budget.SpentUSD), micro(*h.Budget.ReservedUSD), nil
}

// worstCases measures the most that one attempt of each provider may cost: the amount
// that is reserved while that provider alone is being asked.
func (c *chaos) worstCases() {
	for _, name := range simulator.Providers {
		asked := make(chan struct{}, 1)
		p := c.providers(0, func(string, string, int) simulator.Fault { return "hang" })
		p.arrived = func() { asked <- struct{}{} }
		env := []string{"MAX_ATTEMPTS=1"}
		for _, other := range simulator.Providers {
			env = append(env, fmt.Sprintf("%s_ENABLED=%t", strings.ToUpper(other), other == name))
		}
		s := c.serve(p, c.scratch(), "", env...)
		go s.ask(pairOf(0), 1, 25, "")
		select {
		case <-asked:
		case <-time.After(guard):
			c.must(fmt.Errorf("%s is not asked", name))
		}
		var err error
		_, c.worst[name], err = s.budget()
		c.must(err)
		s.Kill()
	}
}
