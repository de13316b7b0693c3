package main

// thalas providers: the configured providers, and why some can't be asked.

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
)

// providerRow is one provider as the command shows it.
type providerRow struct {
	Name        string   `json:"name"`
	Model       string   `json:"model"`
	Weight      float64  `json:"weight"`
	Enabled     bool     `json:"enabled"`
	Configured  bool     `json:"configured"` // has a key, or is simulated
	Available   bool     `json:"available"`
	Reason      string   `json:"reason"`           // why it is not available; empty if it is
	InputPrice  *float64 `json:"input_price_usd"`  // per million tokens of a short prompt, today; null: unknown
	OutputPrice *float64 `json:"output_price_usd"` // likewise
}

func newProviders(t terminal) *cobra.Command {
	var flags settings
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "providers",
		Short: "Show which providers are set up, with model, price and weight",
		Long: `Show every provider: its model and price, the weight of its vote, whether it can be asked,
and if not, what to set. No provider is called.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, stop, err := flags.newApp(t, nil)
			if err != nil {
				return err
			}
			defer stop()
			rows := rowsOf(a)
			if asJSON {
				return writeJSON(t.out, rows)
			}
			return printProviders(t, a, rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	flags.simulateFlag(cmd, simulateUsage)
	return cmd
}

func rowsOf(a *app.App) []providerRow {
	var rows []providerRow
	for _, e := range a.Registry.Entries() {
		row := providerRow{
			Name: e.Provider.Name(), Model: e.Provider.Model(), Weight: e.VoteWeight(),
			Enabled: !e.Disabled, Configured: e.Unavailable == "", Available: e.Available(), Reason: remedy(e),
		}
		if price, known := a.Catalog.Price(row.Name, row.Model, 0, time.Now()); known {
			row.InputPrice, row.OutputPrice = &price.Input, &price.Output
		}
		rows = append(rows, row)
	}
	return rows
}

func printProviders(t terminal, a *app.App, rows []providerRow) error {
	style := t.stylesFor(t.out)
	table := style.table("provider", "model", "in", "out", "weight", "available")
	for _, r := range rows {
		available, look := "no", style.plain
		if r.Available {
			available, look = "yes", style.good
		}
		table.row(r.Name, r.Model, perMillion(r.InputPrice), perMillion(r.OutputPrice), figure(r.Weight), available)
		table.look(5, look)
	}
	var b strings.Builder
	fmt.Fprintln(&b, table.write())
	gap := "\n"
	for _, r := range rows {
		if !r.Available {
			fmt.Fprintf(&b, "%s%s: %s\n", gap, r.Name, r.Reason)
			gap = ""
		}
	}
	fmt.Fprintf(&b, "\n%s\n", style.dim.Render(fmt.Sprintf("in, out: USD per million tokens of a short prompt, as of %s", a.Catalog.AsOf)))
	if a.Simulated {
		fmt.Fprintln(&b, style.warn.Render("Simulated: no language model would be asked."))
	}
	_, err := io.WriteString(t.out, b.String())
	return err
}
