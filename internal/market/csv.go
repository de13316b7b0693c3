package market

// Reading candles from a CSV file, as exchanges, brokers and data frames write it.

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// Limits of a CSV file.
const (
	maxRows   = 100_000
	maxRecord = 64 << 10 // bytes of one row
)

// ReadCSV reads all candles of a CSV file, and gives them oldest first. The first line
// names the columns, in any letter case and order. open, high, low and close are
// required. volume is optional, and so is the time, which is the first of timestamp,
// open_time, time and date that exists. Other columns are ignored.
//
// Prices are above 0. A volume is 0 or more, or unknown: empty, null or NaN. A time is
// RFC 3339, 2006-01-02, 2006-01-02 15:04:05 (in UTC without an offset), or seconds or
// milliseconds since 1970. If there is a time column, every row needs a time. Rows with
// times may also be newest first. Rows without times must be oldest first.
//
// Reading ends at the first error, which names the line, the column and what to do.
func ReadCSV(r io.Reader) ([]signal.Candle, error) {
	rows, err := readRows(r)
	candles := make([]signal.Candle, len(rows))
	for i := range rows {
		if rows[i].Wrong != nil { // it comes before err
			return nil, rows[i].Wrong
		}
		candles[i] = rows[i].Candle
	}
	if err != nil {
		return nil, err
	}
	if err := signal.OldestFirst(candles); err != nil {
		return nil, errors.New("the CSV is not in order: " + err.Message)
	}
	return candles, nil
}

// Row is a row of a CSV file.
type Row struct {
	signal.Candle
	Line  int   // in the file, from 1
	Wrong error // why a price or the volume can't be read; nil: they are in Candle
}

// ReadRows reads a CSV file as [ReadCSV] does, with the rows in any order. Every row needs
// a time. It leaves it to the caller what to do with a row that is wrong.
func ReadRows(r io.Reader) ([]Row, error) {
	rows, err := readRows(r)
	if len(rows) > 0 && rows[0].Time.IsZero() {
		return nil, errors.New("the CSV has no column of times: name one time or date")
	}
	return rows, err
}

// readRows gives the rows of a CSV file up to the first error.
func readRows(r io.Reader) (rows []Row, err error) {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // cannot fail: the bytes were peeked
	}
	limited := &recordLimit{source: buffered}
	t := table{rows: csv.NewReader(limited)}
	t.rows.FieldsPerRecord = -1 // counted below, with a better message
	t.rows.ReuseRecord = true
	t.rows.TrimLeadingSpace = true

	header, err := t.rows.Read()
	if err == io.EOF {
		return nil, errors.New("the CSV is empty: " + headerAdvice)
	}
	if err != nil {
		return nil, readError(err)
	}
	if err := t.locate(header); err != nil {
		return nil, err
	}
	for {
		limited.used = 0
		record, err := t.rows.Read()
		switch {
		case err == io.EOF && len(rows) == 0:
			return nil, errors.New("the CSV has no rows below its header: add at least one candle")
		case err == io.EOF:
			return rows, nil
		case err != nil:
			return rows, readError(err)
		case len(rows) == maxRows:
			return rows, fmt.Errorf("the CSV has more than %d rows: keep the newest", maxRows)
		}
		row, err := t.row(record)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

// readError words an error of the CSV reader.
func readError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) && !errors.Is(err, errRecordLimit) {
		return fmt.Errorf("line %d is not CSV (%w): check its quotes", parse.Line, parse.Err)
	}
	return fmt.Errorf("cannot read the CSV: %w", err)
}

// row reads one row. Its error is about the form of the row, or about its time.
func (t *table) row(record []string) (row Row, err error) {
	row.Line, _ = t.rows.FieldPos(0)
	if len(record) != len(t.names) {
		return row, fmt.Errorf("line %d has %d cells but the header %d: give every row the header's columns", row.Line, len(record), len(t.names))
	}
	cell := func(i int) string { return strings.TrimSpace(record[i]) }
	if t.time >= 0 {
		if row.Time, err = parseTime(cell(t.time)); err != nil {
			return row, t.wrong(t.time, cell(t.time), "is not a time from 1970 to 2199: write one such as 2026-11-23T04:55:00Z or 2026-11-23, or seconds or milliseconds since 1970")
		}
	}
	for i, into := range [...]*signal.Number{&row.Open, &row.High, &row.Low, &row.Close} {
		at := t.prices[i]
		if *into, err = signal.ParseNumber(cell(at)); err != nil || into.Float64() <= 0 {
			row.Wrong = t.wrong(at, cell(at), "is not a price: write a number above 0 such as 50000.5, or drop the row")
			return row, nil
		}
	}
	if t.volume >= 0 && !isUnknown(cell(t.volume)) {
		if row.Volume, err = signal.ParseNumber(cell(t.volume)); err != nil || row.Volume.Float64() < 0 {
			row.Wrong = t.wrong(t.volume, cell(t.volume), "is not a volume: write a number of 0 or more, or leave it empty")
		}
	}
	return row, nil
}

// isUnknown reports whether a cell has no value.
func isUnknown(cell string) bool {
	return cell == "" || strings.EqualFold(cell, "null") || strings.EqualFold(cell, "nan")
}

func (t *table) wrong(column int, cell, advice string) error {
	line, _ := t.rows.FieldPos(column)
	return fmt.Errorf("line %d, column %s: %q %s", line, t.names[column], short(cell), advice)
}

// layouts are the accepted forms of a time. A time without an offset is in UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"20060102", // read as seconds since 1970, such numbers would all be in 1970
}

func parseTime(text string) (time.Time, error) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			if at = at.UTC(); at.Year() < 1970 || at.Year() > 2199 {
				return time.Time{}, errors.New("out of range")
			}
			return at, nil
		}
	}
	return signal.EpochTime(text)
}

// recordLimit refuses a very long row before it fills the memory.
type recordLimit struct {
	source io.Reader
	used   int // bytes since the last row, more or less by the CSV reader's buffer
}

var errRecordLimit = fmt.Errorf("a row is longer than %d KiB: is this a CSV file of candles?", maxRecord>>10)

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.used > maxRecord {
		return 0, errRecordLimit
	}
	n, err := l.source.Read(p)
	l.used += n
	return n, err
}

const headerAdvice = "the first line names the columns: time or date, open, high, low, close, volume"

// timeNames are the names of the time column, the first choice first.
var timeNames = []string{"timestamp", "open_time", "time", "date"}

var priceNames = [4]string{"open", "high", "low", "close"}

// table is a CSV file after its header was read.
type table struct {
	rows   *csv.Reader
	names  []string // of the columns, trimmed and in lower case
	prices [4]int   // columns of priceNames
	time   int      // column of the time, or -1
	volume int      // column of the volume, or -1
}

// locate finds the columns in the header.
func (t *table) locate(header []string) error {
	t.names = make([]string, len(header))
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

// found lists the names in the header, for a message.
func (t *table) found() string {
	const enough = 12
	var shown []string
	for _, name := range t.names[:min(len(t.names), enough)] {
		shown = append(shown, fmt.Sprintf("%q", short(name)))
	}
	if len(t.names) > enough {
		shown = append(shown, "…")
	}
	return strings.Join(shown, ", ")
}

// short cuts a text for a message.
func short(cell string) string { return strictjson.Cut(cell, 40) }
