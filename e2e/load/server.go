package main

// One server of a phase, and what is known of it so far.

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"thalas/e2e/process"
)

type server struct {
	name    string
	address string
	keeps   bool             // it has a store: answers are found by id, and counted
	process *process.Process // nil: not ours

	script   *script
	tally    *tally
	since    time.Time
	before   counters
	seconds  float64   // driven
	rounds   []float64 // consensus a second
	cpu      cpuTimes  // while driven
	memoryAt []memoryAt
}

// cpuTimes of the three sides; nil where it is not known.
type cpuTimes struct{ server, providers, load *time.Duration }

func newServer(name, address string, keeps bool) *server {
	return &server{name: name, address: address, keeps: keeps, tally: newTally()}
}

// begin notes where the counters stand.
func (s *server) begin(ctx context.Context) (err error) {
	s.since = time.Now()
	if s.keeps {
		s.before, err = readCounters(ctx, s.address, s.since)
	}
	return err
}

// drive loads the server for one round and gives its consensus a second.
func (s *server) drive(ctx context.Context, p phase, providers *process.Process) float64 {
	before := s.cpuTimes(providers)
	counted, took := p.drive(ctx, s)
	after := s.cpuTimes(providers)
	s.cpu.server = rise(s.cpu.server, before.server, after.server)
	s.cpu.providers = rise(s.cpu.providers, before.providers, after.providers)
	s.cpu.load = rise(s.cpu.load, before.load, after.load)
	s.seconds += took.Seconds()
	perSecond := float64(counted.answers["200"]) / took.Seconds()
	s.rounds = append(s.rounds, perSecond)
	s.tally.merge(counted)
	return perSecond
}

func (s *server) cpuTimes(providers *process.Process) cpuTimes {
	of := func(p *process.Process) *time.Duration {
		if p == nil {
			return nil
		}
		return known(process.CPUTime(p.PID()))
	}
	return cpuTimes{of(s.process), of(providers), known(process.CPUTime(os.Getpid()))}
}

func known(d time.Duration, ok bool) *time.Duration {
	if !ok {
		return nil
	}
	return &d
}

// rise adds to sum what passed between before and after.
func rise(sum, before, after *time.Duration) *time.Duration {
	if before == nil || after == nil {
		return sum
	}
	total := *after - *before
	if sum != nil {
		total += *sum
	}
	return &total
}

func (s *server) memory() *process.Memory {
	if s.process == nil {
		return nil
	}
	return process.MemoryOf(s.process.PID())
}

// figures reads the memory before the checks add to it.
func (s *server) figures(p phase) figures {
	measured := len(s.tally.latency)
	perConsensus := func(d *time.Duration) *float64 {
		if d == nil || measured == 0 {
			return nil
		}
		each := ms(*d) / float64(measured)
		return &each
	}
	f := figures{
		Server: s.name, Sent: s.tally.sent, Answers: s.tally.answers, Seconds: s.seconds, Rounds: s.rounds,
		Throughput: float64(measured) / max(s.seconds, 1e-9),
		Latency:    percentilesOf(s.tally.latency), Overhead: percentilesOf(s.tally.overhead), Late: percentilesOf(s.tally.late),
		CPU: perConsensus(s.cpu.server), ProvidersCPU: perConsensus(s.cpu.providers), LoadCPU: perConsensus(s.cpu.load),
		Memory: s.memory(), MemoryAt: s.memoryAt,
	}
	if p.delay > 0 {
		f.Added = f.Latency.less(ms(p.delay))
	}
	return f
}

// check gives what failed: answers that are no 200 or wrong, not kept, not counted.
func (s *server) check(ctx context.Context, sample int) (looked int, failures []string, err error) {
	list := func(counts map[string]int) {
		for _, what := range slices.Sorted(maps.Keys(counts)) {
			failures = append(failures, fmt.Sprintf("%s: %d × %s", s.name, counts[what], what))
		}
	}
	others := maps.Clone(s.tally.answers)
	delete(others, "200")
	list(others)
	list(s.tally.faults)
	if s.tally.answers["200"] == 0 {
		failures = append(failures, s.name+": not one question was answered")
	}
	if !s.keeps {
		return 0, failures, nil
	}
	after, err := readCounters(ctx, s.address, s.since)
	if err != nil {
		return 0, failures, err
	}
	for _, fault := range compareCounters(s.before, after, s.tally) {
		failures = append(failures, s.name+": "+fault)
	}
	looked, faults := findAgain(ctx, s.address, s.tally.kept, sample)
	list(faults)
	return looked, failures, nil
}
