// Command thalas asks several language models the same trading question at the
// same time and makes one decision of their answers.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	ossignal "os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"thalas/internal/watch"
)

func main() {
	ctx, stop := ossignal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}))
}

// terminal has the inputs and outputs of a command. Results go to out, everything else
// goes to err.
type terminal struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ environment
	clock   watch.Clock // nil: the machine's
}

// run executes one command line and gives its exit code.
func run(ctx context.Context, args []string, t terminal) int {
	if t.clock == nil {
		t.clock = watch.RealClock{}
	}
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	started := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		started = true
		return refuseEmpty(cmd)
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDecision
	}
	if !started { // a wrong command, flag or number of arguments
		err = usageError{err}
	}
	complain(t, err)
	return exitCode(err)
}

func newRoot(t terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "thalas",
		Short: "Ask several language models one trading question and get one decision",
		Long: `Thalas asks several language models the same trading question at the same time
and makes one decision of their answers: BUY, SELL or HOLD, with confidence,
agreement, risk, levels, the reason, the cost, and who disagreed.

Providers are set up by environment variables: ANTHROPIC_API_KEY, OPENAI_API_KEY,
GEMINI_API_KEY, GROK_API_KEY (with GROK_ENABLED=true) and the others in
docs/configuration.md. PROVIDERS_FILE adds any other model. 'thalas providers' shows
what is set up.

Exit codes: 0 done, or a decision (HOLD is one), 2 wrong usage, configuration or input,
3 no decision, 1 anything else.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", defaultWidth)))
	root.AddCommand(
		newAsk(t), newServe(t), newWatch(t), newDemo(t),
		newShow(t), newLatest(t), newHistory(t), newReplay(t), newExport(t), newHealth(t), newMetrics(t),
		newScoreboard(t), newOutcomes(t), newSettle(t),
		newBackup(t), newImport(t), newCheck(t), newCompact(t),
		newProviders(t), newSimulate(t), newVersion(t))
	root.SetOut(t.out)
	addDefaults(root)
	return root
}

// addDefaults adds the commands completion and help before the line is executed, so that
// an unknown shell or topic is a usage error.
func addDefaults(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, command := range root.Commands() {
		switch command.Name() {
		case "completion":
			command.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			command.Args = func(_ *cobra.Command, topic []string) error {
				if _, rest, err := root.Find(topic); err != nil || len(rest) > 0 {
					return fmt.Errorf("there is no help on %q", strings.Join(topic, " "))
				}
				return nil
			}
		}
	}
}

// completeFlag sets the words that a shell offers for a flag.
func completeFlag(cmd *cobra.Command, flag string, words ...cobra.Completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // not reached: the flag is there, and completed once
	}
}

// refuseEmpty refuses a flag with an empty value: an unset variable in a script (--price
// "$PRICE") must not mean the default.
func refuseEmpty(cmd *cobra.Command) error {
	var empty error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && empty == nil {
			empty = usagef("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return empty
}

// version is set by the linker. In a plain go build it is empty, and the build info is used.
var version string

func newVersion(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(t.out, "thalas %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
