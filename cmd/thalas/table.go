package main

// Tables without lines.

import (
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/charmbracelet/x/ansi"
)

// maxCell is the widest that a cell gets, which an id just fits: a name that is
// longer is cut, and whole in the JSON.
const maxCell = 36

// column is one column of a table, with how its cells look by row; nil: plain.
type column struct {
	head  string
	cells []string
	look  func(row int) lipgloss.Style
}

// tableOf writes columns side by side, two blanks apart.
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
