package main

// What a run shows before it has a result: first whether the providers are simulated and
// which can't be asked, then a line for each provider that is waited for.

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"thalas/internal/app"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// redrawEvery is how often the clocks of the live lines move.
const redrawEvery = 100 * time.Millisecond

// live shows the steps of a run. On a terminal it redraws a line for each provider, with
// a running clock. Otherwise it writes a line when a provider has ended.
type live struct {
	out   io.Writer
	style styles
	width func() int // of the terminal; nil: lines can't be redrawn
	stop  chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	started time.Time
	lines   []liveLine
	drawn   int // lines on the screen
}

type liveLine struct {
	name, model string
	vote        *signal.Vote
	failure     *signal.Failure
}

// newLive begins to show a run. The caller must call end.
func newLive(out io.Writer, style styles, width func() int) *live {
	l := &live{out: out, style: style, width: width, stop: make(chan struct{}), started: time.Now()}
	if width != nil {
		l.done.Go(l.tick)
	}
	return l
}

// tick redraws the lines until the run ends, so that the clocks run.
func (l *live) tick() {
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.mu.Lock()
			l.draw()
			l.mu.Unlock()
		case <-l.stop:
			return
		}
	}
}

// step shows a step that the orchestrator reports.
func (l *live) step(p orchestrator.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := -1
	for i := range l.lines {
		if l.lines[i].name == p.Provider {
			at = i
		}
	}
	if at < 0 {
		l.lines = append(l.lines, liveLine{name: p.Provider, model: p.Model})
		at = len(l.lines) - 1
	}
	l.lines[at].vote, l.lines[at].failure = p.Vote, p.Failure
	switch {
	case l.width != nil:
		l.draw()
	case p.Vote != nil || p.Failure != nil:
		fmt.Fprintln(l.out, l.text(l.lines[at]))
	}
}

// end draws the lines for the last time.
func (l *live) end() {
	close(l.stop)
	l.done.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.width != nil {
		l.draw()
	}
	if len(l.lines) > 0 {
		fmt.Fprintln(l.out)
	}
}

// draw redraws all lines. A failed write is ignored, because only the result matters.
func (l *live) draw() {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	for _, line := range l.lines {
		// No line may be wider than the terminal, since a wrapped line is not redrawn whole.
		b.WriteString("\r\x1b[K" + l.style.plain.MaxWidth(max(l.width()-1, 1)).Render(l.text(line)) + "\n")
	}
	l.drawn = len(l.lines)
	_, _ = io.WriteString(l.out, b.String())
}

func (l *live) text(line liveLine) string {
	name := fmt.Sprintf("  %-9s  ", line.name)
	switch {
	case line.vote != nil:
		v := line.vote
		return name + l.style.decision(v.Decision).Render(fmt.Sprintf("%-4s", v.Decision)) +
			fmt.Sprintf("  confidence %-8s  %s", figure(v.Confidence), l.style.dim.Render(visible(v.Model)+", "+latency(v.LatencyMS)+attempts(v.Attempts)))
	case line.failure != nil && line.failure.Error == signal.FailureNotNeeded:
		return name + l.style.dim.Render("not needed")
	case line.failure != nil && line.failure.Error == signal.FailureLeftOut:
		return name + l.style.warn.Render("left out") + visible(": "+line.failure.Message)
	case line.failure != nil:
		f := line.failure
		return name + l.style.bad.Render(string(f.Error)) + visible(" after "+latency(f.LatencyMS)+attempts(f.Attempts)+": "+strings.TrimPrefix(f.Message, f.Provider+" "))
	}
	waited := time.Since(l.started).Truncate(redrawEvery).Seconds()
	return name + l.style.dim.Render(fmt.Sprintf("asking %s … %.1f s", visible(line.model), waited))
}

func announce(t terminal, a *app.App) {
	if a.Simulated {
		style := t.stylesFor(t.err)
		fmt.Fprintln(t.err, style.warn.Render("Simulated: no language model is asked. Set a provider's API key for real votes."))
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
			if !isPriced(e.Provider) {
				fmt.Fprintf(t.err, "No budget holds %s: no price is known for its model %s. PRICES_FILE adds one.\n", e.Provider.Name(), e.Provider.Model())
			}
		}
	}
}

func isPriced(p provider.Provider) bool {
	priced, ok := p.(provider.Priced)
	if !ok {
		return false
	}
	_, known := priced.WorstCaseUSD(provider.Prompt{})
	return known
}
