package main

// thalas replay: what another policy would have made of stored votes.

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/api"
	"thalas/internal/service"
)

func newReplay(t terminal) *cobra.Command {
	var span spanFlags
	var weights string
	var gates struct{ confidence, agreement float64 }
	cmd := &cobra.Command{
		Use:   "replay PAIR",
		Short: "Decide stored runs anew under other weights or gates",
		Long: `Decide the stored runs of a pair and timeframe anew under other weights or gates, and
list those that would have had another decision. No model is asked and nothing is stored.
PAIR is any notation of a pair, or the free text that was sent to the compatibility route.

What is not given stays as it was in each run; without any of --weights, --min-confidence
and --min-agreement each decision is only recomputed.`,
		Example: "  thalas replay BTC/USDT --from 2026-11-01 --min-confidence 0.7\n  thalas replay BTC/USDT --weights grok=0,openai=1 --json",
		Args:    cobra.ExactArgs(1),
	}
	span.add(cmd)
	flags := cmd.Flags()
	flags.Lookup("from").Usage = "from this `time` on, by candle: 2026-11-01, or RFC 3339 (default: the oldest)"
	flags.StringVar(&weights, "weights", "", "`weights` in place of those of the runs, such as anthropic=1,openai=.9")
	flags.Float64Var(&gates.confidence, "min-confidence", 0, "`confidence`, 0 to 1, below which a BUY or SELL is HOLD (default: as in each run)")
	flags.Float64Var(&gates.agreement, "min-agreement", 0, "`agreement`, 0 to 1, below which a BUY or SELL is HOLD (default: as in each run)")
	request := map[string]any{"limit": pageSize}
	return readCommand(t, cmd, func(args []string) (url.Values, error) {
		selected, err := span.query(args)
		if err != nil {
			return nil, err
		}
		for name := range selected {
			request[name] = selected.Get(name)
		}
		if weights != "" {
			if request["provider_weights"], err = parseWeights(weights); err != nil {
				return nil, err
			}
		}
		for flag, gate := range map[string]float64{"min-confidence": gates.confidence, "min-agreement": gates.agreement} {
			if !flags.Changed(flag) {
				continue
			}
			if !(gate >= 0 && gate <= 1) { // JSON could not say that one is no number
				return nil, fmt.Errorf("--%s %v is outside 0…1", flag, gate)
			}
			request[strings.ReplaceAll(flag, "-", "_")] = gate
		}
		return selected, nil
	}, func(ctx context.Context, r reading, _ url.Values) error {
		all, err := replay(ctx, r.source, request)
		switch {
		case err != nil:
			return err
		case r.json:
			return writeJSON(r.out, all)
		}
		_, err = fmt.Fprintln(r.out, r.replayText(all))
		return err
	})
}

// replay replays page by page, to the end.
func replay(ctx context.Context, s *source, request map[string]any) (api.Replay, error) {
	all := api.Replay{Replayed: service.Replayed{Items: []service.Change{}}}
	for {
		var page api.Replay
		if err := s.post(ctx, "/v1/replay", request, &page); err != nil {
			return all, err
		}
		if page.Items == nil {
			return all, s.unknown(nil)
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

func (r reading) replayText(all api.Replay) string {
	style := r.stylesFor(r.out)
	parts := []string{summary(all)}
	if all.Runs == 0 && r.realOnly {
		parts[0] += " " + simulatedApart
	}
	if all.Simulated && all.Runs > 0 {
		parts = append([]string{style.warn.Bold(true).Render(simulatedVotes)}, parts...)
	}
	early := 0
	table := style.table("candle (UTC)", "was", "now", "confidence", "agreement", "id")
	for _, c := range all.Items {
		table.row(c.CandleTime.UTC().Format(time.DateTime), verdictText(c.Was), verdictText(c.Now),
			change(c.Was.Confidence, c.Now.Confidence), change(c.Was.AgreementScore, c.Now.AgreementScore), c.ID)
		table.look(1, style.decision(c.Was.Decision))
		table.look(2, style.decision(c.Now.Decision))
		if c.DecidedEarly {
			early++
		}
	}
	if early > 0 {
		parts = append(parts, fmt.Sprintf("Decided early: %d of those that differ. The votes that were not waited for are missing.", early))
	}
	if all.PolicyAssumed > 0 {
		parts = append(parts, fmt.Sprintf("Runs stored without their gates: %d. Where no gate is given, they were decided by the gates of the current configuration.", all.PolicyAssumed))
	}
	if len(all.Items) > 0 {
		parts = append(parts, table.write())
	}
	return strings.Join(parts, "\n\n")
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

func verdictText(v service.Verdict) string {
	if v.HoldReason == nil {
		return string(v.Decision)
	}
	return fmt.Sprintf("%s, %s", v.Decision, strings.ReplaceAll(string(*v.HoldReason), "_", " "))
}

// change writes what a figure was and is now, and only one of them if both are the same.
func change(was, now float64) string {
	if was == now {
		return figure(was)
	}
	before, after := compared(was, now)
	return before + " → " + after
}
