// Command venue serves made-up candles in the wire formats of all venues, for trying a
// schedule or sam local without a network:
//
//	go run ./e2e/venue -listen 127.0.0.1:9700 -speed 60
//
// It prints the environment variables that make thalas ask it. With -speed 60 the time of
// the candles, which begins at -start, passes a minute in each second. With -faults
// 'kraken=429*;coinbase=html' answers are wrong; -help lists the faults.
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

	"thalas/internal/market/venue"
	"thalas/internal/market/venuetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("venue", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:9700", "host:port to listen on; port 0: any free one")
	speed := flags.Float64("speed", 1, "how many times faster than the wall clock the candles' time passes")
	start := flags.String("start", "", "when the candles' time begins, as 2026-11-23T05:00:00Z; now if empty")
	faults := flags.String("faults", "", "what goes wrong, by venue, as kraken=429,ok;okx=html*: the first request gets the first fault, a * repeats the last one;\nknown are "+strings.Join(venuetest.FaultNames(), ", "))
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not expected: there are flags only, see -help", flags.Arg(0))
	}
	if !(*speed > 0 && *speed <= 1e6) {
		return fmt.Errorf("-speed %v is not above 0 and at most 1000000", *speed)
	}
	begun := time.Now()
	origin := begun
	if *start != "" {
		var err error
		if origin, err = time.Parse(time.RFC3339, *start); err != nil {
			return fmt.Errorf("-start %q is not a time such as 2026-11-23T05:00:00Z", *start)
		}
	}
	handler := venuetest.New(func() time.Time {
		return origin.Add(time.Duration(float64(time.Since(begun)) * *speed))
	})
	if err := handler.Play(*faults); err != nil {
		return fmt.Errorf("-faults: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	for _, name := range venue.Names() {
		fmt.Fprintf(stdout, "export %s_BASE_URL=http://%s/%s\n", strings.ToUpper(name), listener.Addr(), name)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
