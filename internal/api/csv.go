package api

// Stored consensuses and outcomes as CSV, for spreadsheets and backtests.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const csvType = "text/csv"

// wantsCSV reports whether a caller prefers CSV to JSON, by the lines of its Accept header
// (RFC 9110, 12.5.1). The most specific range that matches a type gives its quality. Of two
// types with the same quality, the one that is named more specifically is preferred. In all
// other cases the answer is JSON.
func wantsCSV(accept []string) bool {
	type wish struct {
		quality   float64
		closeness int
	}
	wishFor := func(mediaType string) (best wish) {
		family, _, _ := strings.Cut(mediaType, "/")
		for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
			name, parameters, err := mime.ParseMediaType(part)
			closeness := 1 + slices.Index([]string{"*/*", family + "/*", mediaType}, name)
			w := wish{1, closeness}
			if text, given := parameters["q"]; given && err == nil {
				w.quality, err = strconv.ParseFloat(text, 64)
			}
			if err != nil || closeness == 0 || !(w.quality >= 0 && w.quality <= 1) {
				continue
			}
			if closeness > best.closeness || closeness == best.closeness && w.quality > best.quality {
				best = w
			}
		}
		return best
	}
	csv, json := wishFor(csvType), wishFor(jsonType)
	return csv.quality > json.quality || csv.quality > 0 && csv.quality == json.quality && csv.closeness > json.closeness
}

// csvColumns are the fields of a consensus in the CSV, and outcomeColumns those of an outcome.
var csvColumns = []string{
	"id", "timestamp", "candle_time", "valid_until", "pair", "timeframe", "current_price", "decision", "raw_decision", "hold_reason",
	"confidence", "agreement_score", "risk_level", "suggested_stop_loss", "suggested_take_profit", "status", "simulated", "total_cost_usd",
}

var outcomeColumns = []string{
	"id", "pair", "timeframe", "candle_time", "simulated", "imported", "status", "reason", "from", "to", "reference_price", "entry_price", "exit_price",
	"move", "class", "cost", "decision", "right", "net_return", "raw_decision", "raw_right", "source", "settled_at",
}

// csvOf writes a header and a row for each document. Numbers have the stored digits, and
// null is an empty cell.
func csvOf(columns []string, documents []json.RawMessage) ([]byte, error) {
	rows := [][]string{columns}
	for _, document := range documents {
		row, err := rowOf(columns, document)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	var b bytes.Buffer
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// CSVColumns names the columns, in order.
func CSVColumns() []string { return slices.Clone(csvColumns) }

// CSVRow gives the cells of one stored consensus.
func CSVRow(body json.RawMessage) ([]string, error) { return rowOf(csvColumns, body) }

func rowOf(columns []string, document json.RawMessage) ([]string, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(document, &values); err != nil {
		return nil, err
	}
	row := make([]string, len(columns))
	for i, column := range columns {
		cell, err := cellOf(values[column])
		if err != nil {
			return nil, err
		}
		row[i] = cell
	}
	return row, nil
}

// cellOf writes one value. A text loses the characters that steer a terminal, and gets a
// quotation mark in front if a spreadsheet may run it as a formula. Numbers are left as they are.
func cellOf(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0, string(raw) == "null":
		return "", nil
	case raw[0] != '"':
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	if isFormula(text) {
		text = "'" + text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text), nil
}

// isFormula reports whether a spreadsheet may run a text as a formula: it begins with a tab,
// a line break, or a sign that begins formulas. Some spreadsheets accept that sign in full
// width, and some drop invisible characters before it.
func isFormula(text string) bool {
	visible := strings.TrimLeftFunc(text, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.In(r, unicode.Z, unicode.M, unicode.Other_Default_Ignorable_Code_Point) || r == brailleBlank
	})
	return strings.IndexAny(text, "\t\r\n") == 0 || strings.IndexAny(visible, "=+-@＝＋－＠﹦﹢﹣﹫−") == 0
}

// brailleBlank is the sign of Braille without dots.
const brailleBlank = '\u2800'
