package market

// Where a CSV file has its columns.

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const headerAdvice = "the first line names the columns: time or date, open, high, low, close, volume"

// timeNames are the names of the time column; the first that is there is used.
var timeNames = []string{"timestamp", "open_time", "time", "date"}

var priceNames = [4]string{"open", "high", "low", "close"}

// table is a CSV file whose header was read.
type table struct {
	rows   *csv.Reader
	width  int      // cells of a row
	names  []string // of the columns, trimmed and in lower case
	prices [4]int   // columns of priceNames
	time   int      // column of the time, or -1
	volume int      // column of the volume, or -1
}

// locate finds the columns in the header.
func (t *table) locate(header []string) error {
	t.width, t.names = len(header), make([]string, len(header))
	for i, name := range header {
		t.names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	var missing []string
	for i, name := range priceNames {
		if t.prices[i] = slices.Index(t.names, name); t.prices[i] < 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the CSV has no column %s, it has %s: %s", strings.Join(missing, ", "), t.found(), headerAdvice)
	}
	t.volume, t.time = slices.Index(t.names, "volume"), -1
	for _, name := range timeNames {
		if t.time = slices.Index(t.names, name); t.time >= 0 {
			break
		}
	}
	for _, column := range append(t.prices[:], t.volume, t.time) {
		if column >= 0 && slices.Contains(t.names[column+1:], t.names[column]) {
			return errors.New("the CSV has the column " + t.names[column] + " twice: keep one of them")
		}
	}
	return nil
}

// found lists the names that the header has, for a message.
func (t *table) found() string {
	const enough = 12
	shown := make([]string, 0, enough+1)
	for i, name := range t.names {
		if i == enough {
			shown = append(shown, "…")
			break
		}
		shown = append(shown, fmt.Sprintf("%q", short(name)))
	}
	return strings.Join(shown, ", ")
}

// short cuts a cell for a message.
func short(cell string) string {
	const shown = 40 // characters
	if characters := []rune(cell); len(characters) > shown {
		return string(characters[:shown]) + "…"
	}
	return cell
}
