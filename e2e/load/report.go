package main

// What is reported, as it stands in the JSON.

import (
	"runtime"
	"time"

	"thalas/e2e/process"
)

type report struct {
	Time        time.Time     `json:"time"`
	System      string        `json:"system"` // linux/amd64
	Go          string        `json:"go"`
	Processors  int           `json:"processors"`
	LoadAverage *float64      `json:"load_average"` // of the minute before; null where it is not known
	Phases      []phaseReport `json:"phases"`
	Failures    []string      `json:"failures"` // empty: every request and every check is good
}

type phaseReport struct {
	Name     string    `json:"name"` // closed, open or soak
	Title    string    `json:"title"`
	Servers  []figures `json:"servers"`
	Ratios   *ratios   `json:"thalas_to_bare"`     // null unless both were measured
	Failures []string  `json:"failures,omitempty"` // of the processes
}

// figures of one server in one phase. Times are in milliseconds; a null was not
// measured here.
type figures struct {
	Server       string          `json:"server"`
	Sent         int             `json:"sent"`    // the warm-up included
	Answers      map[string]int  `json:"answers"` // by status and problem type
	Seconds      float64         `json:"seconds"`
	Throughput   float64         `json:"consensus_per_second"`
	Rounds       []float64       `json:"consensus_per_second_by_round"`
	Latency      *percentiles    `json:"latency_ms"`  // as the caller sees it; in the open loop from the time a question was due
	Added        *percentiles    `json:"added_ms"`    // latency less the providers' delay
	Overhead     *percentiles    `json:"overhead_ms"` // as the server says in its answers
	Late         *percentiles    `json:"sent_late_ms"`
	CPU          *float64        `json:"cpu_ms_per_consensus"`
	ProvidersCPU *float64        `json:"providers_cpu_ms_per_consensus"`
	LoadCPU      *float64        `json:"load_cpu_ms_per_consensus"`
	Memory       *process.Memory `json:"memory"` // after the load, before the checks
	MemoryAt     []memoryAt      `json:"memory_at,omitempty"`
	LookedUp     int             `json:"looked_up"` // by id
	Failures     []string        `json:"failures,omitempty"`
}

type memoryAt struct {
	Requests int `json:"requests"`
	process.Memory
}

// ratios of thalas to bare. Null: not measured, or bare's value is not above 0.
type ratios struct {
	Throughput *float64 `json:"consensus_per_second"`
	AddedP50   *float64 `json:"added_p50"`
	AddedP99   *float64 `json:"added_p99"`
	CPU        *float64 `json:"cpu_per_consensus"`
	PeakMemory *float64 `json:"peak_memory"`
}

func newReport() report {
	r := report{Time: time.Now().UTC(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Processors: runtime.NumCPU(), Failures: []string{}}
	if load, known := process.LoadAverage(); known {
		r.LoadAverage = &load
	}
	return r
}

func (r *report) add(p phaseReport) {
	r.Phases = append(r.Phases, p)
	for _, f := range p.Servers {
		for _, failure := range f.Failures {
			r.Failures = append(r.Failures, p.Name+": "+failure)
		}
	}
	for _, failure := range p.Failures {
		r.Failures = append(r.Failures, p.Name+": "+failure)
	}
}

// compare fills the ratios.
func (p *phaseReport) compare() {
	if len(p.Servers) != 2 {
		return
	}
	bare, thalas := p.Servers[0], p.Servers[1]
	p.Ratios = &ratios{Throughput: ratio(&thalas.Throughput, &bare.Throughput), CPU: ratio(thalas.CPU, bare.CPU)}
	if thalas.Added != nil && bare.Added != nil {
		p.Ratios.AddedP50 = ratio(&thalas.Added.P50, &bare.Added.P50)
		p.Ratios.AddedP99 = ratio(&thalas.Added.P99, &bare.Added.P99)
	}
	if thalas.Memory != nil && bare.Memory != nil {
		p.Ratios.PeakMemory = ratio(&thalas.Memory.Peak, &bare.Memory.Peak)
	}
}

func ratio(a, b *float64) *float64 {
	if a == nil || b == nil || *b <= 0 {
		return nil
	}
	r := *a / *b
	return &r
}
