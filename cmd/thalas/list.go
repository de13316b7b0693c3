package main

// Lists of stored results: the flags that select them, and reading them page by page.

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// spanFlags select stored results by pair and time.
type spanFlags struct{ timeframe, from, to string }

func (f *spanFlags) add(cmd *cobra.Command) {
	timeframeFlag(cmd, &f.timeframe)
	cmd.Flags().StringVar(&f.from, "from", "", "from this `time` on, by candle, or without a pair by when the answer was made: 2026-11-01, or RFC 3339 (default: the oldest; without a pair today)")
	cmd.Flags().StringVar(&f.to, "to", "", "before this `time`, likewise (default: the newest)")
}

// query gives the span as parameters of the API.
func (f *spanFlags) query(args []string) (url.Values, error) {
	query := url.Values{}
	if len(args) > 0 {
		query.Set("pair", args[0])
	} else if f.timeframe != "" {
		return nil, usagef("--timeframe is of a pair: name one, or leave it out, which lists all timeframes")
	}
	set(query, "timeframe", f.timeframe)
	for _, bound := range [...]struct{ name, text string }{{"from", f.from}, {"to", f.to}} {
		if bound.text == "" {
			continue
		}
		at, err := parseTime(bound.text)
		if err != nil {
			return nil, usagef("--%s %q is not a time: give one such as 2026-11-01 or 2026-11-01T05:00:00Z", bound.name, bound.text)
		}
		query.Set(bound.name, at.Format(time.RFC3339Nano))
	}
	return query, nil
}

// parseTime reads a day or an RFC 3339 time, in UTC.
func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC(), err
}

func timeframeFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "timeframe", "", "`length` of a candle, 1m to 1w (default: 5m)")
	completeFlag(cmd, "timeframe", timeframeNames()...)
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// pageSize is the largest page of the API.
const pageSize = 500

// page is a page of a list of the API.
type page struct {
	Items []json.RawMessage `json:"items"`
	Next  *string           `json:"next_cursor"`
}

// each reads a list page by page and calls use with each document, until the list ends or
// use returns false.
func each(cmd *cobra.Command, s *source, query url.Values, use func(json.RawMessage) (more bool, err error)) error {
	for {
		var p page
		if err := s.into(cmd.Context(), "/v1/consensus", query, &p); err != nil {
			return err
		}
		if p.Items == nil {
			return fmt.Errorf("the list of %s is not what this version knows", s.name)
		}
		for _, item := range p.Items {
			if more, err := use(item); err != nil || !more {
				return err
			}
		}
		if p.Next == nil {
			return nil
		}
		query.Set("cursor", *p.Next)
	}
}

func list(cmd *cobra.Command, s *source, query url.Values, limit int) ([]json.RawMessage, error) {
	query.Set("limit", strconv.Itoa(min(limit, pageSize)))
	results := []json.RawMessage{}
	err := each(cmd, s, query, func(item json.RawMessage) (bool, error) {
		results = append(results, item)
		return len(results) < limit, nil
	})
	return results, err
}
