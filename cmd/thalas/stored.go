package main

// The commands that read stored results, and what they share: the flags that choose the
// results, reading them page by page, and printing them.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// reading is a command that reads, while its source is open.
type reading struct {
	terminal
	*source
	json bool // print JSON
}

// readCommand completes a command that reads. query makes the parameters for the API of
// the arguments, before anything is opened; its errors are mistakes of the user. show
// reads and prints.
func readCommand(t terminal, cmd *cobra.Command, query func(args []string) (url.Values, error), show func(context.Context, reading, url.Values) error) *cobra.Command {
	var from sourceFlags
	var asJSON bool
	from.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON as the API answers it, all pages in one")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		parameters, err := query(args)
		if err != nil {
			return usageError{err}
		}
		return from.read(cmd.Context(), t, func(s *source) error {
			return show(cmd.Context(), reading{t, s, asJSON}, parameters)
		})
	}
	return cmd
}

// document reads one document and prints it: with --json as it is, and otherwise as text.
func (r reading) document(ctx context.Context, path string, query url.Values, text func(body []byte) (string, error)) error {
	var body json.RawMessage
	if err := r.get(ctx, path, query, &body); err != nil {
		return err
	}
	if r.json {
		return writeJSON(r.out, body)
	}
	return r.print(text(body))
}

// print prints a text, unless there is an error instead.
func (r reading) print(text string, err error) error {
	if err == nil {
		_, err = io.WriteString(r.out, text)
	}
	return err
}

func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

func newShow(t terminal) *cobra.Command {
	return readCommand(t, &cobra.Command{
		Use:     "show ID",
		Short:   "Show one stored result, whole",
		Long:    "Show one stored result, whole.\n\nExit codes: 0 there is one, 2 the argument is not an id, 1 there is none, or anything else.",
		Example: "  thalas show 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21 --json",
		Args:    cobra.ExactArgs(1),
	}, func(args []string) (url.Values, error) {
		if !store.IsID(args[0]) {
			return nil, fmt.Errorf("%q is not the id of a result, such as 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21: 'thalas history' lists them", args[0])
		}
		return url.Values{"id": args}, nil
	}, func(ctx context.Context, r reading, query url.Values) error {
		return r.document(ctx, "/v1/consensus/"+query.Get("id"), nil, r.resultText)
	})
}

func newLatest(t terminal) *cobra.Command {
	var timeframe string
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use:   "latest PAIR",
		Short: "Show the newest stored result of a pair",
		Long: `Show the newest stored result of a pair and timeframe, by its candle. PAIR is any notation
of a pair, or the free text that was sent to the compatibility route.

Exit codes: 0 there is one, 3 there is none, or it is older than --max-age, 2 wrong
usage, 1 anything else.`,
		Example: "  thalas latest BTC/USDT --timeframe 5m --max-age 15m",
		Args:    cobra.ExactArgs(1),
	}
	timeframeFlag(cmd, &timeframe, timeframeUsage)
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "`oldest` that will do, such as 15m (default: any)")
	return readCommand(t, cmd, func(args []string) (url.Values, error) {
		query := url.Values{"pair": args}
		set(query, "timeframe", timeframe)
		if cmd.Flags().Changed("max-age") {
			if maxAge < time.Second || maxAge%time.Second != 0 {
				return nil, fmt.Errorf("--max-age %s is not a number of whole seconds above 0, such as 15m or 90s", maxAge)
			}
			query.Set("max_age", strconv.FormatInt(int64(maxAge/time.Second), 10))
		}
		return query, nil
	}, func(ctx context.Context, r reading, query url.Values) error {
		return r.document(ctx, "/v1/consensus/latest", query, r.resultText)
	})
}

func newHistory(t terminal) *cobra.Command {
	return listCommand(t, &cobra.Command{
		Use:   "history [PAIR]",
		Short: "List stored results, newest first",
		Long: `List stored results, newest first: those of a pair and timeframe, or, without a pair,
those of one UTC day: the day of --from, else today. PAIR is any notation of a pair, or
the free text that was sent to the compatibility route.`,
		Example: "  thalas history BTC/USDT --timeframe 5m --from 2026-11-01\n  thalas history",
	}, "/v1/consensus", reading.historyText)
}

// maxListed bounds what a list prints; export has no bound.
const maxListed = 10_000

// listCommand completes a command that lists documents of a path of the API, newest first.
func listCommand(t terminal, cmd *cobra.Command, path string, text func(reading, []json.RawMessage) (string, error)) *cobra.Command {
	var span spanFlags
	var limit int
	cmd.Args = cobra.MaximumNArgs(1)
	span.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "how `many` at most")
	return readCommand(t, cmd, func(args []string) (url.Values, error) {
		if limit < 1 || limit > maxListed {
			return nil, fmt.Errorf("--limit %d is outside 1…%d: export has no limit", limit, maxListed)
		}
		return span.query(args)
	}, func(ctx context.Context, r reading, query url.Values) error {
		query.Set("limit", strconv.Itoa(min(limit, pageSize)))
		list := []json.RawMessage{}
		err := r.each(ctx, path, query, func(item json.RawMessage) (bool, error) {
			list = append(list, item)
			return len(list) < limit, nil
		})
		switch {
		case err != nil:
			return err
		case r.json:
			return writeJSON(r.out, list)
		}
		return r.print(text(r, list))
	})
}

// spanFlags select stored results by pair and time.
type spanFlags struct{ timeframe, from, to string }

func (f *spanFlags) add(cmd *cobra.Command) {
	timeframeFlag(cmd, &f.timeframe, timeframeUsage)
	cmd.Flags().StringVar(&f.from, "from", "", "from this `time` on, by candle, or without a pair by when the answer was made: 2026-11-01, or RFC 3339 (default: the oldest; without a pair today)")
	cmd.Flags().StringVar(&f.to, "to", "", "before this `time`, likewise (default: the newest)")
}

const timeframeUsage = "`length` of a candle, 1m to 1w (default: 5m)"

// query gives the span as parameters of the API.
func (f *spanFlags) query(args []string) (url.Values, error) {
	query := url.Values{}
	if len(args) > 0 {
		query.Set("pair", args[0])
	} else if f.timeframe != "" {
		return nil, usagef("--timeframe is of a pair: name one, or leave it out, which lists all timeframes")
	}
	set(query, "timeframe", f.timeframe)
	from, to, err := f.times()
	for name, at := range map[string]time.Time{"from": from, "to": to} {
		if !at.IsZero() {
			query.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	return query, err
}

// times gives the bounds of the span, in UTC; zero: none.
func (f *spanFlags) times() (from, to time.Time, err error) {
	if from, err = parseTime("from", f.from); err == nil {
		to, err = parseTime("to", f.to)
	}
	return from, to, err
}

// parseTime reads the text of a flag: a day, an RFC 3339 time, or nothing.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usagef("--%s %q is not a time: give one such as 2026-11-01 or 2026-11-01T05:00:00Z", flag, text)
	}
	return at.UTC(), nil
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// pageSize is the largest page of the API.
const pageSize = 500

// each reads a list page by page and calls use with each document, until the list ends or
// use returns false.
func (s *source) each(ctx context.Context, path string, query url.Values, use func(json.RawMessage) (more bool, err error)) error {
	for {
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  *string           `json:"next_cursor"`
		}
		if err := s.get(ctx, path, query, &page); err != nil {
			return err
		}
		if page.Items == nil {
			return s.unknown(nil)
		}
		for _, item := range page.Items {
			if more, err := use(item); err != nil || !more {
				return err
			}
		}
		if page.Next == nil {
			return nil
		}
		query.Set("cursor", *page.Next)
	}
}

func decodeResult(body []byte) (*signal.Consensus, error) {
	var c signal.Consensus
	if err := json.Unmarshal(body, &c); err != nil || c.ID == "" || c.Decision == "" {
		return nil, errors.Join(errors.New("a stored result is not what this version knows: --json shows it as it is"), err)
	}
	return &c, nil
}

// madeText says when a result was made, and whether it is too old to use.
func madeText(c *signal.Consensus, now time.Time) string {
	text := fmt.Sprintf("Made %s UTC, %s ago", c.Timestamp.UTC().Format(time.DateTime), now.Sub(c.Timestamp).Round(time.Second))
	if !c.ValidUntil.After(now) {
		text += "; no longer valid"
	}
	return text
}

func (r reading) resultText(body []byte) (string, error) {
	c, err := decodeResult(body)
	if err != nil {
		return "", err
	}
	style, width, now := r.stylesFor(r.out), widthOf(r.out), time.Now()
	text := style.dim.Render(madeText(c, now)) + "\n\n"
	var stored struct{ Outcome turnedOut }
	_ = json.Unmarshal(body, &stored) // the result was read above; one without an outcome tells nothing
	if became := stored.Outcome.text(now); became != "" {
		text += strings.Join(wrap(became, min(max(width, minWidth), maxWidth)), "\n") + "\n\n"
	}
	return text + render(style, width, c), nil
}

// Texts about simulated results.
const (
	simulatedVotes = "SIMULATED: these votes come from the built-in simulator, not from language models."
	// simulatedApart is printed if a file has no real results that were asked for.
	simulatedApart = "Simulated results are kept apart: --simulate true shows them."
)

// noResults gives the text for an empty list.
func noResults(s *source) string {
	if s.realOnly {
		return "No results. " + simulatedApart
	}
	return "No results."
}

func (r reading) historyText(results []json.RawMessage) (string, error) {
	table := r.stylesFor(r.out).table("made (UTC)", "pair", "price", "decision", "confidence", "agreement", "id")
	return listText(table, results, noResults(r.source), func(body json.RawMessage) (simulated bool, err error) {
		c, err := decodeResult(body)
		if err != nil {
			return false, err
		}
		table.row(c.Timestamp.UTC().Format(time.DateTime), c.Pair.String()+" "+string(c.Timeframe), price(c.CurrentPrice),
			string(c.Decision), figure(c.Confidence), figure(c.AgreementScore), c.ID)
		table.look(3, table.decision(c.Decision))
		return c.Simulated, nil
	})
}

// listText gives a table to which add adds a row for each document, or the text for an empty
// list.
func listText(table *table, list []json.RawMessage, empty string, add func(json.RawMessage) (simulated bool, err error)) (string, error) {
	if len(list) == 0 {
		return empty + "\n", nil
	}
	head := ""
	for _, document := range list {
		simulated, err := add(document)
		if err != nil {
			return "", err
		}
		if simulated {
			head = table.warn.Bold(true).Render(simulatedVotes) + "\n\n"
		}
	}
	return head + table.write() + "\n", nil
}
