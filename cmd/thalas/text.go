package main

// Text and numbers for people: colours, widths, wrapped lines, tables and figures. There
// are no escape codes in output that is not a terminal, nor with NO_COLOR. Rounding never
// changes the meaning of a number: one that is not 0 is never shown as 0, and one that
// fails a gate is never shown as one that passes it.

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	ltable "github.com/charmbracelet/lipgloss/table"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"golang.org/x/term"

	"thalas/internal/signal"
)

const (
	minWidth     = 60  // on a narrower terminal lines wrap by themselves
	defaultWidth = 100 // for output that is not a terminal
	maxWidth     = 120 // longer lines are hard to read
	textWidth    = 80  // of the scoreboard and of settle, whose lines fit almost every terminal
)

type styles struct {
	plain, bold, dim, good, bad, warn lipgloss.Style
}

// stylesFor gives the styles for what is written to w. The colours are red, green and yellow
// of the terminal's own palette, which are readable on light and dark.
func (t terminal) stylesFor(w io.Writer) styles {
	r := lipgloss.NewRenderer(w, termenv.WithEnvironment(t.environ))
	return styles{
		plain: r.NewStyle(),
		bold:  r.NewStyle().Bold(true),
		dim:   r.NewStyle().Faint(true),
		good:  r.NewStyle().Foreground(lipgloss.Color("2")),
		bad:   r.NewStyle().Foreground(lipgloss.Color("1")),
		warn:  r.NewStyle().Foreground(lipgloss.Color("3")),
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
	if width, _ := sizeOf(w); width > 0 {
		return width
	}
	return defaultWidth
}

// sizeOf gives the columns and lines of a terminal, and none for anything else.
func sizeOf(w io.Writer) (width, height int) {
	if f, ok := w.(*os.File); ok {
		width, height, _ = term.GetSize(int(f.Fd())) // not above 0 with an error
	}
	return width, height
}

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

// wrap breaks a text into lines of at most width columns, between words. It breaks a word
// only if that is wider. A number and its % are one word.
func wrap(text string, width int) []string {
	const glue = "\ue000" // one column wide, and removed by visible
	var lines []string
	for word := range strings.FieldsSeq(strings.ReplaceAll(text, " %", glue+"%")) {
		for part := range strings.SplitSeq(ansi.Hardwrap(word, width, true), "\n") {
			last := len(lines) - 1
			if last >= 0 && lipgloss.Width(lines[last])+1+lipgloss.Width(part) <= width {
				lines[last] += " " + part
			} else {
				lines = append(lines, part)
			}
		}
	}
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], glue, " ")
	}
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

// maxCell is the most columns of a cell, which is the length of an id. A longer name is
// cut; the JSON has it whole.
const maxCell = 36

// table is a table without borders.
type table struct {
	styles
	rows  [][]string                // the first are the heads
	looks map[[2]int]lipgloss.Style // by row and column; cells without one are plain
}

func (s styles) table(heads ...string) *table {
	return &table{s, [][]string{heads}, map[[2]int]lipgloss.Style{}}
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// look sets the style of a cell of the last row.
func (t *table) look(column int, look lipgloss.Style) {
	t.looks[[2]int{len(t.rows) - 1, column}] = look
}

// write gives the text of some columns, or without any of all, with two blanks between
// them.
func (t *table) write(columns ...int) string {
	if len(columns) == 0 {
		for i := range t.rows[0] {
			columns = append(columns, i)
		}
	}
	written := ltable.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, at int) lipgloss.Style {
			look, found := t.looks[[2]int{row + 1, columns[at]}]
			switch {
			case row == ltable.HeaderRow:
				look = t.dim
			case !found:
				look = t.plain
			}
			return look.PaddingRight(2)
		})
	for i, row := range t.rows {
		cells := make([]string, len(columns))
		for at, column := range columns {
			cells[at] = ansi.Truncate(visible(row[column]), maxCell, "…")
		}
		if i == 0 {
			written.Headers(cells...)
		} else {
			written.Row(cells...)
		}
	}
	lines := strings.Split(written.Render(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// figure writes a confidence, a weight or a sum of them with at most six decimals. It
// writes more of them if six would show a round number that it is not.
func figure(f float64) string {
	text := decimals(f, 0, 6)
	_, fraction, _ := strings.Cut(text, ".")
	shown, _ := strconv.ParseFloat(text, 64)
	const noise = 1e-12 // of floating-point sums and products
	switch isRound := len(fraction) < 6; {
	case shown == 0 && f != 0:
		return strconv.FormatFloat(f, 'g', -1, 64)
	case isRound && math.Abs(shown-f) > noise:
		for digits := 7; ; digits++ {
			if text = strconv.FormatFloat(f, 'f', digits, 64); text[len(text)-1] != '0' {
				return text
			}
		}
	}
	return text
}

// compared writes two figures with enough digits to show which is larger.
func compared(a, b float64) (string, string) {
	x, y := figure(a), figure(b)
	if x == y && a != b {
		return strconv.FormatFloat(a, 'g', -1, 64), strconv.FormatFloat(b, 'g', -1, 64)
	}
	return x, y
}

// percent writes a share, 0…1.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "<0.1 %"
	case share > 0.999 && share < 1:
		return ">99.9 %"
	}
	return strconv.FormatFloat(share*100, 'f', 1, 64) + " %"
}

// price writes a price with all its digits. Only very large and very small prices are
// written with an exponent.
func price(f float64) string {
	if size := math.Abs(f); size != 0 && size < 1e-12 || size >= 1e15 {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// optional writes a number that may be unknown.
func optional(f *float64, unknown string, write func(float64) string) string {
	if f == nil {
		return unknown
	}
	return write(*f)
}

func level(l *float64) string { return optional(l, "none", price) }

// dollars writes a cost. Providers bill in units down to 1e-10 USD.
func dollars(usd float64) string { return "$" + decimals(usd, 6, 10) }

func cost(usd *float64) string { return optional(usd, "unknown", dollars) }

// perMillion writes a price of a million tokens.
func perMillion(usd *float64) string {
	return optional(usd, "unknown", func(f float64) string { return decimals(f, 2, 10) })
}

// decimals writes f with as many decimals as it needs, from least to most.
func decimals(f float64, least, most int) string {
	text := strconv.FormatFloat(f, 'f', most, 64)
	shortest := len(text) - most + least
	for len(text) > shortest && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return strings.TrimSuffix(text, ".")
}

func latency(ms float64) string {
	switch {
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}

func attempts(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", %d attempts", n)
}

func tokens(n int) string {
	if n == 0 {
		return "unknown" // no answer is made of none
	}
	return strconv.Itoa(n)
}
