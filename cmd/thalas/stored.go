package main

// thalas show, latest and history: stored results.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/signal"
	"thalas/internal/store"
)

func newShow(t terminal) *cobra.Command {
	var from sourceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one stored result, whole",
		Long:    "Show one stored result, whole.\n\nExit codes: 0 there is one, 2 that is no id, 1 there is none, or anything else.",
		Example: "  thalas show 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !store.IsID(args[0]) {
				return usagef("%q is no id of a result, such as 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21: 'thalas history' lists them", args[0])
			}
			return from.read(cmd, t, func(s *source) error {
				body, err := s.get(cmd.Context(), "/v1/consensus/"+args[0], nil)
				if err != nil {
					return err
				}
				return printResult(t, body, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the JSON document")
	from.add(cmd)
	return cmd
}

func newLatest(t terminal) *cobra.Command {
	var from sourceFlags
	var timeframe string
	var maxAge time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "latest PAIR",
		Short: "Show the newest stored result of a pair",
		Long: `Show the newest stored result of a pair and timeframe, by its candle. PAIR is any notation
of a pair, or the free text that was sent to the compatibility route.

Exit codes: 0 there is one, 3 there is none, or it is older than --max-age, 2 wrong
usage, 1 anything else.`,
		Example: "  thalas latest BTC/USDT --timeframe 5m --max-age 15m",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"pair": {args[0]}}
			set(query, "timeframe", timeframe)
			if cmd.Flags().Changed("max-age") {
				if maxAge < time.Second || maxAge%time.Second != 0 {
					return usagef("--max-age %s is not a number of whole seconds above 0, such as 15m or 90s", maxAge)
				}
				query.Set("max_age", strconv.FormatInt(int64(maxAge/time.Second), 10))
			}
			return from.read(cmd, t, func(s *source) error {
				body, err := s.get(cmd.Context(), "/v1/consensus/latest", query)
				if err != nil {
					return err
				}
				return printResult(t, body, asJSON)
			})
		},
	}
	timeframeFlag(cmd, &timeframe)
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "`oldest` that will do, such as 15m (default: any)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the JSON document")
	from.add(cmd)
	return cmd
}

func newHistory(t terminal) *cobra.Command {
	var from sourceFlags
	var span spanFlags
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history [PAIR]",
		Short: "List stored results, newest first",
		Long: `List stored results, newest first: those of a pair and timeframe, or, without a pair,
those of one UTC day: the day of --from, else today. PAIR is any notation of a pair, or
the free text that was sent to the compatibility route.`,
		Example: "  thalas history BTC/USDT --timeframe 5m --from 2026-11-01\n  thalas history",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > maxListed {
				return usagef("--limit %d is outside 1…%d: export has no limit", limit, maxListed)
			}
			query, err := span.query(args)
			if err != nil {
				return err
			}
			return from.read(cmd, t, func(s *source) error {
				results, err := list(cmd, s, query, limit)
				if err != nil {
					return err
				}
				return printHistory(t, s, results, asJSON)
			})
		},
	}
	span.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "how `many` at most")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON list of the documents")
	from.add(cmd)
	return cmd
}

// maxListed bounds what history prints; export has no bound.
const maxListed = 10_000

func printResult(t terminal, body []byte, asJSON bool) error {
	if asJSON {
		return writeJSON(t.out, json.RawMessage(body))
	}
	c, err := decodeResult(body)
	if err != nil {
		return err
	}
	style := t.stylesFor(t.out)
	if _, err := fmt.Fprintf(t.out, "%s\n\n", style.dim.Render(madeText(c, time.Now()))); err != nil {
		return err
	}
	return render(t.out, style, widthOf(t.out), c)
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

func printHistory(t terminal, s *source, results []json.RawMessage, asJSON bool) error {
	if asJSON {
		return writeJSON(t.out, results)
	}
	if len(results) == 0 {
		_, err := fmt.Fprintln(t.out, noResults(s))
		return err
	}
	style := t.stylesFor(t.out)
	decoded := make([]*signal.Consensus, len(results))
	simulated := false
	for i, body := range results {
		var err error
		if decoded[i], err = decodeResult(body); err != nil {
			return err
		}
		simulated = simulated || decoded[i].Simulated
	}
	columnOf := func(head string, cell func(c *signal.Consensus) string) column {
		c := column{head: head}
		for i := range decoded {
			c.cells = append(c.cells, cell(decoded[i]))
		}
		return c
	}
	decision := columnOf("decision", func(c *signal.Consensus) string { return string(c.Decision) })
	decision.look = func(row int) lipgloss.Style { return style.decision(decoded[row].Decision) }
	table := style.tableOf([]column{
		columnOf("made (UTC)", func(c *signal.Consensus) string { return c.Timestamp.UTC().Format(time.DateTime) }),
		columnOf("pair", func(c *signal.Consensus) string { return c.Pair.String() + " " + string(c.Timeframe) }),
		columnOf("price", func(c *signal.Consensus) string { return price(c.CurrentPrice) }),
		decision,
		columnOf("confidence", func(c *signal.Consensus) string { return figure(c.Confidence) }),
		columnOf("agreement", func(c *signal.Consensus) string { return figure(c.AgreementScore) }),
		columnOf("id", func(c *signal.Consensus) string { return c.ID }),
	})
	if simulated {
		table = style.warn.Bold(true).Render("SIMULATED: these votes come from the built-in simulator, not from language models.") + "\n\n" + table
	}
	_, err := fmt.Fprintln(t.out, table)
	return err
}
