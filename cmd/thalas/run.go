package main

// The command tree, and how an error becomes an exit code.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/watch"
)

// Exit codes.
const (
	exitDecision   = 0 // a decision was reached, which may be HOLD
	exitError      = 1 // any other error
	exitUsage      = 2 // the command line, the configuration or the input is wrong
	exitNoDecision = 3 // the run came to no decision, or no decision is stored
)

// terminal has the inputs and outputs of a command. Results go to out, everything else
// goes to err.
type terminal struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ environment
	time    watch.Clock // nil: the machine's clock
}

// clock gives the clock of watch.
func (t terminal) clock() watch.Clock {
	if t.time == nil {
		return watch.RealClock{}
	}
	return t.time
}

// noDecision is the error of a command without a decision.
type noDecision struct{ error }

func (e noDecision) Unwrap() error { return e.error }

// usageError is a mistake of the user. No model was asked.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run executes one command line and gives its exit code.
func run(ctx context.Context, args []string, t terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDecision
	}
	complain(t, err)
	return exitCode(err)
}

func exitCode(err error) int {
	var usage usageError
	var mistakes config.Mistakes
	var fields signal.FieldErrors
	var undecided *orchestrator.Error
	var problem *apiProblem
	var none noDecision
	switch {
	case errors.As(err, &usage), errors.As(err, &mistakes), errors.As(err, &fields):
		return exitUsage
	case errors.Is(err, orchestrator.ErrCanceled), errors.Is(err, orchestrator.ErrAggregation):
		return exitError
	case errors.As(err, &none), errors.As(err, &undecided), errors.As(err, &problem) && problem.undecided():
		return exitNoDecision
	}
	return exitError
}

// complain prints an error. Several mistakes get a line each.
func complain(t terminal, err error) {
	text := err.Error()
	var fields signal.FieldErrors
	if errors.As(err, &fields) && len(fields) > 1 {
		lines := make([]string, len(fields))
		for i, f := range fields {
			lines[i] = f.Error()
		}
		text = strings.ReplaceAll(text, fields.Error(), fmt.Sprintf("%d mistakes:\n  ", len(lines))+strings.Join(lines, "\n  "))
	}
	lines := visibleLines(text)
	if isTerminal(t.err) { // in a file a mistake stays on one line, so that it can be searched for
		lines = hang(lines, max(widthOf(t.err), minWidth)-len("Error: "))
	}
	fmt.Fprintf(t.err, "%s %s\n", t.stylesFor(t.err).bad.Bold(true).Render("Error:"), strings.Join(lines, "\n"))
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(t.err, "'thalas --help' and 'thalas COMMAND --help' say what can be given.")
	}
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
docs/configuration.md. 'thalas providers' shows what is set up.

Exit codes: 0 a decision (HOLD is one), 2 wrong usage, configuration or input,
3 no decision, 1 anything else.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", defaultWidth)))
	root.AddCommand(
		newAsk(t), newServe(t), newWatch(t), newDemo(t),
		newShow(t), newLatest(t), newHistory(t), newReplay(t), newExport(t), newHealth(t), newMetrics(t),
		newBackup(t), newImport(t), newCheck(t), newCompact(t),
		newProviders(t), newSimulate(t), newVersion(t))
	root.SetOut(t.out)
	addDefaults(root)
	for _, command := range everyCommand(root) {
		if command.Args != nil {
			command.Args = asUsage(command.Args)
		}
	}
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

func everyCommand(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, command := range root.Commands() {
		all = append(all, everyCommand(command)...)
	}
	return all
}

// asUsage makes a wrong number of arguments, or an unknown command, a usage error.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// simulateFlag adds --simulate, which overrides SIMULATE_PROVIDERS.
func simulateFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "simulate", "", "`true`: answers from the built-in simulator; auto: only where no key at all is configured; false (default: SIMULATE_PROVIDERS)")
	completeFlag(cmd, "simulate", "true", "auto", "false")
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

// load reads the configuration, and prints its warnings about misspelt names.
func load(t terminal, simulate string) (config.Config, error) {
	c, err := config.Load(t.environ, app.Known())
	if err != nil {
		return c, err
	}
	if simulate != "" {
		if c.Simulate, err = config.ParseSimulate(simulate); err != nil {
			return c, usagef("--simulate: %w", err)
		}
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(t.err, "Warning:", visible(warning))
	}
	return c, nil
}

// askLogger gives the log of a command with live lines, which say the same. It is nil on
// a terminal, unless the user has set LOG_LEVEL or LOG_FORMAT.
func askLogger(t terminal, c config.Config) *slog.Logger {
	if isTerminal(t.err) && t.environ.Getenv("LOG_LEVEL") == "" && t.environ.Getenv("LOG_FORMAT") == "" {
		return nil
	}
	return logger(t, c)
}

// logger gives a log on the error output.
func logger(t terminal, c config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" || (c.LogFormat == "" && isTerminal(t.err)) {
		return slog.New(slog.NewTextHandler(t.err, options))
	}
	return slog.New(slog.NewJSONHandler(t.err, options))
}
