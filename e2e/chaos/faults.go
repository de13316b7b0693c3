package main

// Each provider with each fault of the simulator, the quorum kept and lost.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"thalas/internal/simulator"
)

// faultTimeout is what a run has where a provider never answers, in seconds.
const faultTimeout = "8"

// faults asks a fresh server twice for each case: with a quorum that the others reach,
// and with one that they don't. A fault repeats until the run gives up.
func (c *chaos) faults() (string, error) {
	type outcome struct{ kept, then string }
	all := simulator.Faults()
	outcomes := make([]map[string]outcome, len(all)) // by fault, then by provider
	for i := range outcomes {
		outcomes[i] = map[string]outcome{}
	}
	type job struct {
		fault    int
		provider string
	}
	var jobs []job
	for i := range all {
		for j, name := range simulator.Providers {
			if !c.short || uint64(i+j)%uint64(len(simulator.Providers)) == c.seed%uint64(len(simulator.Providers)) {
				jobs = append(jobs, job{i, name})
			}
		}
	}
	c.parallel(len(jobs), 12, func(n int) {
		fault, name := all[jobs[n].fault].Name, jobs[n].provider
		kept, then, err := c.faultOf(name, fault, 2)
		lost := ""
		if err == nil {
			lost, _, err = c.faultOf(name, fault, len(simulator.Providers))
		}
		switch {
		case err != nil:
			c.failf("%s of %s: %v", fault, name, err)
		case kept != lost:
			c.failf("%s of %s is %q where the quorum is kept, and %q where it is lost", fault, name, kept, lost)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		outcomes[jobs[n].fault][name] = outcome{kept, then}
		c.leftOut[fault] = c.leftOut[fault] || then != ""
	})
	var b strings.Builder
	b.WriteString("| fault of one provider | what it is | its entry in the answer | left out afterwards |\n|---|---|---|---|\n")
	for i, fault := range all {
		of := func(pick func(outcome) string) string {
			byText := map[string][]string{}
			for _, name := range slices.Sorted(slices.Values(simulator.Providers)) {
				if o, asked := outcomes[i][name]; asked {
					byText[pick(o)] = append(byText[pick(o)], name)
				}
			}
			texts := make([]string, 0, len(byText))
			for text := range byText {
				texts = append(texts, text)
			}
			// The one of most providers comes first and goes without their names.
			slices.SortFunc(texts, func(a, b string) int {
				return cmp.Or(cmp.Compare(len(byText[b]), len(byText[a])), cmp.Compare(a, b))
			})
			for j := 1; j < len(texts); j++ {
				texts[j] = strings.Join(byText[texts[j]], ", ") + ": " + texts[j]
			}
			return strings.Join(texts, "; ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", fault.Name, fault.What, of(func(o outcome) string { return o.kept }), of(func(o outcome) string { return o.then }))
	}
	fmt.Fprintf(&b, "\n%d combinations of provider, fault and quorum.\n", 2*len(jobs))
	return b.String(), nil
}

// faultOf asks once while one provider has a fault. It gives what became of that
// provider in the answer, and why it is left out afterwards.
func (c *chaos) faultOf(name, fault string, quorum int) (entry, leftOut string, err error) {
	p := newProviders(func(provider, _ string, _ int) simulator.Fault {
		if provider == name {
			return simulator.Fault(fault)
		}
		return simulator.OK
	})
	defer p.close()
	file, err := c.scratch()
	if err != nil {
		return "", "", err
	}
	s, err := c.start(p, file, "")
	if err != nil {
		return "", "", err
	}
	a := s.ask(question(pairOf(1), quorum, faultTimeout), "")
	calls := p.about(pairOf(1))
	promise := func(format string, args ...any) {
		c.failf("%s of %s with quorum %d: %s: %s", fault, name, quorum, fmt.Sprintf(format, args...), &a)
	}
	for _, what := range a.broken(calls, quorum) {
		promise("%s", what)
	}
	failures := a.Failures
	if a.status != 200 {
		failures = a.problem.Failures
	}
	entry = "a vote"
	for _, f := range failures {
		if f.Provider != name {
			promise("%s has failed too", f.Provider)
			continue
		}
		entry = fmt.Sprintf("`%s`, %s, %s", f.Error, attempts(f.Attempts), map[bool]string{true: "may pass", false: "final"}[f.Retryable])
	}
	if wasVote := entry == "a vote"; a.status != 200 && (quorum < len(simulator.Providers) || wasVote) || a.status == 200 && quorum == len(simulator.Providers) && !wasVote {
		promise("status %d with the entry %s", a.status, entry)
	}
	entry += billed(calls, name)
	low, high := c.booked(calls, failures)
	c.holdMoney(s, fmt.Sprintf("after %s of %s with quorum %d", fault, name, quorum), low, high)
	h, err := s.health()
	for _, of := range h.Providers {
		if of.Name == name && of.LeftOut != nil {
			leftOut = of.LeftOut.Reason
		}
	}
	if err != nil {
		return "", "", err
	}
	return entry, leftOut, s.end()
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

// billed says how a provider's calls are booked in the day's budget.
func billed(calls []*call, name string) string {
	usd, unknown := 0.0, 0
	for _, made := range calls {
		if made.provider == name {
			usd += made.usd
			if made.unknown {
				unknown++
			}
		}
	}
	switch {
	case unknown > 0:
		return fmt.Sprintf("; %d worst cases booked", unknown)
	case usd > 0:
		return "; booked as told"
	}
	return "; nothing booked"
}
