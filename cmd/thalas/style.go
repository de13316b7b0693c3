package main

// Colours and widths. There are no escape codes in output that is not a terminal, nor with
// NO_COLOR.

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"golang.org/x/term"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// The sixteen colours of the terminal's own palette, readable on light and dark.
const (
	red    = lipgloss.Color("1")
	green  = lipgloss.Color("2")
	yellow = lipgloss.Color("3")
)

const (
	minWidth     = 60  // on a narrower terminal lines wrap by themselves
	defaultWidth = 100 // for output that is not a terminal
	maxWidth     = 120 // longer lines are hard to read
)

// environment is a list of NAME=value, as os.Environ gives it.
type environment []string

// Environ gives the list.
func (e environment) Environ() []string { return e }

// Getenv gives a variable's value as the configuration reads one; empty where it is not set.
func (e environment) Getenv(name string) string {
	for _, entry := range e {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return provider.Unquoted(value)
		}
	}
	return ""
}

type styles struct {
	plain, bold, dim, good, bad, warn lipgloss.Style
}

// stylesFor gives the styles for what is written to w.
func (t terminal) stylesFor(w io.Writer) styles {
	r := lipgloss.NewRenderer(w, termenv.WithEnvironment(t.environ))
	return styles{
		plain: r.NewStyle(),
		bold:  r.NewStyle().Bold(true),
		dim:   r.NewStyle().Faint(true),
		good:  r.NewStyle().Foreground(green),
		bad:   r.NewStyle().Foreground(red),
		warn:  r.NewStyle().Foreground(yellow),
	}
}

func (s styles) decision(d signal.Decision) lipgloss.Style {
	switch d {
	case signal.Buy:
		return s.good.Bold(true)
	case signal.Sell:
		return s.bad.Bold(true)
	}
	return s.warn.Bold(true)
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// canRedraw reports whether lines on w can be redrawn.
func (t terminal) canRedraw(w io.Writer) bool {
	kind := t.environ.Getenv("TERM")
	return isTerminal(w) && kind != "" && kind != "dumb" && t.environ.Getenv("NO_COLOR") == ""
}

// widthOf gives the width of lines for w, in columns.
func widthOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}

// heightOf gives the number of lines of the terminal w; 0 if it is not a terminal.
func heightOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if _, height, err := term.GetSize(int(f.Fd())); err == nil {
			return height
		}
	}
	return 0
}
