package api

// Stored consensuses as CSV, for spreadsheets and backtests.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
)

const csvType = "text/csv"

// csvColumns are the keys of a consensus that the CSV has.
var csvColumns = []string{
	"id", "timestamp", "candle_time", "valid_until", "pair", "timeframe", "current_price", "decision", "raw_decision", "hold_reason",
	"confidence", "agreement_score", "risk_level", "suggested_stop_loss", "suggested_take_profit", "status", "simulated", "total_cost_usd",
}

// csvOf writes a header and a row for each consensus. Numbers keep the digits
// that are stored; null is an empty cell.
func csvOf(bodies []json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(csvColumns); err != nil {
		return nil, err
	}
	for _, body := range bodies {
		row, err := CSVRow(body)
		if err != nil {
			return nil, err
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// CSVColumns names the columns, in order.
func CSVColumns() []string { return slices.Clone(csvColumns) }

// CSVRow gives the cells of one stored consensus.
func CSVRow(body json.RawMessage) ([]string, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(body, &values); err != nil {
		return nil, err
	}
	row := make([]string, len(csvColumns))
	for i, column := range csvColumns {
		cell, err := cellOf(values[column])
		if err != nil {
			return nil, err
		}
		row[i] = cell
	}
	return row, nil
}

// cellOf writes one value. A text that a spreadsheet would run as a formula gets
// a quotation mark in front; numbers are left as they are.
func cellOf(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0, isNull(raw):
		return "", nil
	case raw[0] != '"':
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		text = "'" + text
	}
	return text, nil
}
