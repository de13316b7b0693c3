package main

// thalas providers: the configured providers, and why some can't be asked. thalas simulate:
// a server of simulated ones for developers. Other commands start the simulator in their
// own process.

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/provider"
	"thalas/internal/simulator"
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

	Check *checkRow `json:"check,omitempty"` // with --check, if the provider was called
}

func newProviders(t terminal) *cobra.Command {
	var flags settings
	var asJSON, check, paid bool
	cmd := &cobra.Command{
		Use:   "providers",
		Short: "Show which providers are set up, with model, price and weight",
		Long: `Show every provider: its model and price, the weight of its vote, whether it can be asked,
and if not, what to set. No provider is called.

With --check each provider that can be asked gets one free call, for its list of models,
and a line says whether address and key are right, or what is wrong. With --check --paid it
gets one tiny real question instead, which costs what a question costs and is neither stored
nor counted for the budgets. Its line names the settings that the server refused.

Exit codes: 0, 1 if a call failed, 2 wrong usage or configuration.`,
		Example: "  thalas providers --check\n  thalas providers --check --paid --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if paid && !check {
				return usagef("--paid goes with --check")
			}
			a, stop, err := flags.newApp(t, nil)
			if err != nil {
				return err
			}
			defer stop()
			rows := rowsOf(a)
			var text string
			var failed error
			if check {
				if rows, err = checkProviders(cmd.Context(), a, paid); err != nil {
					return err
				}
				text, failed = checksText(t, rows)
			}
			if asJSON {
				return errors.Join(writeJSON(t.out, rows), failed)
			}
			return errors.Join(printProviders(t, a, rows, text), failed)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&check, "check", false, "make one free call to each provider")
	cmd.Flags().BoolVar(&paid, "paid", false, "with --check: ask one tiny real question instead, which costs money")
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
		if listed, is := e.Provider.(interface{ ListPrice() (provider.Price, bool) }); is {
			if price, known := listed.ListPrice(); known {
				row.InputPrice, row.OutputPrice = &price.Input, &price.Output
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// printProviders prints a table, and then the lines of the checks or, without checks, why
// providers can't be asked.
func printProviders(t terminal, a *app.App, rows []providerRow, checks string) error {
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
	if checks != "" {
		fmt.Fprintf(&b, "\n%s", checks)
	}
	gap := "\n"
	for _, r := range rows {
		if !r.Available && checks == "" {
			fmt.Fprintf(&b, "%s%s: %s\n", gap, r.Name, r.Reason)
			gap = ""
		}
	}
	fmt.Fprintf(&b, "\n%s\n", style.dim.Render("in, out: USD per million tokens of a short prompt, as of "+pricesAsOf(a)))
	if a.Simulated {
		fmt.Fprintln(&b, style.warn.Render("Simulated: no language model would be asked."))
	}
	_, err := io.WriteString(t.out, b.String())
	return err
}

// pricesAsOf says of when the prices are. Those of presets may have another age.
func pricesAsOf(a *app.App) string {
	text := a.Catalog.AsOf
	for _, p := range a.Config.Providers {
		if p.Further == nil || p.Further.Price != nil {
			continue
		}
		if at := a.Catalog.PricesAsOf(p.Further.Preset); at != a.Catalog.AsOf {
			text += fmt.Sprintf(" (%s: %s)", p.Name, at)
		}
	}
	return text
}

func newSimulate(t terminal) *cobra.Command {
	options := simulator.Options{}
	var faults string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve simulated providers that speak the wire formats of real ones",
		Long: `Serve simulated providers: an HTTP server that speaks the wire formats of Anthropic,
OpenAI and Gemini, and their dialects. Answers follow from the market data by one simple rule
for each provider. The environment that points a client at it is printed first. That client
takes the votes for real ones: keep them apart by a --data-file of its own, or use
--simulate true instead, which says of every result that it is simulated.

Further providers are tried in the same way: with LOCAL_BASE_URL=http://127.0.0.1:9900/ollama
the provider "local" of PROVIDERS_FILE asks a server that speaks as Ollama does and refuses
what it refuses. The names are
` + strings.Join(wrap(strings.Join(simulator.Presets, ", ")+".", 80), "\n") + `

Faults are scripted by provider: the first request gets the first fault of its list,
and so on; a * behind the last one repeats it.

` + faultHelp(),
		Example: `  thalas simulate --listen 127.0.0.1:9900 --latency 500ms
  thalas simulate --faults 'anthropic=rate_limit,ok;gemini=hang*'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Faults, err = simulator.ParseFaults(faults); err != nil {
				return usagef("--faults: %w", err)
			}
			if options.Latency < 0 {
				return usagef("--latency %s is below 0", options.Latency)
			}
			running, err := simulator.Start(options)
			if err != nil {
				return err
			}
			for _, line := range running.Env() {
				if _, err := fmt.Fprintln(t.out, "export", line); err != nil {
					return errors.Join(err, running.Close())
				}
			}
			fmt.Fprintf(t.err, "Simulated providers are at http://%s. End with Ctrl-C.\n"+
				"A program that asks them can't distinguish them from real ones and stores their votes as real: give it a --data-file of its own.\n", running.Addr())
			<-cmd.Context().Done()
			return running.Close()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Addr, "listen", "127.0.0.1:0", "`address`; port 0 takes a free one")
	flags.DurationVar(&options.Latency, "latency", 0, "about how `long` an answer takes, such as 500ms (default: at once)")
	flags.Uint64Var(&options.Seed, "seed", 0, "`seed` of the latencies")
	flags.StringVar(&faults, "faults", "", "`faults` by provider, such as anthropic=rate_limit,ok;gemini=hang*")
	return cmd
}

// faultHelp lists the faults for the help text.
func faultHelp() string {
	faults, width := simulator.Faults(), 0
	for _, f := range faults {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	b.WriteString("Faults:\n")
	for _, f := range faults {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, f.Name, f.What)
	}
	return strings.TrimRight(b.String(), "\n")
}
