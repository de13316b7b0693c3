package main

// One server of a phase, and what is known of it so far.

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"thalas/e2e/process"
)

type server struct {
	name    string
	keeps   bool // it has a store: answers are found by id, and counted
	process *process.Process
	client  *http.Client

	tally  *tally
	since  time.Time
	took   time.Duration    // driven
	rounds []float64        // consensus a second
	late   []float64        // ms after it was due that a question was sent
	cpu    cpuTimes         // while driven
	memory []process.Memory // after each attack, before the checks; none where it is not known
	looked int              // up by id
}

// cpuTimes of the three sides; 0 where it is not known.
type cpuTimes struct{ server, providers, load time.Duration }

func (s *server) cpuTimes(providers *process.Process) (t cpuTimes) {
	t.server, _ = process.CPUTime(s.process.PID())
	t.providers, _ = process.CPUTime(providers.PID())
	t.load, _ = process.CPUTime(os.Getpid())
	return t
}

// drive loads the server for one round and gives its consensus a second.
func (s *server) drive(ctx context.Context, p phase, questions []question, providers *process.Process) float64 {
	before := s.cpuTimes(providers)
	decided, took := s.tally.statuses["200"], time.Duration(0)
	for _, how := range p.attacks {
		began := time.Now()
		results, lasted := attack(ctx, s.client, asking(s.process.Address, questions), how)
		took += lasted
		s.tally.add(questions, results)
		if p.rate > 0 {
			for _, result := range results {
				due := began.Add(time.Duration(result.Seq+1) * time.Second / time.Duration(p.rate))
				s.late = append(s.late, ms(result.Timestamp.Sub(due)))
			}
		}
		if m := process.MemoryOf(s.process.PID()); m != nil {
			s.memory = append(s.memory, *m)
		}
	}
	after := s.cpuTimes(providers)
	s.cpu.server += after.server - before.server
	s.cpu.providers += after.providers - before.providers
	s.cpu.load += after.load - before.load
	s.took += took
	s.rounds = append(s.rounds, float64(s.tally.statuses["200"]-decided)/took.Seconds())
	return s.rounds[len(s.rounds)-1]
}

// check gives what failed: answers that are no 200 or wrong, not kept, not counted.
func (s *server) check(ctx context.Context, sample int) (failures []string, err error) {
	list := func(counts map[string]int) {
		for _, what := range slices.Sorted(maps.Keys(counts)) {
			failures = append(failures, fmt.Sprintf("%s: %d × %s", s.name, counts[what], what))
		}
	}
	others := maps.Clone(s.tally.statuses)
	delete(others, "200")
	list(others)
	list(s.tally.faults)
	if s.tally.statuses["200"] == 0 {
		failures = append(failures, s.name+": not one question was answered")
	}
	if !s.keeps {
		return failures, nil
	}
	counted, err := readCounters(ctx, s.client, s.process.Address, s.since)
	if err != nil {
		return failures, err
	}
	for _, fault := range compareCounters(counted, s.tally) {
		failures = append(failures, s.name+": "+fault)
	}
	var faults map[string]int
	s.looked, faults = findAgain(ctx, s.client, s.process.Address, s.tally.answers, sample)
	list(faults)
	return failures, nil
}

// get asks for one document, which must be there.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body[:min(len(body), 300)])
	}
	return body, err
}
