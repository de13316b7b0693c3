package main

// Each provider has each fault of the simulator, once with a quorum and once without.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"thalas/internal/simulator"
)

// faults asks a new server twice in each case: with a quorum that the other providers
// reach, and with one that they don't. Every attempt has the fault. A short run tests one
// provider with each fault.
func (c *chaos) faults() {
	all, count := simulator.Faults(), len(simulator.Providers)
	entries, outs := make([]map[string][]string, len(all)), make([]map[string][]string, len(all)) // providers by text, by fault
	cases := 0
	var mu sync.Mutex // guards entries, outs and cases
	c.parallel(len(all)*count, 16, func(n int) {
		i, fault, name := n/count, all[n/count].Name, simulator.Providers[n%count]
		if c.short && (uint64(n/count+n%count)-c.seed)%uint64(count) != 0 {
			return
		}
		kept, leftOut := c.faultOf(name, fault, 2)
		lost, _ := c.faultOf(name, fault, count)
		if kept != lost {
			c.failf("%s of %s is %q where the quorum is kept, and %q where it is lost", fault, name, kept, lost)
		}
		mu.Lock()
		defer mu.Unlock()
		if entries[i] == nil {
			entries[i], outs[i] = map[string][]string{}, map[string][]string{}
		}
		cases += 2
		entries[i][kept] = append(entries[i][kept], name)
		out := cmp.Or(leftOut, "no")
		outs[i][out] = append(outs[i][out], name)
		c.leftOut[fault] = c.leftOut[fault] || leftOut != ""
	})
	for i, fault := range all {
		c.row("`"+fault.Name+"`", fault.What, grouped(entries[i]), grouped(outs[i]))
	}
	fmt.Fprintf(&c.table, "\n%d combinations of provider, fault and quorum.\n", cases)
}

// grouped joins texts with the names of the providers that have them. The text of most
// providers comes first, without names.
func grouped(providers map[string][]string) string {
	var texts []string
	for text, names := range providers {
		slices.Sort(names)
		texts = append(texts, text)
	}
	slices.SortFunc(texts, func(a, b string) int {
		return cmp.Or(len(providers[b])-len(providers[a]), cmp.Compare(a, b))
	})
	for i := 1; i < len(texts); i++ {
		texts[i] = strings.Join(providers[texts[i]], ", ") + ": " + texts[i]
	}
	return strings.Join(texts, "; ")
}

// faultOf asks once while one provider has a fault. It returns that provider's entry in the
// answer, and the reason why it is left out afterwards.
func (c *chaos) faultOf(name, fault string, quorum int) (entry, leftOut string) {
	p := c.providers(0, func(provider, _ string, _ int) simulator.Fault {
		if provider == name {
			return simulator.Fault(fault)
		}
		return simulator.OK
	})
	s := c.serve(p, c.scratch(), "")
	a := s.ask(pairOf(1), quorum, 15, "") // seconds, which a provider that hangs uses up
	what := fmt.Sprintf("%s of %s with quorum %d", fault, name, quorum)
	calls := p.about(pairOf(1))
	for _, broken := range a.broken(calls, quorum) {
		c.failf("%s: %s: %s", what, broken, &a)
	}
	entry = "a vote"
	for _, f := range a.failures() {
		if f.Provider != name {
			c.failf("%s: %s has failed too: %s", what, f.Provider, &a)
			continue
		}
		entry = fmt.Sprintf("`%s`, %s, %s", f.Error, counted(f.Attempts, "attempt"), map[bool]string{true: "may pass", false: "final"}[f.Retryable])
	}
	if decided := quorum < len(simulator.Providers) || entry == "a vote"; decided != (a.status == 200) {
		c.failf("%s: status %d with the entry %s: %s", what, a.status, entry, &a)
	}
	entry += "; " + billed(calls, name)
	low, high := c.booked(calls, a.failures())
	c.checkBudget(s, "after "+what, low, high)
	h, err := s.health()
	c.must(err)
	for _, of := range h.Providers {
		if of.Name == name && of.LeftOut != nil {
			leftOut = "`" + string(of.LeftOut.Reason) + "`"
		}
	}
	c.must(s.end())
	return entry, leftOut
}

// billed describes how a provider's calls are booked in the day's budget.
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
		return counted(unknown, "worst case") + " booked"
	case usd > 0:
		return "booked as told"
	}
	return "nothing booked"
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
