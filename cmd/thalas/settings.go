package main

// Where a command's settings come from: the environment, and the flags that override it.

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// environment is a list of NAME=value, as os.Environ gives it.
type environment []string

// Environ gives the list.
func (e environment) Environ() []string { return e }

// Getenv gives a variable's value as the configuration reads one; empty where it is not set.
func (e environment) Getenv(name string) string {
	for _, entry := range e {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return provider.Unquoted(value)
		}
	}
	return ""
}

// settings are the flags that override variables of the environment. An empty one was not
// given.
type settings struct{ listen, dataFile, simulate string }

func (s *settings) listenFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.listen, "listen", "", "`address` (default: LISTEN_ADDR, else 127.0.0.1:8787); port 0 takes a free one")
}

func (s *settings) dataFileFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.dataFile, "data-file", "", "`file` of the store (default: DATA_FILE, else thalas.db in the user's data folder)")
}

func (s *settings) simulateFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&s.simulate, "simulate", "", usage+" (default: SIMULATE_PROVIDERS)")
	completeFlag(cmd, "simulate", "true", "auto", "false")
}

// simulateUsage is the usage of --simulate for a command that asks the providers.
const simulateUsage = "`true`: answers from the built-in simulator; auto: only where no key at all is configured; false"

func timeframeFlag(cmd *cobra.Command, into *string, usage string) {
	cmd.Flags().StringVar(into, "timeframe", "", usage)
	var names []string
	for _, t := range signal.Timeframes() {
		names = append(names, string(t))
	}
	completeFlag(cmd, "timeframe", names...)
}

// load reads the configuration, and prints its warnings about misspelt names.
func (s settings) load(t terminal) (config.Config, error) {
	c, err := config.Load(t.environ, app.Known())
	if err != nil {
		return c, err
	}
	if s.simulate != "" {
		if c.Simulate, err = config.ParseSimulate(s.simulate); err != nil {
			return c, usagef("--simulate: %w", err)
		}
	}
	if s.listen != "" {
		c.ListenAddr = s.listen
	}
	if s.dataFile != "" {
		c.DataFile = s.dataFile
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(t.err, "Warning:", visible(warning))
	}
	return c, nil
}

// demoLatency is about the latency of a quick model. Tests shorten it.
var demoLatency = 600 * time.Millisecond

// newApp reads the configuration and builds the App, with simulated providers if the
// configuration asks for them. The caller must call stop, which ends them. log chooses the
// log; nil is none.
func (s settings) newApp(t terminal, log func(terminal, config.Config) *slog.Logger) (a *app.App, stop func(), err error) {
	c, err := s.load(t)
	if err != nil {
		return nil, nil, err
	}
	var logger *slog.Logger
	if log != nil {
		logger = log(t, c)
	}
	stop = func() {}
	a, err = app.New(c, logger, func() (baseURL func(provider string) string, err error) {
		running, err := simulator.Start(simulator.Options{Latency: demoLatency})
		if err != nil {
			return nil, err
		}
		stop = func() { _ = running.Close() }
		return running.BaseURL, nil
	})
	if err != nil {
		stop()
	}
	return a, stop, err
}

// dataFile gives the path of the configured file, or of thalas.db in the user's data
// folder.
func dataFile(c config.Config, environ environment) (string, error) {
	if c.DataFile != "" {
		return c.DataFile, nil
	}
	for _, folder := range [...]struct{ variable, below string }{
		{"XDG_DATA_HOME", ""}, {"LocalAppData", ""}, {"HOME", ".local/share"}, {"USERPROFILE", ".local/share"},
	} {
		if path := environ.Getenv(folder.variable); filepath.IsAbs(path) {
			return filepath.Join(path, folder.below, "thalas", "thalas.db"), nil
		}
	}
	return "", usagef("there is no home folder for the store: set DATA_FILE")
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
