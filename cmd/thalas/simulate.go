package main

// thalas simulate: a server of simulated providers for developers. Other commands start
// the simulator in their own process.

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"thalas/internal/simulator"
)

func newSimulate(t terminal) *cobra.Command {
	options := simulator.Options{}
	var faults string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve simulated providers that speak the four wire formats",
		Long: `Serve simulated providers: an HTTP server that speaks the wire formats of Anthropic,
OpenAI, Gemini and Grok. Answers follow from the market data by one simple rule for
each provider. The environment that points a client at it is printed first. That client
takes the votes for real ones: keep them apart by a --data-file of its own, or use
--simulate true instead, which says of every result that it is simulated.

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
				"A program that asks them can't tell them from real ones and stores their votes as real: give it a --data-file of its own.\n", running.Addr())
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
