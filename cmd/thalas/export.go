package main

// thalas export: stored results for spreadsheets, backtests and other programs. thalas
// import: results that export wrote, stored under their ids.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/api"
	"thalas/internal/service"
	"thalas/internal/store/bolt"
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
	from, to, _ := f.times() // query has checked both
	first, last := from, to.Add(-1)
	if from.IsZero() {
		first = now.Truncate(day)
	}
	if to.IsZero() {
		last = now
	}
	switch {
	case last.Before(first):
		return nil, usagef("the span is empty: it begins at %s and ends before %s", first.Format(time.RFC3339), last.Add(1).Format(time.RFC3339))
	case last.Sub(first) > maxDays*day:
		return nil, usagef("the span is over %d days, which are read one by one: give a later --from", maxDays)
	}
	var queries []url.Values
	for of := last.Truncate(day); !of.Before(first.Truncate(day)); of = of.Add(-day) {
		from := of
		if of.Before(first) {
			from = first
		}
		q := url.Values{"from": {from.Format(time.RFC3339Nano)}}
		set(q, "to", query.Get("to"))
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
		err := s.each(ctx, "/v1/consensus", query, func(item json.RawMessage) (bool, error) {
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
// it has its old content until the new one is complete, and it keeps its permissions.
func writeTo(out io.Writer, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return buffered(out, write)
	}
	old, missing := os.Lstat(path)
	if missing == nil && !old.Mode().IsRegular() {
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
	err = errors.Join(buffered(file, write), file.Close())
	if err == nil && missing == nil {
		err = os.Chmod(file.Name(), old.Mode().Perm())
	}
	if err == nil {
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

func newImport(t terminal) *cobra.Command {
	var flags settings
	cmd := &cobra.Command{
		Use:   "import FILE.jsonl",
		Short: "Store results that 'thalas export --format jsonl' wrote",
		Long: `Store results that 'thalas export --format jsonl' wrote, byte for byte and under their ids: in
the file, by the server that has it open, or in the DynamoDB tables.

Results that are stored already are left as they are. A line that is not a whole result is
refused with its number before anything is stored. Simulated results stay simulated. The
time for which results are kept begins now. No runs are counted, and no model is asked.`,
		Example: "  thalas export BTC/USDT --format jsonl -o btc.jsonl\n  thalas import btc.jsonl --data-file ./other.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, err := checkLines(args[0])
			if err != nil {
				return err
			}
			a, stop, err := flags.newApp(t, nil)
			if err != nil {
				return err
			}
			defer stop() // no provider is asked
			opened, err := openStore(cmd.Context(), t, a, bolt.Options{})
			var held *bolt.InUse
			switch {
			case errors.As(err, &held):
				return importAll(t, args[0], lines, held.Address, func(bodies [][]byte) (int, error) { return sendImport(cmd.Context(), held, bodies) })
			case err != nil:
				return err
			}
			s := a.NewService(opened.Store, versionText())
			err = importAll(t, args[0], lines, opened.name, func(bodies [][]byte) (int, error) {
				added, err := s.Import(cmd.Context(), bodies)
				return added, withCause(err)
			})
			return errors.Join(err, opened.Store.Close())
		},
	}
	flags.dataFileFlag(cmd)
	return cmd
}

// mostMistakes is the most wrong lines that are listed.
const mostMistakes = 5

// checkLines counts the results of a file. It gives an error if a line is not a whole
// result.
func checkLines(path string) (results int, err error) {
	var mistakes []string
	err = eachLine(path, func(number int, body []byte) error {
		results++
		if _, _, _, err := service.WholeResult(body); err != nil {
			mistakes = append(mistakes, fmt.Sprintf("line %d: %v", number, err))
		}
		return nil
	})
	if err != nil {
		return 0, usageError{err}
	}
	if more := len(mistakes) - mostMistakes; more > 0 {
		mistakes = append(mistakes[:mostMistakes], fmt.Sprintf("and %d more", more))
	}
	if len(mistakes) > 0 {
		return 0, usagef("%s has lines that are no whole results, as 'thalas export --format jsonl' writes them; nothing was stored:\n  %s", path, strings.Join(mistakes, "\n  "))
	}
	return results, nil
}

// maxLine is the most bytes of a line of results.
const maxLine = 16 << 20

// eachLine reads the lines of a file of JSON. It skips empty lines, and the byte order mark
// that some editors write at the beginning.
func eachLine(path string, visit func(number int, body []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		body := lines.Bytes()
		if number == 1 {
			body = bytes.TrimPrefix(body, []byte("\ufeff"))
		}
		if body = bytes.TrimSpace(body); len(body) == 0 {
			continue
		}
		if err := visit(number, body); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: line %d can't be read: %w", path, number+1, err)
	}
	return nil
}

// sendImport has the server that has a file open store results.
func sendImport(ctx context.Context, held *bolt.InUse, bodies [][]byte) (added int, err error) {
	response, err := askLocal(ctx, held, http.MethodPost, localImport, bytes.NewReader(bytes.Join(bodies, []byte("\n"))))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Added int `json:"added"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("the answer of %s broke off: %w", held.Address, err)
	}
	return answer.Added, nil
}

// The size of a batch: the most results, and about the most bytes.
const (
	batchResults = 200
	batchBytes   = 4 << 20
)

// progressEvery is how often a long import or settle prints how far it has come. A shorter
// one prints nothing.
const progressEvery = 2 * time.Second

// importAll adds the results of a file that checkLines has read to a store of that name.
func importAll(t terminal, path string, lines int, name string, add func(bodies [][]byte) (added int, err error)) error {
	added, done, held, nextProgress := 0, 0, 0, time.Now().Add(progressEvery)
	var batch [][]byte
	store := func() error {
		if len(batch) == 0 {
			return nil
		}
		some, err := add(batch)
		added += some
		done += len(batch)
		batch, held = nil, 0
		if now := time.Now(); !now.Before(nextProgress) {
			nextProgress = now.Add(progressEvery)
			fmt.Fprintf(t.err, "Imported %d of %d results …\n", done, lines)
		}
		return err
	}
	err := eachLine(path, func(_ int, body []byte) error {
		batch = append(batch, bytes.Clone(body))
		if held += len(body); len(batch) < batchResults && held < batchBytes {
			return nil
		}
		return store()
	})
	if err == nil {
		err = store()
	}
	if err != nil {
		return fmt.Errorf("%w; of the %d results of %s %d were stored, and are passed over when you import it again", err, lines, path, added)
	}
	_, err = fmt.Fprintf(t.out, "Results imported into %s: %d; there already: %d.\n", name, added, lines-added)
	return err
}
