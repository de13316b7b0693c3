package main

// Very many questions with mixed faults and repeated keys. Nothing may be lost or paid
// twice, the memory must stay flat, and the day's budget must equal the bills.

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"thalas/e2e/process"
	"thalas/internal/service"
	"thalas/internal/simulator"
)

const (
	// mixedRate is the share of attempts that fail.
	mixedRate = 0.2
	// One question in rarely has a slow or large fault.
	rarely = 400
	// rareTimeout is the timeout of such a question, in seconds.
	rareTimeout = 3
	// memoryLooks is the number of times that the memory is read.
	memoryLooks = 30
)

// rare faults take seconds or megabytes.
var rare = []simulator.Fault{"hang", "slow_headers", "slow_drip", "huge_body"}

func (c *chaos) many() {
	questions := c.size(100_000, 10_000)
	var mixed []simulator.Fault
	for _, fault := range simulator.Faults() {
		if name := simulator.Fault(fault.Name); !c.leftOut[fault.Name] && !slices.Contains(rare, name) {
			mixed = append(mixed, name)
		}
	}
	hasTwin := func(pair string) bool { return strings.HasSuffix(pair, "00") || strings.HasSuffix(pair, "50") }
	slowOf := func(pair string) bool {
		return strings.HasSuffix(pair, "7") && c.chance("slow", pair).IntN(rarely/10) == 0
	}
	p := c.providers(0, func(provider, pair string, n int) simulator.Fault {
		if hasTwin(pair) { // no fault: if the first one failed, its twin would be a run of its own
			return simulator.OK
		}
		if chance := c.chance(pair); slowOf(pair) && provider == simulator.Providers[chance.IntN(len(simulator.Providers))] {
			return rare[chance.IntN(len(rare))]
		}
		return drawn(c.chance(provider, pair, n), mixedRate, mixed)
	})
	file := c.scratch()
	s := c.serve(p, file, "")
	var decided, repeated, inFlight, failed, done atomic.Int64
	var mu sync.Mutex // guards low, high and memory
	var low, high int64
	var memory []float64 // MiB
	kept := make([]struct {
		id   string
		hash [sha256.Size]byte
	}, questions)
	c.parallel(questions, 200, func(i int) {
		pair, timeout, key := pairOf(i), 25, ""
		if slowOf(pair) {
			timeout = rareTimeout
		}
		if i%10 == 0 {
			key = pair
		}
		ask := func() answer { return s.ask(pair, 2, timeout, key) }
		var twin chan answer
		if hasTwin(pair) { // two at the same moment
			twin = make(chan answer, 1)
			go func() { twin <- ask() }()
		}
		a := ask()
		if twin != nil {
			if other := <-twin; a.status == 409 {
				a, other = other, a
				inFlight.Add(1)
			} else if other.status == 409 {
				inFlight.Add(1)
			} else if a.isReplay() { // the other answer is the original
				a, other = other, a
			}
		}
		calls := p.about(pair)
		for _, what := range a.broken(calls, 2) {
			c.failf("question %d: %s: %s", i, what, &a)
		}
		if a.status == 200 {
			decided.Add(1)
			kept[i].id, kept[i].hash = a.ID, sha256.Sum256(a.body)
			if !a.isStored() {
				c.failf("question %d is not stored", i)
			}
		} else {
			failed.Add(1)
		}
		if key != "" && a.status == 200 {
			repeated.Add(1)
			if again := ask(); again.ID != a.ID || !again.isReplay() || len(p.about(pair)) != len(calls) {
				c.failf("question %d is asked again: %d calls and then %d: %s", i, len(calls), len(p.about(pair)), &again)
			}
		}
		least, most := c.booked(calls, a.failures())
		mu.Lock()
		defer mu.Unlock()
		low, high = low+least, high+most
		if n := int(done.Add(1)); n%max(questions/memoryLooks, 1) == 0 {
			if used := process.MemoryOf(s.PID()); used != nil {
				memory = append(memory, used.Anonymous)
			}
		}
	})
	if decided.Load() < int64(questions/2) {
		c.failf("%d of %d questions are decided: providers are left out too often", decided.Load(), questions)
	}

	spent := c.checkBudget(s, "in the end", low, high)
	c.parallel(questions, 32, func(i int) {
		if kept[i].id == "" {
			return
		}
		if found := s.get("/v1/consensus/" + kept[i].id); found.status != 200 || sha256.Sum256(withoutOutcome(found.body)) != kept[i].hash {
			c.failf("question %d: the answer %s is not found again as it was: %s", i, kept[i].id, &found)
		}
	})
	var counted service.Metrics
	if a := s.get("/v1/metrics?from=" + time.Now().UTC().Add(-24*time.Hour).Format(time.RFC3339)); json.Unmarshal(a.body, &counted) != nil || counted.TotalRequests != decided.Load()+failed.Load() || counted.SuccessfulRequests != decided.Load() {
		c.failf("%d runs and %d decisions are counted, want %d and %d", counted.TotalRequests, counted.SuccessfulRequests, decided.Load()+failed.Load(), decided.Load())
	}
	middle, last := thirds(memory)
	if last > 1.25*middle+16 {
		c.failf("the memory grows: %.0f MiB in the middle third, %.0f in the last", middle, last)
	}
	c.must(s.end())
	c.thalas(file, "check")
	c.row(questions, decided.Load(), failed.Load(), decided.Load(), repeated.Load(), inFlight.Load(), fmt.Sprintf("$%.6f", float64(spent)/1e6),
		fmt.Sprintf("$%.6f to $%.6f", float64(low)/1e6, float64(high)/1e6), fmt.Sprintf("%.0f and %.0f MiB", middle, last))
}

// thirds returns the medians of the middle and of the last third, 0 of fewer than three values.
func thirds(values []float64) (middle, last float64) {
	n := len(values) / 3
	if n == 0 {
		return 0, 0
	}
	median := func(of []float64) float64 {
		of = slices.Sorted(slices.Values(of))
		return of[len(of)/2]
	}
	return median(values[n : 2*n]), median(values[len(values)-n:])
}
