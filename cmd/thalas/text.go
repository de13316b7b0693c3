package main

// Text for a terminal: without control characters, wrapped, and in tables.

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/charmbracelet/x/ansi"
)

// visible gives a text on one line, without characters that control a terminal or hide
// text. The source of a text should have removed them already; this is the last chance.
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

// wrap breaks a text into lines of at most width columns, between words. It breaks a word
// only if that is wider.
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

// hang wraps lines to the width, and indents continuation lines by two more columns.
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

// trimLines removes the blanks at the ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// maxCell is the most columns of a cell, which is the length of an id. A longer name is
// cut; the JSON has it whole.
const maxCell = 36

// column is one column of a table. look gives the style of a row's cell; nil is plain.
type column struct {
	head  string
	cells []string
	look  func(row int) lipgloss.Style
}

// tableOf writes columns next to each other, with two blanks between them.
func (s styles) tableOf(columns []column) string {
	t := table.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, at int) lipgloss.Style {
			look := s.plain
			switch {
			case row == table.HeaderRow:
				look = s.dim
			case columns[at].look != nil:
				look = columns[at].look(row)
			}
			return look.PaddingRight(2)
		})
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	t.Headers(heads...)
	for row := range columns[0].cells {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = ansi.Truncate(visible(c.cells[row]), maxCell, "…")
		}
		t.Row(cells...)
	}
	return trimLines(t.Render())
}
