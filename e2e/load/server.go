package main

// One server of a phase: its load, and the checks of what it has stored and counted.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"thalas/e2e/process"
)

const lookups = 8 // connections that read results back

type server struct {
	name    string
	process *process.Process
	client  *http.Client
	since   time.Time
	tally   *tally

	// While it was loaded.
	took   time.Duration
	rounds []float64        // consensus a second
	late   []float64        // ms after it was due that a question was sent
	cpu    [3]time.Duration // of the server, of the stub and of this program; 0 where not known
	memory []process.Memory // after each attack; none where not known
	looked int              // results that were read back by id
}

func newServer(name string, p *process.Process) *server {
	return &server{name: name, process: p, client: newClient(), since: time.Now(), tally: newTally()}
}

// load loads the server for one round and returns its consensus a second.
func (s *server) load(ctx context.Context, p phase, questions []question, stub *process.Process) float64 {
	pids := [...]int{s.process.PID(), stub.PID(), os.Getpid()}
	for i, pid := range pids {
		s.cpu[i] -= process.CPUTime(pid)
	}
	decided, took := s.tally.statuses["200"], time.Duration(0)
	for _, how := range p.attacks {
		began := time.Now()
		results, lasted := attack(ctx, s.client, asking(s.process.URL, questions), how)
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
	for i, pid := range pids {
		s.cpu[i] += process.CPUTime(pid)
	}
	s.took += took
	s.rounds = append(s.rounds, float64(s.tally.statuses["200"]-decided)/took.Seconds())
	return s.rounds[len(s.rounds)-1]
}

// check lists what failed: answers that are not 200 or are wrong, and for thalas also
// answers that were not stored or not counted.
func (s *server) check(ctx context.Context) (failures []string, err error) {
	faults := maps.Clone(s.tally.statuses)
	delete(faults, "200")
	maps.Copy(faults, s.tally.faults)
	if s.tally.statuses["200"] == 0 {
		failures = append(failures, s.name+": not one question was answered")
	}
	if s.name == "thalas" {
		read, err := s.counters(ctx)
		if err != nil {
			return nil, err
		}
		for _, miscount := range read.compare(s.tally) {
			failures = append(failures, s.name+": "+miscount)
		}
		s.findAgain(ctx, faults)
	}
	for _, what := range slices.Sorted(maps.Keys(faults)) {
		failures = append(failures, fmt.Sprintf("%s: %d × %s", s.name, faults[what], what))
	}
	return failures, nil
}

// findAgain reads every answer back by its id, and counts what is wrong.
func (s *server) findAgain(ctx context.Context, faults map[string]int) {
	answers := s.tally.answers
	var next atomic.Int64
	byID := func(t *vegeta.Target) error {
		i := int(next.Add(1)-1) % len(answers)
		*t = vegeta.Target{Method: http.MethodGet, URL: numbered(s.process.URL+"/v1/consensus/"+url.PathEscape(answers[i].ID), i)}
		return nil
	}
	results, _ := attack(ctx, s.client, byID, exactly(len(answers), lookups))
	s.looked = len(results)
	for _, result := range results {
		var got answer
		switch want := answers[numberOf(result)]; {
		case want.ID == "":
			faults["a 200 had no id"]++
		case result.Code == 0:
			faults["GET by id: no answer: "+cause(result)]++
		case result.Code != http.StatusOK:
			faults[fmt.Sprintf("GET by id: %d", result.Code)]++
		case json.Unmarshal(result.Body, &got) != nil:
			faults["GET by id: the body is no JSON"]++
		case got.ID != want.ID || got.Pair != want.Pair || got.Price != want.Price || got.Decision != want.Decision:
			faults["GET by id: not what was answered"]++
		}
	}
}

// counters are the figures of GET /v1/metrics that can be compared with what was sent.
type counters struct {
	Total      int `json:"total_requests"`
	Successful int `json:"successful_requests"`
	Failed     int `json:"failed_requests"`
	Providers  []struct {
		Provider  string `json:"provider"`
		Successes int    `json:"successes"`
	} `json:"providers"`
}

// counters reads the day of the start and the next one, so that midnight changes
// nothing. The server's store was empty at its start.
func (s *server) counters(ctx context.Context) (read counters, err error) {
	day := s.since.UTC().Truncate(24 * time.Hour)
	span := url.Values{"window": {"day"}, "from": {day.Format(time.RFC3339)}, "to": {day.Add(48 * time.Hour).Format(time.RFC3339)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.process.URL+"/v1/metrics?"+span.Encode(), nil)
	if err != nil {
		return read, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return read, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(body, &read)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		return read, fmt.Errorf("GET /v1/metrics: %s: %.300s (%v)", response.Status, body, err)
	}
	return read, nil
}

// compare lists the counters that differ from what was answered.
func (c counters) compare(t *tally) (faults []string) {
	compare := func(name string, got, want int) {
		if got != want {
			faults = append(faults, fmt.Sprintf("counter %s is %d, want %d", name, got, want))
		}
	}
	decided := t.statuses["200"]
	compare("total_requests", c.Total, decided+t.runs)
	compare("successful_requests", c.Successful, decided)
	compare("failed_requests", c.Failed, t.runs)
	if t.runs > 0 {
		return faults // failed runs may hold votes of some providers; they fail the phase anyway
	}
	successes := map[string]int{}
	for _, p := range c.Providers {
		successes[p.Provider] += p.Successes
	}
	for _, name := range providerNames {
		compare(name+" successes", successes[name], decided)
	}
	return faults
}
