package main

// thalas health and thalas metrics: the state of the service, and its counters.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/service"
)

func newHealth(t terminal) *cobra.Command {
	var probe bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Show whether a question could be answered now",
		Long: `Show whether a question could be answered now, as far as past calls show: by a server, or, if
the store's file is read, by a process with this environment.

Exit codes: 0 healthy or degraded, 1 unavailable or anything else, 2 wrong usage.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&probe, "probe", false, "make one free call to each provider")
	return readCommand(t, cmd, func([]string) (url.Values, error) {
		query := url.Values{}
		if probe {
			query.Set("probe", "true")
		}
		return query, nil
	}, func(ctx context.Context, r reading, query url.Values) error {
		h, body, err := readHealth(ctx, r.source, query)
		switch {
		case err != nil:
			return err
		case r.json:
			err = writeJSON(r.out, body)
		default:
			_, err = io.WriteString(r.out, healthText(r.stylesFor(r.out), h, time.Now()))
		}
		if err == nil && h.Status == service.Unavailable {
			err = fmt.Errorf("unavailable: %d providers can be asked, %d are required", h.AvailableProviders, h.RequiredProviders)
		}
		return err
	})
}

// readHealth reads the health, which an unavailable service answers with 503.
func readHealth(ctx context.Context, s *source, query url.Values) (h service.Health, body json.RawMessage, err error) {
	err = s.get(ctx, "/v1/health", query, &body)
	var p *apiProblem
	if errors.As(err, &p) && p.Status == http.StatusServiceUnavailable && p.Type == "" {
		body = p.body
	} else if err != nil {
		return h, nil, err
	}
	if wrong := json.Unmarshal(body, &h); wrong != nil || h.Status == "" {
		return h, nil, errors.Join(err, s.unknown(wrong))
	}
	return h, body, nil
}

func healthText(style styles, h service.Health, now time.Time) string {
	look := map[service.HealthStatus]lipgloss.Style{service.Healthy: style.good, service.Degraded: style.warn, service.Unavailable: style.bad}[h.Status]
	simulated := ""
	if h.Simulated {
		simulated = "   SIMULATED providers"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s   %d providers available, %d required   store %s%s\n", look.Render(visible(string(h.Status))), h.AvailableProviders, h.RequiredProviders, visible(h.Store), simulated)
	if h.Budget != nil {
		fmt.Fprintf(&b, "budget of the day   %s   %s spent   %s reserved\n", dollars(h.Budget.LimitUSD), optional(h.Budget.SpentUSD, "–", dollars), optional(h.Budget.ReservedUSD, "–", dollars))
	}
	if len(h.Providers) > 0 {
		table := style.table("provider", "state", "breaker", "last vote", "last failure", "failed", "p50")
		for _, p := range h.Providers {
			failure := "none"
			if p.LastError != nil {
				failure = p.LastError.Error + ", " + ago(&p.LastError.At, now)
			}
			table.row(p.Name, stateOf(p, h.ProviderHealth[p.Name]), string(p.Breaker), ago(p.LastSuccess, now), failure, percent(p.ErrorRate), optional(p.LatencyP50MS, "–", latency))
		}
		fmt.Fprintf(&b, "\n%s\n", table.write())
	}
	return b.String()
}

func stateOf(p service.ProviderHealth, works bool) string {
	switch {
	case p.Reason != "":
		return p.Reason
	case p.Probe != nil && *p.Probe != "ok":
		return "probe failed: " + *p.Probe
	case p.LeftOut != nil:
		return fmt.Sprintf("left out (%s), tried again at %s", p.LeftOut.Reason, p.LeftOut.Until.Format(time.TimeOnly))
	case works:
		return "ok"
	}
	return "last call failed"
}

func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return "none"
	}
	return now.Sub(*at).Round(time.Second).String() + " ago"
}

func newMetrics(t terminal) *cobra.Command {
	var window string
	var span spanFlags
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Show the counters of an hour, a day or a span",
		Long: `Show the counters of an hour, a day or a span, over all processes that wrote to the
store. --from and --to are cut to the window: whole hours, or whole UTC days.`,
		Example: "  thalas metrics --window hour\n  thalas metrics --from 2026-11-01 --to 2026-12-01",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&window, "window", "", "`grain`: hour or day (default: day)")
	cmd.Flags().StringVar(&span.from, "from", "", "start as a `time`: 2026-11-01, or RFC 3339 (default: one window before the end)")
	cmd.Flags().StringVar(&span.to, "to", "", "end as a `time`, likewise (default: the current window's)")
	completeFlag(cmd, "window", "hour", "day")
	return readCommand(t, cmd, func([]string) (url.Values, error) {
		query, err := span.query(nil)
		if err == nil {
			set(query, "window", window)
		}
		return query, err
	}, func(ctx context.Context, r reading, query url.Values) error {
		return r.document(ctx, "/v1/metrics", query, func(body []byte) (string, error) {
			var m service.Metrics
			if err := json.Unmarshal(body, &m); err != nil || m.Window == "" {
				return "", r.unknown(err)
			}
			return metricsText(r.stylesFor(r.out), m), nil
		})
	})
}

func metricsText(style styles, m service.Metrics) string {
	share := ""
	if m.TotalRequests > 0 {
		share = " (" + percent(m.SuccessRate) + ")"
	}
	text := fmt.Sprintf("%s to %s\n%d questions, %d decided%s, %d without a decision   cost %s   %d tokens\n",
		m.From.Format(time.RFC3339), m.To.Format(time.RFC3339), m.TotalRequests, m.SuccessfulRequests, share, m.FailedRequests, dollars(m.CostUSD), m.Tokens)
	if len(m.Providers) > 0 {
		table := style.table("provider", "asked", "votes", "failures", "p50", "p95", "tokens in / out", "cost")
		for _, p := range m.Providers {
			table.row(p.Provider, strconv.FormatInt(p.Requests, 10), strconv.FormatInt(p.Successes, 10), kinds(p.Failures),
				optional(p.LatencyMS.P50, "–", latency), optional(p.LatencyMS.P95, "–", latency), fmt.Sprintf("%d / %d", p.InputTokens, p.OutputTokens), dollars(p.CostUSD))
		}
		text += "\n" + table.write() + "\n"
	}
	return text
}

// kinds lists failures by kind.
func kinds(failures map[string]int64) string {
	if len(failures) == 0 {
		return "none"
	}
	list := slices.Sorted(maps.Keys(failures))
	for i, kind := range list {
		list[i] = fmt.Sprintf("%s %d", kind, failures[kind])
	}
	return strings.Join(list, ", ")
}
