package main

// How settling is shown: progress where it takes long, a line for each series, and why the
// rest stays open.

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"thalas/internal/outcome"
)

// settling shows the steps of settling.
type settling struct {
	terminal
	styles
	dryRun                bool
	series, settled, open int
	failed                int
	reasons               map[outcome.Reason]int // of what stays open; the empty one: it is pending
	nextProgress          time.Time
}

// tell prints a line for a series that is done, and now and then one for a series that is
// not done yet.
func (s *settling) tell(step settleStep) error {
	d := step.Series
	name := d.String()
	if d.Simulated {
		name += " (simulated)"
	}
	if !step.Done {
		if now := time.Now(); !now.Before(s.nextProgress) {
			s.nextProgress = now.Add(progressEvery)
			fmt.Fprintf(s.err, "%s: %d settled so far …\n", name, d.Settled)
		}
		return nil
	}
	s.series++
	s.settled += d.Settled
	parts := []string{fmt.Sprintf("%d settled", d.Settled)}
	if s.dryRun {
		parts[0] = fmt.Sprintf("%d would be settled", d.Settled)
	}
	if d.Settled > 0 {
		parts[0] += " by candles from " + d.Source
	}
	if d.Pending > 0 && step.Failed == "" {
		parts = append(parts, fmt.Sprintf("%d pending", d.Pending))
		s.reasons[""] += d.Pending
	}
	for _, reason := range slices.Sorted(maps.Keys(d.Unresolved)) {
		parts = append(parts, fmt.Sprintf("%d %s", d.Unresolved[reason], words(reason)))
		s.reasons[reason] += d.Unresolved[reason]
		s.open += d.Unresolved[reason]
	}
	s.open += d.Pending
	text := name + ": " + strings.Join(parts, ", ")
	if step.Failed != "" {
		s.failed++
		text += s.bad.Render(fmt.Sprintf("; no candles for the other %d: ", d.Pending)) + visible(step.Failed)
	}
	_, err := fmt.Fprintln(s.out, strings.Join(hang([]string{text}, textWidth), "\n"))
	return err
}

// end prints the sums, and what the reasons mean.
func (s *settling) end() error {
	if s.series == 0 {
		_, err := fmt.Fprintln(s.out, "Nothing to settle: no result waits for candles.")
		return err
	}
	r := &report{styles: s.styles, width: textWidth}
	verb := "Settled"
	if s.dryRun {
		verb = "Nothing was stored. Would be settled"
	}
	r.line("\n%s: %d. Open: %d.", verb, s.settled, s.open)
	for _, reason := range slices.Sorted(maps.Keys(s.reasons)) {
		if reason == "" {
			r.entry(r.dim, "pending", "its window has not ended, or its newest candles are not known yet")
			continue
		}
		r.entry(r.dim, words(reason), reasonText(reason))
	}
	_, err := io.WriteString(s.out, r.String())
	return err
}

func words(reason outcome.Reason) string { return strings.ReplaceAll(string(reason), "_", " ") }
