package main

// What a run shows before it has a result: first whether the providers are simulated and
// which can't be asked, then a line for each provider that is waited for.

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/app"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

// redrawn are lines of a terminal that are redrawn in their place.
type redrawn struct {
	out   io.Writer
	style styles
	width func() int
	lines func() []string // the caller holds mu
	stop  chan struct{}
	done  sync.WaitGroup

	mu    sync.Mutex // guards drawn and what the lines are made of
	drawn int        // lines on the screen
}

// start redraws the lines at once and then regularly, so that their clocks run, until end.
func (r *redrawn) start(every time.Duration, lines func() []string) {
	r.lines, r.stop = lines, make(chan struct{})
	r.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			r.redraw()
			select {
			case <-ticker.C:
			case <-r.stop:
				return
			}
		}
	})
}

// end ends what start began, and draws the lines for the last time.
func (r *redrawn) end() {
	close(r.stop)
	r.done.Wait()
	r.redraw()
}

func (r *redrawn) redraw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draw()
}

// draw redraws the lines. The caller holds mu. A failed write is ignored, because only the
// results matter.
func (r *redrawn) draw() {
	var b strings.Builder
	if r.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", r.drawn)
	}
	lines := r.lines()
	for _, line := range lines {
		// No line may be wider than the terminal, since a wrapped line is not redrawn whole.
		b.WriteString("\r\x1b[K" + r.style.plain.MaxWidth(max(r.width()-1, 1)).Render(line) + "\n")
	}
	r.drawn = len(lines)
	_, _ = io.WriteString(r.out, b.String())
}

// redrawEvery is how often the clocks of the live lines move.
const redrawEvery = 100 * time.Millisecond

// live shows the steps of a run. On a terminal it redraws a line for each provider, with
// a running clock. Otherwise it writes a line when a provider has ended.
type live struct {
	redrawn
	started time.Time
	steps   []orchestrator.Progress // the last one of each provider; guarded by mu
}

// newLive begins to show a run. The caller must call end. A nil width means that lines
// can't be redrawn.
func newLive(out io.Writer, style styles, width func() int) *live {
	l := &live{redrawn: redrawn{out: out, style: style, width: width}, started: time.Now()}
	if width != nil {
		l.start(redrawEvery, l.texts)
	}
	return l
}

// step shows a step that the orchestrator reports.
func (l *live) step(p orchestrator.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.steps, func(s orchestrator.Progress) bool { return s.Provider == p.Provider })
	if at < 0 {
		l.steps = append(l.steps, p)
	} else {
		l.steps[at] = p
	}
	switch {
	case l.width != nil:
		l.draw()
	case p.Vote != nil || p.Failure != nil:
		fmt.Fprintln(l.out, l.text(p))
	}
}

func (l *live) end() {
	if l.width != nil {
		l.redrawn.end()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.steps) > 0 {
		fmt.Fprintln(l.out)
	}
}

func (l *live) texts() []string {
	lines := make([]string, len(l.steps))
	for i, p := range l.steps {
		lines[i] = l.text(p)
	}
	return lines
}

func (l *live) text(p orchestrator.Progress) string {
	name := fmt.Sprintf("  %-9s  ", p.Provider)
	switch v, f := p.Vote, p.Failure; {
	case v != nil:
		return name + l.style.decision(v.Decision).Render(fmt.Sprintf("%-4s", v.Decision)) +
			fmt.Sprintf("  confidence %-8s  %s", figure(v.Confidence), l.style.dim.Render(visible(v.Model)+", "+latency(v.LatencyMS)+attempts(v.Attempts)))
	case f == nil:
		waited := time.Since(l.started).Truncate(redrawEvery).Seconds()
		return name + l.style.dim.Render(fmt.Sprintf("asking %s … %.1f s", visible(p.Model), waited))
	case f.Error == signal.FailureNotNeeded:
		return name + l.style.dim.Render("not needed")
	case f.Error == signal.FailureLeftOut:
		return name + l.style.warn.Render("left out") + visible(": "+f.Message)
	default:
		return name + l.style.bad.Render(string(f.Error)) + visible(" after "+latency(f.LatencyMS)+attempts(f.Attempts)+": "+strings.TrimPrefix(f.Message, f.Provider+" "))
	}
}

func announce(t terminal, a *app.App) {
	if a.Simulated {
		fmt.Fprintln(t.err, t.stylesFor(t.err).warn.Render("Simulated: no language model is asked. Set a provider's API key for real votes."))
	}
	if len(a.Registry.Available()) == 0 {
		return // the error of the run names all of them
	}
	for _, e := range a.Registry.Entries() {
		if !e.Disabled && e.Unavailable != "" {
			fmt.Fprintf(t.err, "Not asked: %s, %s\n", e.Provider.Name(), e.Unavailable)
		}
	}
	if a.Config.DailyBudget > 0 || a.Config.RequestBudget > 0 {
		for _, e := range a.Registry.Available() {
			if _, known := a.Catalog.Price(e.Provider.Name(), e.Provider.Model(), 0, time.Now()); !known {
				fmt.Fprintf(t.err, "No budget limits %s: no price is known for its model %s. PRICES_FILE adds one.\n", e.Provider.Name(), e.Provider.Model())
			}
		}
	}
}
