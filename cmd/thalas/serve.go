package main

// thalas serve: the HTTP API on one machine, until a signal ends it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/service"
)

const sweepEvery = 10 * time.Minute

func newServe(t terminal) *cobra.Command {
	var listen, dataFile, simulate string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the HTTP API, and keep its results",
		Long: `Serve the HTTP API on this machine. Results, counters and claims are kept in one file, or in
the DynamoDB tables that RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE name.

Without API_KEYS it listens on loopback only. After a signal (Ctrl-C) it takes no new
questions, and ends when the runs under way are finished, stored and answered. If a load
balancer asks /readyz, that reports the end 5 s before.

Exit codes: 0 ended by a signal, with everything answered and stored, 2 wrong usage or
configuration, 1 anything else.`,
		Example: `  thalas serve
  thalas serve --listen 127.0.0.1:9000 --data-file ./thalas.db --simulate auto`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseEmpty(cmd); err != nil {
				return err
			}
			c, err := load(t, simulate)
			if err != nil {
				return err
			}
			if listen != "" {
				c.ListenAddr = listen
			}
			if dataFile != "" {
				c.DataFile = dataFile
			}
			return serve(cmd.Context(), t, c, logger(t, c), visitor{})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`address` (default: LISTEN_ADDR, else 127.0.0.1:8787); port 0 takes a free one")
	dataFileFlag(cmd, &dataFile)
	simulateFlag(cmd, &simulate)
	return cmd
}

// serverUp is a running server.
type serverUp struct {
	url     string
	app     *app.App
	service *service.Service
}

// visitor is what a command does with its server besides serving.
type visitor struct {
	// check is called before the store is opened. Its error ends the command. It may be nil.
	check func(*app.App) error
	// visit is called when the server answers. Its error ends the server. It may be nil.
	visit func(context.Context, serverUp) error
}

// errDone ends a server whose work is done. It ends as after a signal.
var errDone = errors.New("done")

// serve answers until ctx ends, and then until the runs under way have ended.
func serve(ctx context.Context, t terminal, c config.Config, log *slog.Logger, v visitor) (err error) {
	if err := checkListen(c); err != nil {
		return err
	}
	simulator := &simulators{}
	defer simulator.close()
	a, err := app.New(c, log, simulator.start)
	if err != nil {
		return err
	}
	if v.check != nil {
		if err := v.check(a); err != nil {
			return err
		}
	}
	store, err := openStore(ctx, t, a, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	listener, err := net.Listen("tcp", c.ListenAddr)
	if err != nil {
		return fmt.Errorf("cannot listen at %s: %w; choose another address by LISTEN_ADDR, such as 127.0.0.1:0 for a free port", c.ListenAddr, err)
	}
	url := urlOf(listener.Addr())
	if err := store.announce(url); err != nil {
		return errors.Join(err, listener.Close())
	}
	collectLess(t.environ)
	sayServing(t.err, a, listener.Addr(), url, store.name)
	announce(t, a)
	fmt.Fprintf(t.err, "Try it in a browser: %s/docs\n", url)

	ctx, end := context.WithCancelCause(ctx)
	var visiting sync.WaitGroup
	service := a.NewService(store, versionText())
	if v.visit != nil {
		visiting.Go(func() {
			if err := v.visit(ctx, serverUp{url, a, service}); err != nil {
				end(err)
			}
		})
	}
	ready := &readiness{clock: t.clock()}
	err = answer(ctx, t.err, listener, newServer(store.localRoutes(service, ready.bound(a.NewHandler(service, ready.ready))), log), ready, service.Wait)
	end(nil) // ends the visit if it has not ended by itself
	visiting.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && cause != errDone {
		err = errors.Join(cause, err)
	}
	return err
}

// collectLess makes the garbage collector run less often. That costs some 20 MB, and saves
// a tenth of the processor time of a run. A soft memory limit, far above the usual need,
// makes it run more often if memory gets scarce. The variables of the Go runtime override
// both.
func collectLess(environ environment) {
	if environ.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if environ.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20)
	}
}

func sayServing(w io.Writer, a *app.App, at net.Addr, url, store string) {
	others := ""
	if isUnspecified(at) {
		others = ", and every other address of this machine"
	}
	fmt.Fprintf(w, "Listening on %s%s\nStore:     %s\n", url, others, store)
	var asked []string
	for _, e := range a.Registry.Available() {
		asked = append(asked, e.Provider.Name()+" ("+e.Provider.Model()+")")
	}
	if len(asked) > 0 {
		fmt.Fprintln(w, "Providers:", strings.Join(asked, ", "))
		return
	}
	fmt.Fprintln(w, "Providers: none. Every question is answered with 503 until one can be asked:")
	for _, line := range unavailable(a) {
		fmt.Fprintln(w, line)
	}
}
