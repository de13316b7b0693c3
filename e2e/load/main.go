package main

// The command line: the measurement itself, and its two children.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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
	var err error
	if len(args) == 3 && (args[0] == "stub" || args[0] == "bare") {
		err = child(ctx, args[0], args[1], args[2])
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

// child is the stub with a delay, or the bare program over the stub's URL. It
// serves until ctx ends, or its parent does and with it the standard input.
func child(ctx context.Context, name, address, setting string) error {
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}
