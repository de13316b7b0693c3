package main

// thalas metrics: the counters.

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/service"
)

func newMetrics(t terminal) *cobra.Command {
	var from sourceFlags
	var window, since, until string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Show the counters of an hour, a day or a span",
		Long: `Show the counters of an hour, a day or a span, over all processes that wrote to the
store. --from and --to are cut to the window: whole hours, or whole UTC days.`,
		Example: "  thalas metrics --window hour\n  thalas metrics --from 2026-11-01 --to 2026-12-01",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			span := spanFlags{from: since, to: until}
			query, err := span.query(nil)
			if err != nil {
				return err
			}
			set(query, "window", window)
			return from.read(cmd, t, func(s *source) error {
				var body json.RawMessage
				if err := s.into(cmd.Context(), "/v1/metrics", query, &body); err != nil {
					return err
				}
				if asJSON {
					return writeJSON(t.out, body)
				}
				var m service.Metrics
				if err := json.Unmarshal(body, &m); err != nil || m.Window == "" {
					return errors.Join(fmt.Errorf("the metrics of %s are not what this version knows", s.name), err)
				}
				return printMetrics(t, m)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&window, "window", "", "`grain`: hour or day (default: day)")
	flags.StringVar(&since, "from", "", "start as a `time`: 2026-11-01, or RFC 3339 (default: one window before the end)")
	flags.StringVar(&until, "to", "", "end as a `time`, likewise (default: the current window's)")
	flags.BoolVar(&asJSON, "json", false, "print the JSON document")
	completeFlag(cmd, "window", "hour", "day")
	from.add(cmd)
	return cmd
}

func printMetrics(t terminal, m service.Metrics) error {
	share := ""
	if m.TotalRequests > 0 {
		share = " (" + percent(m.SuccessRate) + ")"
	}
	_, err := fmt.Fprintf(t.out, "%s to %s\n%d questions, %d decided%s, %d without a decision   cost %s   %d tokens\n",
		m.From.Format(time.RFC3339), m.To.Format(time.RFC3339), m.TotalRequests, m.SuccessfulRequests, share, m.FailedRequests, dollars(m.CostUSD), m.Tokens)
	if err != nil || len(m.Providers) == 0 {
		return err
	}
	columns := []column{{head: "provider"}, {head: "asked"}, {head: "votes"}, {head: "failures"}, {head: "p50"}, {head: "p95"}, {head: "tokens in / out"}, {head: "cost"}}
	for _, p := range m.Providers {
		for i, cell := range []string{
			p.Provider, strconv.FormatInt(p.Requests, 10), strconv.FormatInt(p.Successes, 10), kinds(p.Failures),
			optional(p.LatencyMS.P50, latency), optional(p.LatencyMS.P95, latency), fmt.Sprintf("%d / %d", p.InputTokens, p.OutputTokens), dollars(p.CostUSD),
		} {
			columns[i].cells = append(columns[i].cells, cell)
		}
	}
	_, err = fmt.Fprintf(t.out, "\n%s\n", t.stylesFor(t.out).tableOf(columns))
	return err
}

// kinds lists failures by kind.
func kinds(failures map[string]int64) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(failures)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, failures[kind]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
