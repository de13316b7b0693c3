package main

// The command line: the measurement itself, and its two children.

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
	"syscall"
	"time"
)

// Exit statuses.
const (
	exitGood     = 0
	exitFailures = 1 // a request or a check failed, or the measurement could not be made
	exitUsage    = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	child := map[string]func(context.Context, []string, io.Writer) error{"stub": runStub, "bare": runBare}
	var err error
	if len(args) > 0 && child[args[0]] != nil {
		err = child[args[0]](ctx, args[1:], stderr)
	} else {
		err = measure(ctx, args, stdout, stderr)
	}
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitGood
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "Error:", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "Error:", err)
	return exitFailures
}

// measure runs the phases and reports. An error means that something failed, not
// that something was slow.
func measure(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("not done within %v: see --limit", o.limit))
	defer cancel()
	folder, err := os.MkdirTemp("", "thalas-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &bench{options: o, folder: folder, progress: stderr}
	r, err := b.run(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return err
	}
	r.write(stdout)
	if len(r.failures) > 0 {
		return fmt.Errorf("%d failures, listed in the report", len(r.failures))
	}
	return nil
}

// childFlags are what both children know.
func childFlags(name string, stderr io.Writer) (flags *flag.FlagSet, listen *string, bound *bool) {
	flags = flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen = flags.String("listen", "127.0.0.1:9100", "`address` on the loopback")
	bound = flags.Bool("with-parent", false, "end when the standard input is closed")
	return flags, listen, bound
}

func runStub(ctx context.Context, args []string, stderr io.Writer) error {
	flags, listen, bound := childFlags("stub", stderr)
	delay := flags.Duration("delay", 0, "time that every answer takes")
	if err := parse(flags, args); err != nil {
		return err
	}
	s, err := newStub(*delay)
	if err != nil {
		return err
	}
	l, err := listenLocally(*listen)
	if err != nil {
		return err
	}
	return serve(ctx, *bound, l, s)
}

func runBare(ctx context.Context, args []string, stderr io.Writer) error {
	flags, listen, bound := childFlags("bare", stderr)
	upstream := flags.String("upstream", "http://127.0.0.1:9100", "`URL` of the stub")
	if err := parse(flags, args); err != nil {
		return err
	}
	l, err := listenLocally(*listen)
	if err != nil {
		return err
	}
	return serve(ctx, *bound, l, newBare(*upstream).handler())
}

func listenLocally(address string) (net.Listener, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(host).IsLoopback() {
		return nil, usagef("--listen %s is not an address on the loopback, such as 127.0.0.1:9100", address)
	}
	return net.Listen("tcp", address)
}

// serve serves until ctx ends, or the parent of a bound child does.
func serve(ctx context.Context, bound bool, l net.Listener, handler http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if bound {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}
