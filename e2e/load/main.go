// Command load measures what the server adds to four model calls, beside a bare
// program that does the least that could answer the same question.
//
// It starts three children on 127.0.0.1: a stub of the four providers, the bare
// program (both are this program again), and `thalas serve` on a fresh store. It
// loads bare and thalas in turns, so that whatever else the machine does slows both:
//
//   - closed loop: each connection asks again once it is answered, and the providers
//     answer at once. This measures throughput.
//   - fixed rate: questions are sent at a fixed rate, whether those before have an
//     answer or not, and the providers take 50 ms. A stall delays all who come meanwhile.
//   - soak: many requests in a closed loop. Memory must stay flat.
//
// The exit status is 1 if an answer of 200 can't be read back by its id, if it does not
// belong to its question or lacks a vote, or if the server's counters differ from what
// was sent. Slowness never fails: machines differ, so only ratios within one run matter.
//
//	go run -C e2e/load .       # all of it, about five minutes
//	go run -C e2e/load . -h    # durations, rate, one program only
//
// Package vegeta sends the requests. The command is a module of its own, so that vegeta
// does not steer the versions of the product.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"thalas/e2e/process"
)

// Exit statuses.
const (
	exitGood     = 0
	exitFailures = 1 // a request or a check failed, or the measurement could not be made
	exitUsage    = 2
)

type options struct {
	closed, open, warmup, delay time.Duration
	rounds, connections, rate   int
	soak, body                  int
	only, binary                string
	environ                     []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var err error
	if len(args) == 2 && (args[0] == "stub" || args[0] == "bare") {
		err = child(ctx, args[0], args[1], stdout)
	} else {
		o, mistake := parseOptions(args, stderr)
		if errors.Is(mistake, flag.ErrHelp) {
			return exitGood
		}
		if mistake != nil {
			fmt.Fprintln(stderr, "Error:", mistake)
			return exitUsage
		}
		err = measure(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "Error:", err)
		return exitFailures
	}
	return exitGood
}

func parseOptions(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.closed, "closed", 10*time.Second, "length of a round of the closed loop; 0: leave it out")
	flags.DurationVar(&o.open, "open", 15*time.Second, "length of a round at a fixed rate; 0: leave it out")
	flags.IntVar(&o.soak, "soak", 50_000, "requests of the soak; 0: leave it out")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "closed loop before a server's first round, not measured")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of the closed loop and of the fixed rate; bare and thalas take turns")
	flags.IntVar(&o.connections, "connections", 64, "keep-alive connections")
	flags.IntVar(&o.rate, "rate", 300, "questions a second at the fixed rate")
	flags.DurationVar(&o.delay, "delay", 50*time.Millisecond, "time that the providers take at the fixed rate")
	flags.IntVar(&o.body, "body", 0, "`bytes` that each question has at least; 0: the usual 3,000")
	flags.StringVar(&o.only, "only", "", "measure one `program`: bare or thalas")
	flags.StringVar(&o.binary, "binary", "", "the server's `program`; else ./cmd/thalas is built")
	flags.Func("env", "`NAME=value` for the server; may be repeated", func(pair string) error {
		if name, _, found := strings.Cut(pair, "="); !found || name == "" {
			return errors.New("want NAME=value")
		}
		o.environ = append(o.environ, pair)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", flags.Arg(0))
	case o.closed < 0, o.open < 0, o.warmup < 0, o.delay < 0, o.soak < 0:
		err = errors.New("durations and counts must not be below 0")
	case o.body < 0, o.body > mostBody:
		err = fmt.Errorf("want a body of 0 to %d bytes", mostBody)
	case o.rounds < 1, o.connections < 1, o.connections > maxOpen:
		err = fmt.Errorf("want at least 1 round and 1 to %d connections", maxOpen)
	case o.rate < 1, o.rate > 100_000:
		err = errors.New("want a rate of 1 to 100000")
	case o.only != "" && o.only != "bare" && o.only != "thalas":
		err = fmt.Errorf("--only %q is neither bare nor thalas", o.only)
	}
	return o, err
}

// child is the stub with a delay, or the bare program with the stub's URL. It serves
// until ctx ends, or until its standard input does, which ends with its parent.
func child(ctx context.Context, name, setting string, stdout io.Writer) error {
	handler := newBare(setting).handler()
	if name == "stub" {
		delay, err := time.ParseDuration(setting)
		if err != nil {
			return err
		}
		if handler, err = newStub(delay); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	process.Announce(stdout, listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
