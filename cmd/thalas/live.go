package main

// The live lines: one for each provider while it is waited for.

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

// redrawEvery is how often the clocks of the live lines move.
const redrawEvery = 100 * time.Millisecond

// live shows the steps of a run. Where lines can be drawn over they stand still
// and their clocks run; elsewhere a line is written when a provider has ended.
type live struct {
	out   io.Writer
	style styles
	width func() int // of the screen to draw on; nil: nothing is drawn over
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

// newLive begins to show a run. The caller ends it by end.
func newLive(out io.Writer, style styles, width func() int) *live {
	l := &live{out: out, style: style, width: width, stop: make(chan struct{}), started: time.Now()}
	if width != nil {
		l.done.Go(l.tick)
	}
	return l
}

// tick lets the clocks run.
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

// step takes in what the orchestrator tells.
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

// end draws the last state and leaves it standing.
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

// draw writes all lines over those that are on the screen. What can't be written
// is nobody's loss: the result is what counts.
func (l *live) draw() {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	for _, line := range l.lines {
		// No line may be wider than the screen: a wrapped one would not be drawn over.
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
