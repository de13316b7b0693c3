package main

// The report: one table a phase, as plain text.

import (
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"thalas/e2e/process"
)

type report struct {
	began       time.Time
	loadAverage float64 // of the minute before; 0 where it is not known
	phases      []measured
	failures    []string // empty: every request and every check is good
}

type measured struct {
	phase
	servers  []*server
	failures []string
}

func newReport() report {
	r := report{began: time.Now().UTC()}
	r.loadAverage, _ = process.LoadAverage()
	return r
}

func (r *report) add(m measured) {
	r.phases = append(r.phases, m)
	for _, failure := range m.failures {
		r.failures = append(r.failures, m.name+": "+failure)
	}
}

func (r report) write(w io.Writer) {
	fmt.Fprintf(w, "%s/%s, %d processors, %s, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), r.began.Format("2006-01-02 15:04 MST"))
	if r.loadAverage > 0.5 {
		fmt.Fprintf(w, "The machine was not idle before (load average %.1f): the figures are worth less.\n", r.loadAverage)
	}
	for _, m := range r.phases {
		fmt.Fprintf(w, "\n%s\n", m.title)
		m.table(w)
	}
	fmt.Fprintln(w, "\nLatency is what the caller sees; overhead_ms is what the server knows of it. Aims: 60 % of bare's throughput, twice its added latency, 80 MiB.")
	if len(r.phases) > 0 && !slices.ContainsFunc(r.phases[0].servers, func(s *server) bool { return len(s.memory) > 0 }) {
		fmt.Fprintln(w, "CPU and memory of the servers were not measured: that needs Linux.")
	}
	if len(r.failures) == 0 {
		fmt.Fprintln(w, "Every question was answered; every answer was right, found again and counted where it is kept.")
		return
	}
	fmt.Fprintln(w, "\nFailures:")
	for _, failure := range r.failures {
		fmt.Fprintln(w, "  "+failure)
	}
}

// table writes a line for each figure: a column for each server, and the ratio of
// thalas to bare where it says something. NaN is a figure that nobody measured.
func (m measured) table(w io.Writer) {
	write := func(cells ...string) {
		line := fmt.Sprintf("%-26s", cells[0])
		for _, cell := range cells[1:] {
			line += fmt.Sprintf("%13s", cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	line := func(what, format string, compared bool, of func(*server) float64) {
		cells, known := []string{what}, false
		var values []float64
		for _, s := range m.servers {
			value := of(s)
			values = append(values, value)
			cells, known = append(cells, number(format, value)), known || !math.IsNaN(value)
		}
		if compared && len(values) == 2 && values[0] > 0 {
			cells = append(cells, number("%.2f", values[1]/values[0]))
		}
		if known {
			write(cells...)
		}
	}
	head := []string{""}
	for _, s := range m.servers {
		head = append(head, s.name)
	}
	if len(m.servers) == 2 {
		head = append(head, "thalas/bare")
	}
	write(head...)

	line("consensus a second", "%.0f", true, func(s *server) float64 { return float64(len(s.tally.latency)) / s.took.Seconds() })
	if m.rounds > 1 {
		line("  slowest round", "%.0f", false, func(s *server) float64 { return slices.Min(s.rounds) })
		line("  fastest round", "%.0f", false, func(s *server) float64 { return slices.Max(s.rounds) })
	}
	percentiles := func(what string, less time.Duration, compared bool, of func(*server) []float64) {
		for _, p := range []struct {
			name  string
			share float64
		}{{"p50 ms", .5}, {"p90", .9}, {"p99", .99}, {"p99.9", .999}} {
			line(what+" "+p.name, "%.2f", compared && (p.share == .5 || p.share == .99), func(s *server) float64 { return percentile(of(s), p.share) - ms(less) })
		}
	}
	latency := func(s *server) []float64 { return s.tally.latency }
	if m.delay > 0 {
		percentiles("added latency", m.delay, true, latency)
	} else {
		percentiles("latency", 0, false, latency)
	}
	percentiles("overhead_ms", 0, false, func(s *server) []float64 { return s.tally.overhead })
	line("sent late p99 ms", "%.2f", false, func(s *server) float64 { return percentile(s.late, .99) })

	cpu := func(what string, compared bool, of func(cpuTimes) time.Duration) {
		line(what, "%.3f", compared, func(s *server) float64 {
			if of(s.cpu) == 0 {
				return math.NaN()
			}
			return ms(of(s.cpu)) / float64(len(s.tally.latency))
		})
	}
	cpu("CPU ms a consensus", true, func(t cpuTimes) time.Duration { return t.server })
	cpu("  of the stub", false, func(t cpuTimes) time.Duration { return t.providers })
	cpu("  of the load generator", false, func(t cpuTimes) time.Duration { return t.load })

	memory := func(what string, compared bool, of func(process.Memory) float64) {
		line(what, "%.1f", compared, func(s *server) float64 {
			if len(s.memory) == 0 {
				return math.NaN()
			}
			return of(s.memory[len(s.memory)-1])
		})
	}
	memory("resident MiB, peak", true, func(m process.Memory) float64 { return m.Peak })
	memory("  at the end", false, func(m process.Memory) float64 { return m.Resident })
	memory("  of it anonymous", false, func(m process.Memory) float64 { return m.Anonymous })
	memory("  of it files", false, func(m process.Memory) float64 { return m.File })
	if len(m.attacks) > 1 {
		for i := range m.servers[0].memory {
			line(fmt.Sprintf("anonymous MiB at %d/%d", i+1, len(m.attacks)), "%.1f", false, func(s *server) float64 { return s.memory[i].Anonymous })
		}
	}
	statuses := map[string]bool{}
	for _, s := range m.servers {
		for status := range s.tally.statuses {
			statuses[status] = true
		}
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		line("answered "+status, "%.0f", false, func(s *server) float64 { return float64(s.tally.statuses[status]) })
	}
	line("looked up by id", "%.0f", false, func(s *server) float64 { return float64(s.looked) })
}

func number(format string, value float64) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return ""
	}
	return fmt.Sprintf(format, value)
}
