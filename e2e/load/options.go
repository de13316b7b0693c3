package main

// The options of a measurement.

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

type options struct {
	closed, open, warmup time.Duration
	rounds               int
	connections          int
	rate                 int
	delay                time.Duration
	soak                 int
	sample               int
	body                 int
	only                 string
	binary               string
	environ              []string
	limit                time.Duration
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.closed, "closed", 10*time.Second, "length of a round of the closed loop; 0: leave it out")
	flags.DurationVar(&o.open, "open", 15*time.Second, "length of a round of the open loop; 0: leave it out")
	flags.IntVar(&o.soak, "soak", 50_000, "requests of the soak; 0: leave it out")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "closed loop before a server's first round, not measured")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of the closed and of the open loop; bare and thalas take turns")
	flags.IntVar(&o.connections, "connections", 64, "keep-alive connections")
	flags.IntVar(&o.rate, "rate", 300, "arrivals a second in the open loop")
	flags.DurationVar(&o.delay, "delay", 50*time.Millisecond, "time that the providers take in the open loop")
	flags.IntVar(&o.sample, "sample", 0, "look up at most so many answers by id in a phase; 0: all")
	flags.IntVar(&o.body, "body", 0, "`bytes` that each question has at least; 0: the usual 3,000")
	flags.StringVar(&o.only, "only", "", "measure one `program`: bare or thalas")
	flags.StringVar(&o.binary, "binary", "", "the server's `program`; else ./cmd/thalas is built")
	flags.DurationVar(&o.limit, "limit", 20*time.Minute, "give up after this time")
	flags.Func("env", "`NAME=value` for the server; may be repeated", func(pair string) error {
		if name, _, found := strings.Cut(pair, "="); !found || name == "" {
			return errors.New("want NAME=value")
		}
		o.environ = append(o.environ, pair)
		return nil
	})
	if err := parse(flags, args); err != nil {
		return o, err
	}
	return o, o.check()
}

// parse refuses arguments that are no flags. The flag package has said what is
// wrong with a flag.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return usageError{err}
	}
	if flags.NArg() > 0 {
		return usagef("unknown argument %q", flags.Arg(0))
	}
	return nil
}

func (o options) check() error {
	switch {
	case o.closed < 0, o.open < 0, o.warmup < 0, o.delay < 0, o.soak < 0, o.sample < 0:
		return usagef("durations and counts are not below 0")
	case o.body < 0, o.body > mostBody:
		return usagef("want a body of 0 to %d bytes", mostBody)
	case o.rounds < 1, o.connections < 1, o.connections > maxOpen, o.limit <= 0:
		return usagef("want at least 1 round, 1 to %d connections and a limit above 0", maxOpen)
	case o.rate < 1, o.rate > 100_000:
		return usagef("want a rate of 1 to 100000")
	case o.only != "" && o.only != "bare" && o.only != "thalas":
		return usagef("--only %q is neither bare nor thalas", o.only)
	}
	return nil
}
