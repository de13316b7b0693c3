package main

// thalas replay: what another policy would have made of stored votes.

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/api"
	"thalas/internal/service"
)

func newReplay(t terminal) *cobra.Command {
	var from sourceFlags
	var span spanFlags
	var weights string
	var minConfidence, minAgreement float64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay PAIR",
		Short: "Decide stored runs anew under other weights or gates",
		Long: `Decide the stored runs of a pair and timeframe anew under other weights or gates, and
list those that would have had another decision. No model is asked and nothing is stored.
PAIR is any notation of a pair, or the free text that was sent to the compatibility route.

What is not given stays as it was in each run; without any of --weights, --min-confidence
and --min-agreement each decision is only recomputed.

Exit codes: 0 replayed, 2 wrong usage, 1 anything else.`,
		Example: "  thalas replay BTC/USDT --from 2026-11-01 --min-confidence 0.7\n  thalas replay BTC/USDT --weights grok=0,openai=1 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			selected, err := span.query(args)
			if err != nil {
				return err
			}
			request := map[string]any{"limit": pageSize}
			for name := range selected {
				request[name] = selected.Get(name)
			}
			if cmd.Flags().Changed("weights") {
				if request["provider_weights"], err = parseWeights(weights); err != nil {
					return usageError{err}
				}
			}
			for name, gate := range map[string]float64{"min_confidence": minConfidence, "min_agreement": minAgreement} {
				if cmd.Flags().Changed(strings.ReplaceAll(name, "_", "-")) {
					if !(gate >= 0 && gate <= 1) { // JSON could not say that one is no number
						return usagef("--%s %v is outside 0…1", strings.ReplaceAll(name, "_", "-"), gate)
					}
					request[name] = gate
				}
			}
			return from.read(cmd, t, func(s *source) error {
				all, err := replay(cmd, s, request)
				switch {
				case err != nil:
					return err
				case asJSON:
					return writeJSON(t.out, all)
				}
				return printReplay(t, s, all)
			})
		},
	}
	span.add(cmd)
	cmd.Flags().Lookup("from").Usage = "from this `time` on, by candle: 2026-11-01, or RFC 3339 (default: the oldest)"
	cmd.Flags().StringVar(&weights, "weights", "", "`weights` in place of those of the runs, such as anthropic=1,openai=.9")
	cmd.Flags().Float64Var(&minConfidence, "min-confidence", 0, "`confidence`, 0 to 1, below which a BUY or SELL is HOLD (default: as in each run)")
	cmd.Flags().Float64Var(&minAgreement, "min-agreement", 0, "`agreement`, 0 to 1, below which a BUY or SELL is HOLD (default: as in each run)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the API's JSON document, all pages in one")
	from.add(cmd)
	return cmd
}

// replay replays page by page, to the end.
func replay(cmd *cobra.Command, s *source, request map[string]any) (api.Replay, error) {
	all := api.Replay{Replayed: service.Replayed{Items: []service.Change{}}}
	for {
		var page api.Replay
		if err := s.post(cmd.Context(), "/v1/replay", request, &page); err != nil {
			return all, err
		}
		if page.Items == nil {
			return all, fmt.Errorf("the replay of %s is not what this version knows", s.name)
		}
		all.Simulated = page.Simulated
		all.Runs, all.Changed, all.PolicyAssumed = all.Runs+page.Runs, all.Changed+page.Changed, all.PolicyAssumed+page.PolicyAssumed
		all.Items = append(all.Items, page.Items...)
		if page.NextCursor == nil {
			return all, nil
		}
		request["cursor"] = *page.NextCursor
	}
}

func printReplay(t terminal, s *source, all api.Replay) error {
	style := t.stylesFor(t.out)
	parts := []string{summary(all)}
	if all.Runs == 0 && s.realOnly {
		parts[0] += " " + simulatedApart
	}
	if all.Simulated && all.Runs > 0 {
		parts = append([]string{style.warn.Bold(true).Render("SIMULATED: these votes come from the built-in simulator, not from language models.")}, parts...)
	}
	if early := count(all.Items, func(c service.Change) bool { return c.DecidedEarly }); early > 0 {
		parts = append(parts, fmt.Sprintf("Decided early: %d of those that differ. The votes that were not waited for are missing.", early))
	}
	if all.PolicyAssumed > 0 {
		parts = append(parts, fmt.Sprintf("Gates not kept: %d runs, held against the configuration of now where no gate is given.", all.PolicyAssumed))
	}
	if len(all.Items) > 0 {
		parts = append(parts, changes(style, all.Items))
	}
	_, err := fmt.Fprintln(t.out, strings.Join(parts, "\n\n"))
	return err
}

// summary says how many differ, and how, most frequent first.
func summary(all api.Replay) string {
	switch {
	case all.Runs == 0:
		return "No results."
	case all.Changed == 0:
		return fmt.Sprintf("None of %d runs would have differed.", all.Runs)
	}
	kinds := map[string]int{}
	for _, c := range all.Items {
		kinds[fmt.Sprintf("%s → %s", c.Was.Decision, c.Now.Decision)]++
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", kinds[name], name)
	}
	return fmt.Sprintf("%d of %d runs would have differed: %s.", all.Changed, all.Runs, strings.Join(names, ", "))
}

// changes is the table of what differs.
func changes(style styles, items []service.Change) string {
	columnOf := func(head string, cell func(c service.Change) string) column {
		c := column{head: head}
		for _, item := range items {
			c.cells = append(c.cells, cell(item))
		}
		return c
	}
	was := columnOf("was", func(c service.Change) string { return verdictText(c.Was) })
	was.look = func(row int) lipgloss.Style { return style.decision(items[row].Was.Decision) }
	now := columnOf("now", func(c service.Change) string { return verdictText(c.Now) })
	now.look = func(row int) lipgloss.Style { return style.decision(items[row].Now.Decision) }
	return style.tableOf([]column{
		columnOf("candle (UTC)", func(c service.Change) string { return c.CandleTime.UTC().Format(time.DateTime) }),
		was, now,
		columnOf("confidence", func(c service.Change) string { return turned(c.Was.Confidence, c.Now.Confidence) }),
		columnOf("agreement", func(c service.Change) string { return turned(c.Was.AgreementScore, c.Now.AgreementScore) }),
		columnOf("id", func(c service.Change) string { return c.ID }),
	})
}

func verdictText(v service.Verdict) string {
	if v.HoldReason == nil {
		return string(v.Decision)
	}
	return fmt.Sprintf("%s, %s", v.Decision, strings.ReplaceAll(string(*v.HoldReason), "_", " "))
}

// turned writes what a figure was and is, once where it is the same.
func turned(was, now float64) string {
	if was == now {
		return figure(was)
	}
	before, after := compared(was, now)
	return before + " → " + after
}

func count[T any](list []T, counts func(T) bool) (n int) {
	for _, item := range list {
		if counts(item) {
			n++
		}
	}
	return n
}
