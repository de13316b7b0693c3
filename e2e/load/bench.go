package main

// The order of things: phases, the servers of a phase, and their rounds in turns.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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
	drive       func(ctx context.Context, s *server) (*tally, time.Duration)
}

func (b *bench) phases() (phases []phase) {
	instant, delayed := "providers answer at once", fmt.Sprintf("providers take %v", b.delay)
	if b.address != "" { // we did not choose them
		instant, delayed = "providers of the running server", delayed+" if the running server's do"
	}
	if b.closed > 0 {
		phases = append(phases, phase{
			"closed", fmt.Sprintf("Closed loop: %d connections, %s, %d rounds of %v", b.connections, instant, b.rounds, b.closed), 0, b.rounds,
			func(ctx context.Context, s *server) (*tally, time.Duration) {
				return closedLoop(ctx, s.address, s.script, b.connections, within(b.closed))
			}})
	}
	if b.open > 0 {
		phases = append(phases, phase{
			"open", fmt.Sprintf("Open loop: %v arrivals a second, %s, %d rounds of %v", b.rate, delayed, b.rounds, b.open), b.delay, b.rounds,
			func(ctx context.Context, s *server) (*tally, time.Duration) {
				return openLoop(ctx, s.address, s.script, b.rate, b.open, b.connections)
			}})
	}
	if b.soak > 0 {
		phases = append(phases, phase{
			"soak", fmt.Sprintf("Soak: %d requests on %d connections, %s", b.soak, b.connections, instant), 0, 1, b.driveSoak})
	}
	return phases
}

// within says yes until the length is over, counted from its first call.
func within(length time.Duration) func() bool {
	end := sync.OnceValue(func() time.Time { return time.Now().Add(length) })
	return func() bool { return time.Now().Before(end()) }
}

// driveSoak reads the memory on the way.
func (b *bench) driveSoak(ctx context.Context, s *server) (*tally, time.Duration) {
	var asked atomic.Int64
	every := int64(max(1, b.soak/soakPoints))
	points := make(chan memoryAt, b.soak/int(every)+1)
	note := func(n int) {
		if m := s.memory(); m != nil {
			points <- memoryAt{n, *m}
		}
	}
	counted, took := closedLoop(ctx, s.address, s.script, b.connections, func() bool {
		n := asked.Add(1)
		if n > int64(b.soak) {
			return false
		}
		if n%every == 0 && n < int64(b.soak) {
			note(int(n))
		}
		return true
	})
	note(b.soak)
	close(points)
	for point := range points {
		s.memoryAt = append(s.memoryAt, point)
	}
	slices.SortFunc(s.memoryAt, func(a, b memoryAt) int { return a.Requests - b.Requests })
	return counted, took
}

func (b *bench) run(ctx context.Context) (report, error) {
	r := newReport()
	if b.address == "" && b.only != "bare" {
		var err error
		if b.binary != "" {
			b.program, err = filepath.Abs(b.binary) // the children run in another folder
		} else {
			fmt.Fprintln(b.progress, "building ./cmd/thalas")
			b.program, err = build(ctx, b.folder)
		}
		if err != nil {
			return r, err
		}
	}
	for _, p := range b.phases() {
		figures, err := b.runPhase(ctx, p)
		if err != nil {
			return r, fmt.Errorf("%s: %w", p.name, err)
		}
		r.add(figures)
	}
	return r, nil
}

// runPhase starts everything anew, so that a phase's memory and counters are its own.
func (b *bench) runPhase(ctx context.Context, p phase) (phaseReport, error) {
	providers, servers, err := b.startAll(ctx, p)
	result := phaseReport{Name: p.name, Title: p.title}
	if err == nil {
		result.Servers, err = b.load(ctx, p, providers, servers)
	}
	var ends []error
	for _, s := range servers {
		if s.process != nil {
			ends = append(ends, s.process.stop())
		}
	}
	if providers != nil {
		ends = append(ends, providers.stop())
	}
	switch {
	case ctx.Err() != nil: // the interrupt may have ended the children too
		return result, ctx.Err()
	case err != nil: // and why it came to that, if a child knows
		return result, errors.Join(append([]error{err}, ends...)...)
	}
	for _, end := range ends {
		if end != nil {
			result.Failures = append(result.Failures, end.Error())
		}
	}
	result.compare()
	return result, nil
}

// load drives the servers in turns, and then checks what they have kept.
func (b *bench) load(ctx context.Context, p phase, providers *process, servers []*server) ([]figures, error) {
	questions, err := newQuestions(time.Now(), b.body)
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		s.script = newScript(questions, s.address)
		if err := s.begin(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		if b.warmup > 0 {
			warm, _ := closedLoop(ctx, s.address, s.script, b.connections, within(b.warmup))
			warm.forgetTimes()
			s.tally.merge(warm)
		}
	}
	for round := range p.rounds {
		for i := range servers {
			s := servers[(i+round)%len(servers)] // nobody is always the first
			perSecond := s.drive(ctx, p, providers)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(b.progress, "%s, round %d of %d, %s: %.0f consensus a second\n", p.name, round+1, p.rounds, s.name, perSecond)
		}
	}
	var all []figures
	for _, s := range servers {
		f := s.figures(p)
		if f.LookedUp, f.Failures, err = s.check(ctx, b.sample); err != nil {
			return nil, fmt.Errorf("check %s: %w", s.name, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// startAll starts what the phase needs, the providers first. What was started is
// returned with an error too.
func (b *bench) startAll(ctx context.Context, p phase) (providers *process, servers []*server, err error) {
	if b.address != "" {
		return nil, []*server{newServer("server", b.address, true)}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	environ := plainEnvironment()
	address, err := freeAddress()
	if err == nil {
		providers, err = start("stub", address, b.folder, environ, self, "stub", "--with-parent", "--listen", address, "--delay", p.delay.String())
	}
	if err != nil {
		return nil, nil, err
	}
	if err := providers.awaitListening(ctx); err != nil {
		return providers, nil, err
	}
	for _, name := range []string{"bare", "thalas"} {
		if b.only != "" && b.only != name {
			continue
		}
		address, err := freeAddress()
		if err != nil {
			return providers, servers, err
		}
		s := newServer(name, address, name == "thalas")
		if name == "bare" {
			s.process, err = start(name, address, b.folder, environ, self, "bare", "--with-parent", "--listen", address, "--upstream", "http://"+providers.address)
		} else {
			s.process, err = start(name, address, b.folder, slices.Concat(environ, b.serverEnvironment(address, providers.address)), b.program, "serve")
		}
		if err != nil {
			return providers, servers, err
		}
		servers = append(servers, s)
		if err := s.process.awaitHealth(ctx); err != nil {
			return providers, servers, err
		}
	}
	return providers, servers, nil
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
