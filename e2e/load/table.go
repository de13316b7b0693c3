package main

// The report: one table for each phase, as plain text.

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
	servers []*server
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
	if runtime.GOOS != "linux" {
		fmt.Fprintln(w, "CPU and memory of the servers were not measured: that needs Linux.")
	}
	if len(r.failures) == 0 {
		fmt.Fprintln(w, "Every question was answered; every answer was right, found again and counted where it is kept.")
		return
	}
	fmt.Fprintln(w, "\nFailures:\n  "+strings.Join(r.failures, "\n  "))
}

// table writes a line for each figure: a column for each server, and the ratio of
// thalas to bare where it means something. NaN stands for a figure that was not measured.
func (m measured) table(w io.Writer) {
	write := func(cells ...string) {
		line := fmt.Sprintf("%-26s", cells[0])
		for _, cell := range cells[1:] {
			line += fmt.Sprintf("%13s", cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	const compared = true
	line := func(what, format string, compared bool, of func(*server) float64) {
		cells := []string{what}
		var values []float64
		for _, s := range m.servers {
			value, cell := of(s), ""
			if !math.IsNaN(value) {
				cell = fmt.Sprintf(format, value)
			}
			values, cells = append(values, value), append(cells, cell)
		}
		if compared && len(values) == 2 && values[0] > 0 && values[1] > 0 {
			cells = append(cells, fmt.Sprintf("%.2f", values[1]/values[0]))
		}
		if strings.Join(cells[1:], "") != "" {
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

	line("consensus a second", "%.0f", compared, func(s *server) float64 { return float64(len(s.tally.latency)) / s.took.Seconds() })
	if m.rounds > 1 {
		line("  slowest round", "%.0f", false, func(s *server) float64 { return slices.Min(s.rounds) })
		line("  fastest round", "%.0f", false, func(s *server) float64 { return slices.Max(s.rounds) })
	}
	percentiles := func(what string, compared bool, of func(s *server, share float64) float64) {
		line(what+" p50 ms", "%.2f", compared, func(s *server) float64 { return of(s, .5) })
		line(what+" p90", "%.2f", false, func(s *server) float64 { return of(s, .9) })
		line(what+" p99", "%.2f", compared, func(s *server) float64 { return of(s, .99) })
		line(what+" p99.9", "%.2f", false, func(s *server) float64 { return of(s, .999) })
	}
	latency := "latency"
	if m.delay > 0 {
		latency = "added latency"
	}
	percentiles(latency, m.delay > 0, func(s *server, share float64) float64 { return percentile(s.tally.latency, share) - ms(m.delay) })
	percentiles("overhead_ms", false, func(s *server, share float64) float64 { return percentile(s.tally.overhead, share) })
	line("sent late p99 ms", "%.2f", false, func(s *server) float64 { return percentile(s.late, .99) })

	for i, what := range []string{"CPU ms a consensus", "  of the stub", "  of the load generator"} {
		line(what, "%.3f", i == 0, func(s *server) float64 {
			if s.cpu[i] == 0 {
				return math.NaN()
			}
			return ms(s.cpu[i]) / float64(len(s.tally.latency))
		})
	}
	memory := func(what string, compared bool, at int, of func(process.Memory) float64) {
		line(what, "%.1f", compared, func(s *server) float64 {
			if at >= len(s.memory) {
				return math.NaN()
			}
			return of(s.memory[at])
		})
	}
	last := m.rounds*len(m.attacks) - 1
	memory("resident MiB, peak", compared, last, func(m process.Memory) float64 { return m.Peak })
	memory("  at the end", false, last, func(m process.Memory) float64 { return m.Resident })
	memory("  of it anonymous", false, last, func(m process.Memory) float64 { return m.Anonymous })
	memory("  of it files", false, last, func(m process.Memory) float64 { return m.File })
	if n := len(m.attacks); n > 1 {
		for i := range n {
			memory(fmt.Sprintf("anonymous MiB at %d/%d", i+1, n), false, i, func(m process.Memory) float64 { return m.Anonymous })
		}
	}
	statuses := map[string]int{}
	for _, s := range m.servers {
		maps.Copy(statuses, s.tally.statuses)
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		line("answered "+status, "%.0f", false, func(s *server) float64 { return float64(s.tally.statuses[status]) })
	}
	line("looked up by id", "%.0f", false, func(s *server) float64 { return float64(s.looked) })
}
