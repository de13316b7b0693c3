package main

// The order of things: phases, the servers of a phase, and their rounds in turns.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"thalas/e2e/process"
)

const soakPoints = 5 // times that the memory is read

type bench struct {
	options
	folder   string
	program  string // the server's
	progress io.Writer
}

// phase is one way to load the servers, over providers with one delay.
type phase struct {
	name, title string
	delay       time.Duration
	rounds      int
	rate        int     // a second; 0: a closed loop
	attacks     []shape // of a round
}

func (b *bench) phases() (phases []phase) {
	if b.closed > 0 {
		phases = append(phases, phase{
			"closed", fmt.Sprintf("Closed loop: %d connections, providers answer at once, %d rounds of %v", b.connections, b.rounds, b.closed),
			0, b.rounds, 0, []shape{closedLoop(b.closed, b.connections)}})
	}
	if b.open > 0 {
		phases = append(phases, phase{
			"open", fmt.Sprintf("Fixed rate: %d arrivals a second, providers take %v, %d rounds of %v", b.rate, b.delay, b.rounds, b.open),
			b.delay, b.rounds, b.rate, []shape{fixedRate(b.rate, b.open, b.connections)}})
	}
	if b.soak > 0 {
		p := phase{"soak", fmt.Sprintf("Soak: %d requests on %d connections, providers answer at once", b.soak, b.connections), 0, 1, 0, nil}
		for i := range soakPoints {
			p.attacks = append(p.attacks, exactly(b.soak*(i+1)/soakPoints-b.soak*i/soakPoints, b.connections))
		}
		phases = append(phases, p)
	}
	return phases
}

func (b *bench) run(ctx context.Context) (report, error) {
	r := newReport()
	if b.only != "bare" {
		var err error
		if b.binary != "" {
			b.program, err = filepath.Abs(b.binary) // the children run in another folder
		} else {
			fmt.Fprintln(b.progress, "building ./cmd/thalas")
			b.program, err = buildServer(ctx, b.folder)
		}
		if err != nil {
			return r, err
		}
	}
	for _, p := range b.phases() {
		measured, err := b.runPhase(ctx, p)
		if err != nil {
			return r, fmt.Errorf("%s: %w", p.name, err)
		}
		r.add(measured)
	}
	return r, nil
}

// buildServer goes to the product's module, which this one replaces, since what is
// built is the module of the working folder.
func buildServer(ctx context.Context, folder string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "thalas").Output()
	if err == nil {
		err = os.Chdir(strings.TrimSpace(string(root)))
	}
	if err != nil {
		return "", fmt.Errorf("find the server's sources, try with --binary: %w", err)
	}
	return process.Build(ctx, folder)
}

// runPhase starts everything anew, so that a phase's memory and counters are its own.
func (b *bench) runPhase(ctx context.Context, p phase) (measured, error) {
	m := measured{phase: p}
	providers, servers, err := b.startAll(ctx, p)
	if err == nil {
		m.servers = servers
		m.failures, err = b.load(ctx, p, providers, servers)
	}
	var ends []error
	for _, s := range servers {
		ends = append(ends, s.process.Stop())
	}
	if providers != nil {
		ends = append(ends, providers.Stop())
	}
	switch {
	case ctx.Err() != nil: // the interrupt may have ended the children too
		return m, ctx.Err()
	case err != nil: // and why it came to that, if a child knows
		return m, errors.Join(append([]error{err}, ends...)...)
	}
	for _, end := range ends {
		if end != nil {
			m.failures = append(m.failures, end.Error())
		}
	}
	return m, nil
}

// load drives the servers in turns, and then checks what they have kept.
func (b *bench) load(ctx context.Context, p phase, providers *process.Process, servers []*server) (failures []string, err error) {
	questions, err := newQuestions(time.Now(), b.body)
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if b.warmup > 0 {
			results, _ := attack(ctx, s.client, asking(s.process.Address, questions), closedLoop(b.warmup, b.connections))
			s.tally.add(questions, results)
			s.tally.forgetTimes()
		}
	}
	for round := range p.rounds {
		for i := range servers {
			s := servers[(i+round)%len(servers)] // nobody is always the first
			perSecond := s.drive(ctx, p, questions, providers)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(b.progress, "%s, round %d of %d, %s: %.0f consensus a second\n", p.name, round+1, p.rounds, s.name, perSecond)
		}
	}
	for _, s := range servers {
		failed, err := s.check(ctx, b.sample)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", s.name, err)
		}
		failures = append(failures, failed...)
	}
	return failures, nil
}

// startAll starts what the phase needs, the providers first. What was started is
// returned with an error too.
func (b *bench) startAll(ctx context.Context, p phase) (providers *process.Process, servers []*server, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	environ := process.PlainEnvironment()
	address, err := process.FreeAddress()
	if err == nil {
		providers, err = startAt(address, "stub", b.folder, environ, self, "stub", address, p.delay.String())
	}
	if err != nil {
		return nil, nil, err
	}
	if err := awaitHealth(ctx, providers); err != nil {
		return providers, nil, err
	}
	for _, name := range []string{"bare", "thalas"} {
		if b.only != "" && b.only != name {
			continue
		}
		address, err := process.FreeAddress()
		if err != nil {
			return providers, servers, err
		}
		s := &server{name: name, keeps: name == "thalas", client: newClient(), tally: newTally(), since: time.Now()}
		if name == "bare" {
			s.process, err = startAt(address, name, b.folder, environ, self, "bare", address, "http://"+providers.Address)
		} else {
			s.process, err = startAt(address, name, b.folder, slices.Concat(environ, b.serverEnvironment(address, providers.Address)), b.program, "serve")
		}
		if err != nil {
			return providers, servers, err
		}
		servers = append(servers, s)
		if err := awaitHealth(ctx, s.process); err != nil {
			return providers, servers, err
		}
	}
	return providers, servers, nil
}

func startAt(address, name, folder string, environ []string, program string, args ...string) (*process.Process, error) {
	p, err := process.Start(name, folder, environ, program, args...)
	if err == nil {
		p.Address = address
	}
	return p, err
}

// awaitHealth returns when GET /v1/health answers 200.
func awaitHealth(ctx context.Context, p *process.Process) error {
	return p.Await(ctx, func(ctx context.Context) error {
		_, err := get(ctx, http.DefaultClient, "http://"+p.Address+"/v1/health")
		return err
	})
}

// serverEnvironment sets up the server on a fresh store, with everything on and
// the stub for its providers.
func (b *bench) serverEnvironment(address, providers string) []string {
	store, err := os.MkdirTemp(b.folder, "store-")
	if err != nil {
		store = b.folder // the server will say what is wrong with it
	}
	set := map[string]string{
		"LISTEN_ADDR": address, "DATA_FILE": filepath.Join(store, "thalas.db"), "LOG_LEVEL": "info",
		"ANTHROPIC_BASE_URL": "http://" + providers + "/anthropic", "ANTHROPIC_API_KEY": "load-test-key-1",
		"OPENAI_BASE_URL": "http://" + providers + "/openai", "OPENAI_API_KEY": "load-test-key-2",
		"GEMINI_BASE_URL": "http://" + providers + "/gemini", "GEMINI_API_KEY": "load-test-key-3",
		"GROK_BASE_URL": "http://" + providers + "/grok", "GROK_API_KEY": "load-test-key-4", "GROK_ENABLED": "true",
	}
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		environ = append(environ, name+"="+set[name])
	}
	return append(environ, b.environ...) // the last one of a name counts
}
