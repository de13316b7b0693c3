package main

// thalas outcomes, and what became of a result in words.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/outcome"
	"thalas/internal/signal"
)

func newOutcomes(t terminal) *cobra.Command {
	cmd := listCommand(t, &cobra.Command{
		Use:   "outcomes [PAIR]",
		Short: "List what became of stored results, newest first",
		Long: `List what became of stored results, newest first: those of a pair and timeframe, or, without
a pair, those of the days from --from to --to, else of today. A result belongs to the UTC day
on which its window of three candles begins. Results that are pending are not listed.`,
		Example: "  thalas outcomes BTC/USDT --timeframe 1h\n  thalas outcomes --from 2026-11-01 --json",
	}, "/v1/outcomes", reading.outcomesText)
	cmd.Flags().Lookup("from").Usage = "the first UTC `day`, such as 2026-11-01 (default: the oldest; without a pair today)"
	cmd.Flags().Lookup("to").Usage = "the `day` after the last one (default: tomorrow)"
	return cmd
}

func (r reading) outcomesText(list []json.RawMessage) (string, error) {
	table := r.stylesFor(r.out).table("from (UTC)", "pair", "decision", "move", "net", "outcome", "id")
	const empty = "No outcomes. Results are settled three candles after their answer, by 'thalas watch' or 'thalas settle'."
	return listText(table, list, empty, func(document json.RawMessage) (simulated bool, err error) {
		var o outcome.Outcome
		if err := json.Unmarshal(document, &o); err != nil {
			return false, err
		}
		table.row(o.From.UTC().Format("2006-01-02 15:04"), o.Pair.String()+" "+string(o.Timeframe), string(o.Decision), signed(o.Move), signed(o.NetReturn), outcomeWord(&o), o.ID)
		table.look(2, table.decision(o.Decision))
		if o.Right != nil {
			table.look(5, map[bool]lipgloss.Style{true: table.good, false: table.bad}[*o.Right])
		}
		return o.Simulated, nil
	})
}

func outcomeWord(o *outcome.Outcome) string {
	switch {
	case o.Status != outcome.Settled:
		return words(*o.Reason)
	case *o.Right:
		return "right"
	}
	return "wrong"
}

// turnedOut is the outcome of a result as the API gives it.
type turnedOut struct {
	outcome.Outcome
	Due time.Time // of a pending one
}

// text tells in a sentence how a result turned out; empty for one that tells nothing.
func (o *turnedOut) text(now time.Time) string {
	switch o.Status {
	case outcome.Pending:
		if o.Due.After(now) {
			return "Outcome: not known before " + o.Due.UTC().Format(time.DateTime) + " UTC."
		}
		return "Outcome: not settled yet; 'thalas settle' does it."
	case outcome.Unresolved:
		return "Outcome: not settled, because " + reasonText(*o.Reason) + "."
	case outcome.Settled:
		text := fmt.Sprintf("Outcome: %s was %s. The price went from %s to %s, %s", o.Decision, outcomeWord(&o.Outcome), price(*o.ReferencePrice), price(*o.ExitPrice), signed(o.Move))
		if *o.EntryPrice != *o.ReferencePrice {
			text += fmt.Sprintf(", and could be traded at %s", price(*o.EntryPrice))
		}
		if o.Decision != signal.Hold {
			text += fmt.Sprintf("; that is %s after costs of %s", signed(o.NetReturn), share(o.Cost))
		}
		if o.RawDecision != o.Decision {
			text += fmt.Sprintf("; the %s of the vote, which the gates held, was %s", o.RawDecision, map[bool]string{true: "right", false: "wrong"}[*o.RawRight])
		}
		text += ". Candles: " + visible(*o.Source)
		if o.Imported {
			text += "; imported"
		}
		return text + "."
	}
	return ""
}

// reasonText says why a result is not settled, and what helps.
func reasonText(reason outcome.Reason) string {
	return cmp.Or(map[outcome.Reason]string{
		outcome.NoMarket:      "it is about a free text, which has no candles",
		outcome.Late:          "it was answered when the first candle of its window had closed",
		outcome.Gap:           "a candle of its window is missing; another venue or a CSV may have it",
		outcome.PriceMismatch: "its price is over a tenth away from the candles: they are of another market or unit",
		outcome.NoCandles:     "there are no candles of its window; another venue or a CSV may have them",
	}[reason], words(reason))
}
