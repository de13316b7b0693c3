package main

// The report as plain text: one table a phase.

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"thalas/e2e/process"
)

func (r report) write(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d processors, %s, %s\n", r.System, r.Processors, r.Go, r.Time.Format("2006-01-02 15:04 MST"))
	if r.LoadAverage != nil && *r.LoadAverage > 0.5 {
		fmt.Fprintf(w, "The machine was not idle before (load average %.1f): the figures are worth less.\n", *r.LoadAverage)
	}
	for _, p := range r.Phases {
		fmt.Fprintf(w, "\n%s\n", p.Title)
		for _, line := range p.table() {
			text := fmt.Sprintf("%-26s", line[0])
			for _, cell := range line[1:] {
				text += fmt.Sprintf("%13s", cell)
			}
			fmt.Fprintln(w, strings.TrimRight(text, " "))
		}
	}
	fmt.Fprintln(w, "\nLatency is what the caller sees; overhead_ms is what the server knows of it. Aims: 60 % of bare's throughput, twice its added latency, 80 MiB.")
	if len(r.Phases) > 0 && !slices.ContainsFunc(r.Phases[0].Servers, func(f figures) bool { return f.Memory != nil }) {
		fmt.Fprintln(w, "CPU and memory of the servers were not measured: that needs Linux and a server that was started here.")
	}
	if len(r.Failures) == 0 {
		_, err := fmt.Fprintln(w, "Every question was answered; every answer was right, found again and counted where it is kept.")
		return err
	}
	fmt.Fprintln(w, "\nFailures:")
	for _, failure := range r.Failures {
		fmt.Fprintln(w, "  "+failure)
	}
	return nil
}

// table gives the lines: what, a column for each server, and the ratio.
func (p phaseReport) table() [][]string {
	head := []string{""}
	for _, f := range p.Servers {
		head = append(head, f.Server)
	}
	none := ratios{}
	r := &none
	if p.Ratios != nil {
		head, r = append(head, "thalas/bare"), p.Ratios
	}
	lines := [][]string{head}
	add := func(what, format string, of func(figures) *float64, ratio *float64) {
		line, shown := []string{what}, false
		for _, f := range p.Servers {
			value := of(f)
			line, shown = append(line, number(format, value)), shown || value != nil
		}
		if p.Ratios != nil {
			line = append(line, number("%.2f", ratio))
		}
		if shown {
			lines = append(lines, line)
		}
	}
	add("consensus a second", "%.0f", func(f figures) *float64 { return &f.Throughput }, r.Throughput)
	if len(p.Servers[0].Rounds) > 1 {
		add("  slowest round", "%.0f", func(f figures) *float64 { return new(slices.Min(f.Rounds)) }, nil)
		add("  fastest round", "%.0f", func(f figures) *float64 { return new(slices.Max(f.Rounds)) }, nil)
	}
	spread := func(what string, of func(figures) *percentiles, p50, p99 *float64) {
		each := func(name string, pick func(*percentiles) float64, ratio *float64) {
			add(what+" "+name, "%.2f", func(f figures) *float64 {
				if q := of(f); q != nil {
					return new(pick(q))
				}
				return nil
			}, ratio)
		}
		each("p50 ms", func(q *percentiles) float64 { return q.P50 }, p50)
		each("p90", func(q *percentiles) float64 { return q.P90 }, nil)
		each("p99", func(q *percentiles) float64 { return q.P99 }, p99)
		each("p99.9", func(q *percentiles) float64 { return q.P999 }, nil)
	}
	if p.Servers[0].Added != nil {
		spread("added latency", func(f figures) *percentiles { return f.Added }, r.AddedP50, r.AddedP99)
	} else {
		spread("latency", func(f figures) *percentiles { return f.Latency }, nil, nil)
	}
	spread("overhead_ms", func(f figures) *percentiles { return f.Overhead }, nil, nil)
	add("sent late p99 ms", "%.2f", func(f figures) *float64 {
		if f.Late != nil {
			return &f.Late.P99
		}
		return nil
	}, nil)
	add("CPU ms a consensus", "%.3f", func(f figures) *float64 { return f.CPU }, r.CPU)
	add("  of the stub", "%.3f", func(f figures) *float64 { return f.ProvidersCPU }, nil)
	add("  of the load generator", "%.3f", func(f figures) *float64 { return f.LoadCPU }, nil)
	of := func(pick func(*process.Memory) float64) func(figures) *float64 {
		return func(f figures) *float64 {
			if f.Memory != nil {
				return new(pick(f.Memory))
			}
			return nil
		}
	}
	add("resident MiB, peak", "%.1f", of(func(m *process.Memory) float64 { return m.Peak }), r.PeakMemory)
	add("  at the end", "%.1f", of(func(m *process.Memory) float64 { return m.Resident }), nil)
	add("  of it anonymous", "%.1f", of(func(m *process.Memory) float64 { return m.Anonymous }), nil)
	add("  of it files", "%.1f", of(func(m *process.Memory) float64 { return m.File }), nil)
	for i := range p.longestMemory() {
		at := func(pick func(memoryAt) float64) func(figures) *float64 {
			return func(f figures) *float64 {
				if i < len(f.MemoryAt) {
					return new(pick(f.MemoryAt[i]))
				}
				return nil
			}
		}
		n := p.longestMemory()[i].Requests
		add(fmt.Sprintf("resident MiB at %d", n), "%.1f", at(func(m memoryAt) float64 { return m.Resident }), nil)
		add("  of it anonymous", "%.1f", at(func(m memoryAt) float64 { return m.Anonymous }), nil)
	}
	for _, answer := range p.answers() {
		add("answered "+answer, "%.0f", func(f figures) *float64 { return new(float64(f.Answers[answer])) }, nil)
	}
	add("looked up by id", "%.0f", func(f figures) *float64 { return new(float64(f.LookedUp)) }, nil)
	return lines
}

func number(format string, value *float64) string {
	if value == nil {
		return ""
	}
	return fmt.Sprintf(format, *value)
}

func (p phaseReport) longestMemory() (points []memoryAt) {
	for _, f := range p.Servers {
		if len(f.MemoryAt) > len(points) {
			points = f.MemoryAt
		}
	}
	return points
}

// answers are the kinds that any server gave, 200 first.
func (p phaseReport) answers() []string {
	kinds := map[string]bool{}
	for _, f := range p.Servers {
		for answer := range f.Answers {
			kinds[answer] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}
