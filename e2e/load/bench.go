package main

// The phases in their order, the servers of a phase, and their rounds in turns.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"thalas/e2e/process"
)

const soakPoints = 5 // readings of the memory in a soak

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

// limit ends a measurement that hangs.
const limit = 20 * time.Minute

// measure runs the phases and writes the report. Its error means that something
// failed, not that something was slow.
func measure(ctx context.Context, o options, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v", limit))
	defer cancel()
	r := report{began: time.Now().UTC(), loadAverage: process.LoadAverage()}
	folder, err := os.MkdirTemp("", "thalas-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &bench{options: o, folder: folder, progress: stderr}
	if o.binary != "" {
		b.program, err = filepath.Abs(o.binary) // the children run in another folder
	} else if o.only != "bare" {
		fmt.Fprintln(stderr, "building ./cmd/thalas")
		b.program, err = buildServer(ctx, folder)
	}
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	for _, p := range b.phases() {
		servers, failures, err := b.runPhase(ctx, p)
		if err != nil {
			return errors.Join(context.Cause(ctx), fmt.Errorf("%s: %w", p.name, err))
		}
		r.phases = append(r.phases, measured{p, servers})
		for _, failure := range failures {
			r.failures = append(r.failures, p.name+": "+failure)
		}
	}
	r.write(stdout)
	if len(r.failures) > 0 {
		return fmt.Errorf("%d failures, listed in the report", len(r.failures))
	}
	return nil
}

// buildServer changes to the folder of the product's module, since go build builds
// packages of the working folder's module.
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

// runPhase starts new children, so that the memory and the counters are the phase's own.
func (b *bench) runPhase(ctx context.Context, p phase) (servers []*server, failures []string, err error) {
	var children []*process.Process
	start := func(name, program string, environ []string, args ...string) (*process.Process, error) {
		started, err := process.Serve(ctx, name, b.folder, append(process.PlainEnvironment(), environ...), program, args...)
		if err == nil {
			children = append([]*process.Process{started}, children...) // the stub is ended last
		}
		return started, err
	}
	err = func() error {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		stub, err := start("stub", self, nil, "stub", p.delay.String())
		if err != nil {
			return err
		}
		if b.only != "thalas" {
			bare, err := start("bare", self, nil, "bare", stub.URL)
			if err != nil {
				return err
			}
			servers = append(servers, newServer("bare", bare))
		}
		if b.only != "bare" {
			thalas, err := start("thalas", b.program, b.serverEnvironment(stub.URL), "serve")
			if err != nil {
				return err
			}
			servers = append(servers, newServer("thalas", thalas))
		}
		failures, err = b.load(ctx, p, stub, servers)
		return err
	}()
	var ends []error
	for _, c := range children {
		if end := c.Stop(); end != nil {
			ends = append(ends, end)
			failures = append(failures, end.Error())
		}
	}
	switch {
	case ctx.Err() != nil: // an interrupt may have ended the children too
		return servers, nil, ctx.Err()
	case err != nil: // a child that ended badly may say why
		return servers, nil, errors.Join(append([]error{err}, ends...)...)
	}
	return servers, failures, nil
}

// load loads the servers in turns, and then checks what they have stored.
func (b *bench) load(ctx context.Context, p phase, stub *process.Process, servers []*server) (failures []string, err error) {
	questions, err := newQuestions(time.Now(), b.body)
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if b.warmup > 0 {
			results, _ := attack(ctx, s.client, asking(s.process.URL, questions), closedLoop(b.warmup, b.connections))
			s.tally.add(questions, results)
			s.tally.latency, s.tally.overhead = nil, nil // the answers of a warm-up are checked, but not measured
		}
	}
	for round := range p.rounds {
		for i := range servers {
			s := servers[(i+round)%len(servers)] // no server is always the first
			perSecond := s.load(ctx, p, questions, stub)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(b.progress, "%s, round %d of %d, %s: %.0f consensus a second\n", p.name, round+1, p.rounds, s.name, perSecond)
		}
	}
	for _, s := range servers {
		failed, err := s.check(ctx)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", s.name, err)
		}
		failures = append(failures, failed...)
	}
	return failures, nil
}

// serverEnvironment sets up the server on a fresh store, with everything on and the
// stub in place of its providers.
func (b *bench) serverEnvironment(stub string) []string {
	store, err := os.MkdirTemp(b.folder, "store-")
	if err != nil {
		store = b.folder // the server reports what is wrong with it
	}
	environ := []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_FILE=" + filepath.Join(store, "thalas.db"), "LOG_LEVEL=info", "GROK_ENABLED=true", "SHARE_VOTES=off"} // each question is a run
	for _, name := range providerNames {
		upper := strings.ToUpper(name)
		environ = append(environ, upper+"_BASE_URL="+stub+"/"+name, upper+"_API_KEY=load-test-key-"+name)
	}
	return append(environ, b.environ...) // the last one of a name counts
}
