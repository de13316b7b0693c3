package main

// thalas export: stored results for spreadsheets, backtests and other programs, and the
// files that commands write.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/api"
)

func newExport(t terminal) *cobra.Command {
	var from sourceFlags
	var span spanFlags
	var format, output string
	cmd := &cobra.Command{
		Use:   "export [PAIR]",
		Short: "Write stored results as CSV or JSON lines",
		Long: `Write stored results, newest first, as CSV or as JSON lines (one whole result a line).

With a pair, or the free text that was sent to the compatibility route, these are the
results of its series whose candles are in the span. Without a pair they are all results of
the days from --from to --to, the newest day first.`,
		Example: "  thalas export BTC/USDT --timeframe 5m --format jsonl -o signals.jsonl\n  thalas export --from 2026-11-01 --to 2026-12-01 > november.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "csv" && format != "jsonl" {
				return usagef("--format %q is not known: allowed is csv or jsonl", format)
			}
			queries, err := span.queries(args, time.Now().UTC())
			if err != nil {
				return err
			}
			return from.read(cmd.Context(), t, func(s *source) error {
				written := 0
				err := writeTo(t.out, output, func(w io.Writer) (err error) {
					written, err = export(cmd.Context(), s, queries, format, w)
					return err
				})
				if err == nil && written == 0 {
					fmt.Fprintln(t.err, noResults(s)) // the output does not show that it is empty
				}
				return err
			})
		},
	}
	span.add(cmd)
	cmd.Flags().StringVar(&format, "format", "csv", "`csv` or jsonl")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write; it appears only when it is complete (default: standard output)")
	completeFlag(cmd, "format", "csv", "jsonl")
	from.add(cmd)
	return cmd
}

const (
	day     = 24 * time.Hour
	maxDays = 3660 // the most days of an export, which are read one by one
)

// queries gives one query for a series. Without a pair it gives one query for each day of
// the span, because the API lists results without a pair by day.
func (f *spanFlags) queries(args []string, now time.Time) ([]url.Values, error) {
	query, err := f.query(args)
	if err != nil || query.Has("pair") {
		return []url.Values{query}, err
	}
	first, last := now.Truncate(day), now
	if f.from != "" {
		first, _ = parseTime(f.from) // query has checked both times
	}
	if f.to != "" {
		last, _ = parseTime(f.to)
		last = last.Add(-1)
	}
	switch {
	case last.Before(first):
		return nil, usagef("the span is empty: it begins at %s and ends before %s", first.Format(time.RFC3339), last.Add(1).Format(time.RFC3339))
	case last.Sub(first) > maxDays*day:
		return nil, usagef("the span is over %d days, which are read one by one: give a later --from", maxDays)
	}
	var queries []url.Values
	for of := last.Truncate(day); !of.Before(first.Truncate(day)); of = of.Add(-day) {
		q := url.Values{"from": {of.Format(time.RFC3339Nano)}}
		if of.Before(first) {
			q.Set("from", first.Format(time.RFC3339Nano))
		}
		if f.to != "" {
			q.Set("to", query.Get("to"))
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// export writes the results of all queries, and gives how many there were.
func export(ctx context.Context, s *source, queries []url.Values, format string, w io.Writer) (written int, err error) {
	row := func(item json.RawMessage) error {
		var line bytes.Buffer
		if err := json.Compact(&line, item); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, &line)
		return err
	}
	if format == "csv" {
		table := csv.NewWriter(w)
		if err := table.Write(api.CSVColumns()); err != nil {
			return 0, err
		}
		defer table.Flush() // w reports an error when it is flushed itself
		row = func(item json.RawMessage) error {
			cells, err := api.CSVRow(item)
			if err != nil {
				return err
			}
			return table.Write(cells)
		}
	}
	for _, query := range queries {
		query.Set("limit", strconv.Itoa(pageSize))
		err := s.each(ctx, query, func(item json.RawMessage) (bool, error) {
			written++
			return true, row(item)
		})
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// writeTo writes a file, or out if the path is empty or -. A file is replaced atomically:
// it has its old content until the new one is complete.
func writeTo(out io.Writer, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return buffered(out, write)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		// A link, a pipe or a device must not be replaced by a file.
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return usagef("--output: %w", err)
		}
		return errors.Join(buffered(file, write), file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".thalas-*")
	if err != nil {
		return usagef("--output: %w", err)
	}
	if err = errors.Join(buffered(file, write), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func buffered(out io.Writer, write func(io.Writer) error) error {
	w := bufio.NewWriter(out)
	return errors.Join(write(w), w.Flush())
}
