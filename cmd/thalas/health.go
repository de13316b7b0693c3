package main

// thalas health: the state of the service, as a table.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/spf13/cobra"

	"thalas/internal/service"
)

func newHealth(t terminal) *cobra.Command {
	var from sourceFlags
	var probe, asJSON bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Show whether a question could be answered now",
		Long: `Show whether a question could be answered now, as far as past calls show: by a server, or, if
the store's file is read, by a process with this environment.

Exit codes: 0 healthy or degraded, 1 unavailable or anything else, 2 wrong usage.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if probe {
				query.Set("probe", "true")
			}
			return from.read(cmd, t, func(s *source) error {
				body, err := s.get(cmd.Context(), "/v1/health", query)
				if err != nil && !unavailableState(err) {
					return err
				}
				var h service.Health
				if wrong := json.Unmarshal(body, &h); wrong != nil || h.Status == "" {
					return errors.Join(err, fmt.Errorf("the health of %s is not what this version knows", s.name), wrong)
				}
				if asJSON {
					err = writeJSON(t.out, json.RawMessage(body))
				} else {
					err = printHealth(t, h, time.Now())
				}
				if err == nil && h.Status == service.Unavailable {
					err = fmt.Errorf("unavailable: %d providers can be asked, %d are required", h.AvailableProviders, h.RequiredProviders)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&probe, "probe", false, "make one free call to each provider")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the JSON document")
	from.add(cmd)
	return cmd
}

func printHealth(t terminal, h service.Health, now time.Time) error {
	style := t.stylesFor(t.out)
	look := map[service.HealthStatus]lipgloss.Style{service.Healthy: style.good, service.Degraded: style.warn, service.Unavailable: style.bad}[h.Status]
	simulated := ""
	if h.Simulated {
		simulated = "   SIMULATED providers"
	}
	_, err := fmt.Fprintf(t.out, "%s   %d providers available, %d required   store %s%s\n", look.Render(visible(string(h.Status))), h.AvailableProviders, h.RequiredProviders, visible(h.Store), simulated)
	if err == nil && h.Budget != nil {
		_, err = fmt.Fprintf(t.out, "budget of the day   %s   %s spent   %s reserved\n", dollars(h.Budget.LimitUSD), optional(h.Budget.SpentUSD, dollars), optional(h.Budget.ReservedUSD, dollars))
	}
	if err != nil || len(h.Providers) == 0 {
		return err
	}
	columnOf := func(head string, cell func(p service.ProviderHealth) string) column {
		c := column{head: head}
		for _, p := range h.Providers {
			c.cells = append(c.cells, cell(p))
		}
		return c
	}
	_, err = fmt.Fprintf(t.out, "\n%s\n", style.tableOf([]column{
		columnOf("provider", func(p service.ProviderHealth) string { return p.Name }),
		columnOf("state", func(p service.ProviderHealth) string { return stateOf(p, h.ProviderHealth[p.Name]) }),
		columnOf("breaker", func(p service.ProviderHealth) string { return string(p.Breaker) }),
		columnOf("last vote", func(p service.ProviderHealth) string { return ago(p.LastSuccess, now) }),
		columnOf("last failure", func(p service.ProviderHealth) string { return lastFailure(p.LastError, now) }),
		columnOf("failed", func(p service.ProviderHealth) string { return percent(p.ErrorRate) }),
		columnOf("p50", func(p service.ProviderHealth) string { return optional(p.LatencyP50MS, latency) }),
	}))
	return err
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

func lastFailure(e *service.LastError, now time.Time) string {
	if e == nil {
		return "none"
	}
	return e.Error + ", " + ago(&e.At, now)
}

func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return "none"
	}
	return now.Sub(*at).Round(time.Second).String() + " ago"
}

func optional(f *float64, write func(float64) string) string {
	if f == nil {
		return "–"
	}
	return write(*f)
}
