package main

// What became of results, for people: the scoreboard, the list of outcomes, and the outcome
// of one result.

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/outcome"
	"thalas/internal/signal"
)

func newScoreboard(t terminal) *cobra.Command {
	var timeframe, from, to, version string
	cmd := &cobra.Command{
		Use:   "scoreboard [PAIR]",
		Short: "Show how good the decisions and each provider were",
		Long: `Show how good the decisions and each provider were, by what became of the stored results:
how often a BUY or SELL was right, against the hit rate that pays for its costs, what acting
on it earned, and what each provider adds. docs/outcomes.md explains every figure.

Without a pair it counts all pairs, without --timeframe it shows a board for each.`,
		Example: "  thalas scoreboard\n  thalas scoreboard BTC/USDT --timeframe 1h --from 2026-06-01 --json",
		Args:    cobra.MaximumNArgs(1),
	}
	timeframeFlag(cmd, &timeframe, "`length` of a candle, 1m to 1w (default: a board for each)")
	cmd.Flags().StringVar(&from, "from", "", "the first UTC `day`, such as 2026-06-01 (default: 365 days before --to)")
	cmd.Flags().StringVar(&to, "to", "", "the `day` after the last one (default: tomorrow)")
	cmd.Flags().StringVar(&version, "prompt-version", "", "`version` of the prompt that was sent (default: the current one)")
	return readCommand(t, cmd, func(args []string) (url.Values, error) {
		query := url.Values{}
		if len(args) > 0 {
			query.Set("pair", args[0])
		}
		for name, value := range map[string]string{"timeframe": timeframe, "from": from, "to": to, "prompt_version": version} {
			set(query, name, value)
		}
		return query, nil
	}, func(ctx context.Context, r reading, query url.Values) error {
		return r.document(ctx, "/v1/scoreboard", query, func(body []byte) error {
			var s outcome.Scoreboard
			if err := json.Unmarshal(body, &s); err != nil {
				return err
			}
			_, err := fmt.Fprint(r.out, scoreboardText(r.stylesFor(r.out), &s))
			return err
		})
	})
}

// scoreboardText writes a scoreboard in lines of at most 80 columns.
func scoreboardText(style styles, s *outcome.Scoreboard) string {
	r := &report{styles: style, width: 80}
	if s.Simulated {
		r.paragraph(r.warn.Bold(true), simulatedVotes)
	}
	r.line("%s   %s to %s, prompt %s", r.bold.Render("Scoreboard"), s.From, s.To, visible(s.PromptVersion))
	if len(s.Boards) == 0 {
		r.line("")
		r.paragraph(r.plain, "There are no results of these days yet. Results are settled three candles after their answer.")
	}
	for i := range s.Boards {
		r.board(&s.Boards[i])
	}
	return r.String()
}

func (r *report) board(b *outcome.Board) {
	r.line("")
	head := fmt.Sprintf("%d settled, %d pending", b.Settled, b.Pending)
	if b.Imported > 0 {
		head += fmt.Sprintf(", %d of the settled imported", b.Imported)
	}
	for _, reason := range slices.Sorted(func(yield func(outcome.Reason) bool) {
		for reason := range b.Unresolved {
			if !yield(reason) {
				return
			}
		}
	}) {
		head += fmt.Sprintf(", %d %s", b.Unresolved[reason], strings.ReplaceAll(string(reason), "_", " "))
	}
	r.line("%s   %s", r.bold.Render(string(b.Timeframe)), head)
	if b.Settled == 0 {
		return
	}
	r.paragraph(r.dim, fmt.Sprintf("A round trip costs %s, the mean move in three candles is %s: %s. Buying every time earned %s.",
		share(b.Cost), share(b.MeanAbsMove), breakEvenText(b.BreakEvenHitRate), signed(b.AlwaysBuy)))
	r.line("")
	r.line("%s", r.dim.Render(fmt.Sprintf("%-*s%8s %6s  %s", nameWidth, "", "hit rate", "of", "0 %       25        50        75    100 %")))
	for i := range b.Voters {
		r.score(&b.Voters[i], b.BreakEvenHitRate)
	}
}

func breakEvenText(rate *float64) string {
	switch {
	case rate == nil:
		return "no hit rate can be named that pays for it"
	case *rate > 1:
		return "no hit rate pays for it"
	}
	return "a hit rate of " + share(rate) + " pays for it"
}

const (
	nameWidth = 22 // of a voter
	barWidth  = 41 // of a hit rate from 0 to 100 %
)

func (r *report) score(s *outcome.Score, breakEven *float64) {
	name := s.Voter
	if s.Model != nil {
		name += " " + *s.Model
	}
	name = r.plain.MaxWidth(nameWidth - 1).Render(visible(name))
	look := r.plain
	if s.Model == nil {
		look = r.bold
	}
	r.line("%s%8s %6d  %s", look.Render(name)+strings.Repeat(" ", nameWidth-lipgloss.Width(name)), share(s.HitRate), s.Directional, r.bar(s, breakEven))
	text := scoreVerdict(s)
	if n := s.NetReturn; n.Mean != nil {
		text += "; acting on it earned " + signed(n.Mean) + within(n.Low, n.High) + " a result"
	}
	if v := s.Value; v != nil {
		text += ". " + valueText(v)
	}
	for _, line := range wrap(text+".", r.width-4) {
		r.line("    %s", r.dim.Render(line))
	}
}

// bar draws the interval of a hit rate as a line, the rate as a dot, a coin and the
// break-even as marks.
func (r *report) bar(s *outcome.Score, breakEven *float64) string {
	cells := []rune(strings.Repeat(" ", barWidth))
	at := func(rate float64) int { return min(max(int(math.Round(rate*(barWidth-1))), 0), barWidth-1) }
	cells[at(0.5)] = '·'
	if s.HitRate != nil {
		for i := at(*s.Low); i <= at(*s.High); i++ {
			cells[i] = '─'
		}
	}
	if breakEven != nil && *breakEven <= 1 {
		cells[at(*breakEven)] = '┃'
	}
	if s.HitRate != nil {
		cells[at(*s.HitRate)] = '●'
	}
	return strings.TrimRight(string(cells), " ")
}

func scoreVerdict(s *outcome.Score) string {
	switch s.Verdict {
	case outcome.TooFew:
		if s.NEff >= outcome.Needed {
			return "too few days to tell"
		}
		return fmt.Sprintf("too few to tell: worth %s of %d independent windows", figure(math.Floor(s.NEff)), outcome.Needed)
	case outcome.BeatsCosts:
		return "beats its costs"
	case outcome.BetterThanChance:
		return "better than chance"
	case outcome.WorseThanChance:
		return "worse than chance"
	}
	return "not distinguishable from chance"
}

func valueText(v *outcome.Value) string {
	text := fmt.Sprintf("It changed %d of %d decisions", v.Changed, v.Results)
	if v.Mean != nil && v.Changed > 0 {
		text += ", worth " + signed(v.Mean) + within(v.Low, v.High) + " a result"
	}
	switch v.Verdict {
	case outcome.TooFew:
		return text + ": too few to tell"
	case outcome.Helps:
		text += ": it helps"
		if v.BreakEvenNotionalUSD != nil {
			text += fmt.Sprintf(", and pays for its calls from trades of $%.0f on", math.Ceil(*v.BreakEvenNotionalUSD))
		}
		return text
	case outcome.Hurts:
		return text + ": it hurts"
	}
	return text + ": no difference can be told"
}

func within(low, high *float64) string {
	if low == nil {
		return ""
	}
	return fmt.Sprintf(" (%s to %s)", signed(low), signed(high))
}

// share writes a share of 1 in percent.
func share(f *float64) string {
	return optional(f, "unknown", func(f float64) string { return strconv.FormatFloat(100*f, 'f', percentDigits(f), 64) + " %" })
}

// signed writes a return in percent, with its sign.
func signed(f *float64) string {
	return optional(f, "unknown", func(f float64) string { return fmt.Sprintf("%+.2f %%", 100*f) })
}

// percentDigits gives two decimals to what is small, such as a cost.
func percentDigits(f float64) int {
	if f < 0.1 {
		return 2
	}
	return 1
}

func newOutcomes(t terminal) *cobra.Command {
	var span spanFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "outcomes [PAIR]",
		Short: "List what became of stored results, newest first",
		Long: `List what became of stored results, newest first: those of a pair and timeframe, or, without
a pair, those of the days from --from to --to, else of today. A result belongs to the UTC day
on which its window of three candles begins. Results that are pending are not listed.`,
		Example: "  thalas outcomes BTC/USDT --timeframe 1h\n  thalas outcomes --from 2026-11-01 --json",
		Args:    cobra.MaximumNArgs(1),
	}
	span.add(cmd)
	cmd.Flags().Lookup("from").Usage = "the first UTC `day`, such as 2026-11-01 (default: the oldest; without a pair today)"
	cmd.Flags().Lookup("to").Usage = "the `day` after the last one (default: tomorrow)"
	cmd.Flags().IntVar(&limit, "limit", 20, "how `many` at most")
	return readCommand(t, cmd, func(args []string) (url.Values, error) {
		if limit < 1 || limit > maxListed {
			return nil, fmt.Errorf("--limit %d is outside 1…%d", limit, maxListed)
		}
		return span.query(args)
	}, func(ctx context.Context, r reading, query url.Values) error {
		query.Set("limit", strconv.Itoa(min(limit, pageSize)))
		list := []json.RawMessage{}
		err := r.each(ctx, "/v1/outcomes", query, func(item json.RawMessage) (bool, error) {
			list = append(list, item)
			return len(list) < limit, nil
		})
		switch {
		case err != nil:
			return err
		case r.json:
			return writeJSON(r.out, list)
		}
		return r.printOutcomes(list)
	})
}

func (r reading) printOutcomes(list []json.RawMessage) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(r.out, "No outcomes. Results are settled three candles after their answer, by 'thalas watch' or 'thalas settle'.")
		return err
	}
	style := r.stylesFor(r.out)
	table := style.table("window from (UTC)", "pair", "decision", "move", "net return", "outcome", "id")
	head := ""
	for _, item := range list {
		var o outcome.Outcome
		if err := json.Unmarshal(item, &o); err != nil {
			return err
		}
		table.row(o.From.UTC().Format(time.DateTime), o.Pair.String()+" "+string(o.Timeframe), string(o.Decision), signed(o.Move), signed(o.NetReturn), outcomeWord(&o), o.ID)
		table.look(2, style.decision(o.Decision))
		if o.Simulated {
			head = style.warn.Bold(true).Render(simulatedVotes) + "\n\n"
		}
	}
	_, err := fmt.Fprintln(r.out, head+table.write())
	return err
}

func outcomeWord(o *outcome.Outcome) string {
	switch {
	case o.Status != outcome.Settled:
		return strings.ReplaceAll(string(*o.Reason), "_", " ")
	case *o.Right:
		return "right"
	}
	return "wrong"
}

// outcomeText tells how a result turned out, in a sentence; empty for one that tells nothing.
func outcomeText(o *outcome.Outcome, due time.Time, now time.Time) string {
	switch o.Status {
	case outcome.Pending:
		if due.After(now) {
			return "Not known yet: its window ends at " + due.UTC().Format(time.DateTime) + " UTC"
		}
		return "Not settled yet: 'thalas settle' does it"
	case outcome.Unresolved:
		return "Not settled: " + reasonText(*o.Reason)
	case outcome.Settled:
		text := fmt.Sprintf("%s was %s: %s to %s, %s", o.Decision, outcomeWord(o), price(*o.ReferencePrice), price(*o.ExitPrice), signed(o.Move))
		if o.Decision != signal.Hold {
			text += fmt.Sprintf(", %s after costs of %s", signed(o.NetReturn), share(o.Cost))
		}
		if o.RawDecision != o.Decision {
			text += fmt.Sprintf("; the vote's %s was %s", o.RawDecision, map[bool]string{true: "right", false: "wrong"}[*o.RawRight])
		}
		return text + ", by candles from " + visible(*o.Source)
	}
	return ""
}

// reasonText says why a result is not settled, and what helps.
func reasonText(reason outcome.Reason) string {
	switch reason {
	case outcome.NoMarket:
		return "it is about a free text, which has no candles"
	case outcome.Late:
		return "it was answered when the first candle of its window had closed"
	case outcome.Gap:
		return "a candle of its window is missing at the venue; another venue or a CSV may have it"
	case outcome.PriceMismatch:
		return "the price it was asked with is far from the candles: they are of another market or unit"
	case outcome.NoCandles:
		return "the venue has no candles of its window; another venue or a CSV may have them"
	}
	return strings.ReplaceAll(string(reason), "_", " ")
}
