package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

func stepOf(v signal.Vote) orchestrator.Progress {
	return orchestrator.Progress{Provider: v.Provider, Model: v.Model, Vote: &v}
}

func failedStep(provider, message string) orchestrator.Progress {
	return orchestrator.Progress{Provider: provider, Failure: &signal.Failure{Provider: provider, Error: signal.FailureTimeout, Message: message, Attempts: 2, LatencyMS: 1500}}
}

func asking(provider string) orchestrator.Progress {
	return orchestrator.Progress{Provider: provider, Model: provider + "-model-1"}
}

// screen is a terminal that understands what live writes: text, line breaks,
// cursor up, carriage return and erase to the end of the line.
type screen struct {
	lines    []string
	row, col int
}

func (s *screen) Write(p []byte) (int, error) {
	for text := string(p); text != ""; {
		for s.row >= len(s.lines) {
			s.lines = append(s.lines, "")
		}
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			s.lines[s.row] = s.lines[s.row][:s.col]
			text = text[len("\x1b[K"):]
		case strings.HasPrefix(text, "\x1b["):
			up, rest, _ := strings.Cut(text[len("\x1b["):], "A")
			lines, _ := strconv.Atoi(up)
			s.row -= lines
			text = rest
		case text[0] == '\r':
			s.col, text = 0, text[1:]
		case text[0] == '\n':
			s.row, s.col, text = s.row+1, 0, text[1:]
		default:
			end := strings.IndexAny(text, "\r\n\x1b")
			if end < 0 {
				end = len(text)
			}
			s.lines[s.row] = s.lines[s.row][:s.col] + text[:end]
			s.col += end
			text = text[end:]
		}
	}
	return len(p), nil
}

func (s *screen) text() string { return strings.Join(s.lines, "\n") }

func TestLiveLinesAreDrawnOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		l := newLive(s, terminal{}.stylesFor(s), func() int { return 60 })
		l.step(asking("anthropic"))
		l.step(asking("grok"))
		time.Sleep(1230 * time.Millisecond) // virtual
		synctest.Wait()
		want := "  anthropic  asking anthropic-model-1 … 1.2 s\n  grok       asking grok-model-1 … 1.2 s"
		l.mu.Lock()
		got := strings.TrimRight(s.text(), "\n")
		l.mu.Unlock()
		if got != want {
			t.Errorf("while waiting:\n%s\nwant:\n%s", got, want)
		}
		l.step(stepOf(vote("anthropic", signal.Buy, .85, 1)))
		l.step(failedStep("grok", "no answer within 1.5s, which is a text that is far too long for the screen"))
		l.end()
		want = "  anthropic  BUY   confidence 0.85      anthropic-model-1, \n  grok       timeout after 1.5 s, 2 attempts: no answer wit\n"
		if got := s.text(); got != want {
			t.Errorf("at the end:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestLiveLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	l := newLive(&out, terminal{}.stylesFor(&out), nil)
	l.step(asking("anthropic"))
	l.step(asking("gemini"))
	l.step(asking("grok"))
	l.step(stepOf(vote("anthropic", signal.Hold, .5, 1)))
	l.step(failedStep("grok", "grok answered 504: Gateway Timeout; ask again later"))
	l.step(orchestrator.Progress{Provider: "gemini", Failure: &signal.Failure{Provider: "gemini", Error: signal.FailureNotNeeded}})
	l.end()
	want := "  anthropic  HOLD  confidence 0.5       anthropic-model-1, 812 ms\n" +
		"  grok       timeout after 1.5 s, 2 attempts: answered 504: Gateway Timeout; ask again later\n" +
		"  gemini     not needed\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant one line for each that ended:\n%s", out.String(), want)
	}
}

func TestWhereLinesAreDrawnOver(t *testing.T) {
	var pipe bytes.Buffer
	if (terminal{err: &pipe, environ: environment{"TERM=xterm"}}).screen(false) != nil {
		t.Error("a pipe is drawn over")
	}
}
