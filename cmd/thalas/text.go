package main

// Text on a screen: what may get there, and where its lines break.

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
)

// visible gives text on one line without anything that steers a terminal or
// hides what is written. Whoever made a text should have seen to that; this is
// the last place where it can be.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// visibleLines is visible for each line of text.
func visibleLines(text string) []string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return lines
}

// wrap breaks text between words into lines of at most width columns. A word
// that is wider is broken where it must.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	end := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line, used = "", 0
	}
	for word := range strings.FieldsSeq(text) {
		columns := lipgloss.Width(word)
		if used > 0 && used+1+columns > width {
			end()
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		if columns <= width {
			line, used = line+word, used+columns
			continue
		}
		for _, r := range word {
			columns := lipgloss.Width(string(r))
			if used > 0 && used+columns > width {
				end()
			}
			line, used = line+string(r), used+columns
		}
	}
	end()
	return lines
}

// hang wraps lines to the width; what goes on below is indented by two more.
func hang(lines []string, width int) []string {
	var hung []string
	for _, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for i, part := range wrap(line, width-len(indent)-2) {
			if i == 1 {
				indent += "  "
			}
			hung = append(hung, indent+part)
		}
	}
	return hung
}

// trimLines removes the blanks that fill lines up.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
