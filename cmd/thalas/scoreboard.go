package main

// thalas scoreboard: how good the decisions and each provider were, in lines of 80 columns.

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"thalas/internal/outcome"
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
		return r.document(ctx, "/v1/scoreboard", query, func(body []byte) (string, error) {
			var s outcome.Scoreboard
			err := json.Unmarshal(body, &s)
			return scoreboardText(r.stylesFor(r.out), &s), err
		})
	})
}

// scoreboardText writes a scoreboard in lines of at most 80 columns.
func scoreboardText(style styles, s *outcome.Scoreboard) string {
	r := &report{styles: style, width: textWidth}
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

// board writes the scores of one timeframe.
func (r *report) board(b *outcome.Board) {
	r.line("")
	settled := fmt.Sprintf("%d settled", b.Settled)
	if b.Imported > 0 {
		settled += fmt.Sprintf(" (%d imported)", b.Imported)
	}
	head := []string{settled, fmt.Sprintf("%d pending", b.Pending)}
	for _, reason := range slices.Sorted(maps.Keys(b.Unresolved)) {
		head = append(head, fmt.Sprintf("%d %s", b.Unresolved[reason], words(reason)))
	}
	r.line("%s", strings.Join(wrap(r.bold.Render(string(b.Timeframe)+":")+" "+strings.Join(head, ", "), r.width), "\n"))
	if b.Settled == 0 {
		return
	}
	r.paragraph(r.plain, fmt.Sprintf("A round trip costs %s, and the mean move over three candles is %s: %s. Buying every time earned %s a result.",
		share(b.Cost), share(b.MeanAbsMove), breakEvenText(b.BreakEvenHitRate), signed(b.AlwaysBuy)))
	if b.Imported > 0 {
		r.paragraph(r.dim, "Imported: it can't be proved that the votes are older than the candles.")
	}
	r.line("")
	r.line("%s", r.dim.Render(fmt.Sprintf("%*s  0 %%       25        50        75    100 %%", nameWidth+rateWidth, "right, of BUYs and SELLs")))
	for i := range b.Voters {
		r.score(&b.Voters[i], b.BreakEvenHitRate)
	}
	legend := "● right so often, ─ 95 % interval, · a coin"
	if b.BreakEvenHitRate != nil && *b.BreakEvenHitRate <= 1 {
		legend += ", ┃ pays for the round trips"
	}
	r.line("%s", r.dim.Render(legend))
}

func breakEvenText(rate *float64) string {
	switch {
	case rate == nil:
		return "no hit rate can be named that pays for it"
	case *rate > 1:
		return "not even a voter that is always right can pay for it"
	}
	return share(rate) + " of the BUYs and SELLs must be right to pay for it"
}

const (
	nameWidth = 20 // of a voter
	rateWidth = 17 // of a hit rate and the votes it is of
	barWidth  = 41 // of a hit rate from 0 to 100 %
)

// score writes what one voter was worth: its hit rate as a line, and the rest in words.
func (r *report) score(s *outcome.Score, breakEven *float64) {
	name := ansi.Truncate(visible(s.Voter), nameWidth, "…")
	rate := "none yet"
	if s.HitRate != nil {
		rate = fmt.Sprintf("%s of %d", share(s.HitRate), s.Directional)
	}
	look, verdict := r.verdict(s)
	r.line("%s%s%*s  %s", r.bold.Render(name), strings.Repeat(" ", nameWidth-lipgloss.Width(name)), rateWidth, rate, look.Render(r.bar(s, breakEven)))
	part := func(label string, look lipgloss.Style, text string) {
		r.labelled(r.dim, fmt.Sprintf("  %-9s", label), look, text)
	}
	if s.Model != nil {
		part("model", r.plain, *s.Model)
	}
	if s.Chance != nil {
		verdict += fmt.Sprintf("; blind votes of its leaning hit %s", share(s.Chance))
	}
	part("verdict", look, verdict)
	if n := s.NetReturn; n.Mean != nil {
		text := signed(n.Mean) + within(n.Low, n.High) + " a result, net of costs"
		if s.Model == nil && s.CostUSDMean != nil {
			text += fmt.Sprintf("; an answer cost about $%.3g", *s.CostUSDMean)
		}
		part("earned", r.plain, text)
	}
	if s.Value != nil {
		part("value", r.plain, valueText(s.Value))
	}
	if s.Early > 0 {
		part("left out", r.plain, fmt.Sprintf("%d votes of results that were decided early, where slow votes are missing", s.Early))
	}
	if s.BrierStated != nil {
		part("stated", r.plain, statedText(s))
	}
}

// bar draws the interval of a hit rate as a line, the rate as a dot, a coin and the
// break-even as marks.
func (r *report) bar(s *outcome.Score, breakEven *float64) string {
	cells := []rune(strings.Repeat(" ", barWidth))
	at := func(rate float64) int { return min(max(int(math.Round(rate*(barWidth-1))), 0), barWidth-1) }
	if s.HitRate != nil {
		for i := at(*s.Low); i <= at(*s.High); i++ {
			cells[i] = '─'
		}
	}
	if coin := at(0.5); cells[coin] == ' ' {
		cells[coin] = '·'
	} else {
		cells[coin] = '┼'
	}
	if breakEven != nil && *breakEven <= 1 {
		cells[at(*breakEven)] = '┃'
	}
	if s.HitRate != nil {
		cells[at(*s.HitRate)] = '●'
	}
	return strings.TrimRight(string(cells), " ")
}

// verdict gives the verdict of a voter in words, and how it looks.
func (r *report) verdict(s *outcome.Score) (lipgloss.Style, string) {
	switch s.Verdict {
	case outcome.TooFew:
		if s.NEff >= outcome.Needed {
			return r.plain, "too few days to tell"
		}
		return r.plain, fmt.Sprintf("too few to tell: worth %.0f of %d independent windows", math.Floor(s.NEff), outcome.Needed)
	case outcome.BeatsCosts:
		return r.good, "beats its costs"
	case outcome.BetterThanChance:
		return r.good, "better than chance, but not shown to beat its costs"
	case outcome.WorseThanChance:
		return r.bad, "worse than chance"
	}
	return r.warn, "not distinguishable from chance"
}

func valueText(v *outcome.Value) string {
	text := fmt.Sprintf("its vote changed %d of %d decisions", v.Changed, v.Results)
	if v.Mean != nil && v.Changed > 0 {
		text += ", which added " + signed(v.Mean) + within(v.Low, v.High) + " a result"
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
	return text + ": no help or harm can be told"
}

// statedText compares the confidence that was stated with what came of it: that of the
// consensus in groups, that of a provider on average. The JSON has all groups.
func statedText(s *outcome.Score) string {
	text := fmt.Sprintf("%.0f %% on average, right %.0f %%", 100**s.StatedConfidenceMean, 100**s.HitRate)
	if s.Model == nil {
		var groups []string
		for _, g := range s.Reliability {
			groups = append(groups, fmt.Sprintf("%.0f %%: right %.0f %% (%.0f to %.0f %%) of %d", 100*g.StatedMean, 100*g.HitRate, 100*g.Low, 100*g.High, g.N))
		}
		text = strings.Join(groups, "; ")
	}
	text += fmt.Sprintf(". Brier score %.3f, a coin has 0.250", *s.BrierStated)
	if s.BrierPublished != nil {
		text += fmt.Sprintf(", the %d published probabilities %.3f", s.Published, *s.BrierPublished)
	}
	return text
}

func within(low, high *float64) string {
	if low == nil {
		return ""
	}
	return fmt.Sprintf(" (%s to %s)", signed(low), signed(high))
}

// share writes a share of 1 in percent. A small one, such as a cost, has two decimals.
func share(f *float64) string {
	return optional(f, "unknown", func(f float64) string {
		if f < 0.1 {
			return percentage("%.*f", f, 2)
		}
		return percentage("%.*f", f, 1)
	})
}

// signed writes a return in percent, with its sign; empty for none.
func signed(f *float64) string {
	return optional(f, "", func(f float64) string { return percentage("%+.*f", f, 2) })
}

// percentage writes a share in percent with so many decimals, or with more if it would be
// shown as 0 and is not.
func percentage(format string, f float64, digits int) string {
	for f != 0 && digits < 10 && math.Abs(100*f) < 0.5*math.Pow10(-digits) {
		digits++
	}
	return fmt.Sprintf(format, digits, 100*f) + " %"
}
