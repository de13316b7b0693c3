package main

// thalas serve, and the HTTP server of every command that serves: where it may
// listen, its time limits, and how it shuts down. Before it stops listening, /readyz tells
// load balancers that it ends, so that they send it no more questions.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/store/bolt"
	"thalas/internal/watch"
)

const sweepEvery = 10 * time.Minute

func newServe(t terminal) *cobra.Command {
	var flags settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the HTTP API, and keep its results",
		Long: `Serve the HTTP API on this machine. Results, counters and claims are kept in one file, or in
the DynamoDB tables that RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE name.

Without API_KEYS it listens on loopback only. After a signal (Ctrl-C) it takes no new
questions, and ends when the runs under way are finished, stored and answered. If a load
balancer asks /readyz, that reports the end 5 s before. Exit code 0 means that everything
was answered and stored.`,
		Example: `  thalas serve
  thalas serve --listen 127.0.0.1:9000 --data-file ./thalas.db --simulate auto`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, stop, err := flags.newApp(t, logger)
			if err != nil {
				return err
			}
			defer stop()
			return serve(cmd.Context(), t, a, nil)
		},
	}
	flags.listenFlag(cmd)
	flags.dataFileFlag(cmd)
	flags.simulateFlag(cmd, simulateUsage)
	return cmd
}

// errDone ends a server whose work is done. It ends as after a signal.
var errDone = errors.New("done")

// serve answers until ctx ends, and then until the runs under way have ended. visit is
// called when the server answers, with its URL. An error of visit ends the server. It may
// be nil.
func serve(ctx context.Context, t terminal, a *app.App, visit func(context.Context, string, *service.Service) error) (err error) {
	if err := checkListen(a.Config); err != nil {
		return err
	}
	store, err := openStore(ctx, t, a, bolt.Options{SweepEvery: sweepEvery, Log: a.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Store.Close()) }()
	listener, err := net.Listen("tcp", a.Config.ListenAddr)
	if err != nil {
		return fmt.Errorf("cannot listen at %s: %w; choose another address by LISTEN_ADDR, such as 127.0.0.1:0 for a free port", a.Config.ListenAddr, err)
	}
	url := urlOf(listener.Addr())
	if store.file != nil {
		if err := store.file.Announce(url, store.token); err != nil { // for other commands
			return errors.Join(err, listener.Close())
		}
	}
	collectLess(t.environ)
	sayServing(t.err, a, listener.Addr(), url, store.name)
	announce(t, a)
	fmt.Fprintf(t.err, "Open the page in a browser: %s/\n", url)

	ctx, end := context.WithCancelCause(ctx)
	var visiting sync.WaitGroup
	service := a.NewService(store.Store, versionText())
	if visit != nil {
		visiting.Go(func() {
			if err := visit(ctx, url, service); err != nil {
				end(err)
			}
		})
	}
	visiting.Go(func() { a.SettleRegularly(ctx, service) })
	ready := &readiness{clock: t.clock}
	handler := ready.bound(a.NewHandler(service, ready.ready))
	if store.file != nil {
		handler = &localServer{openedStore: store, app: a, service: service, next: handler}
	}
	err = answer(ctx, t.err, listener, newServer(handler, a.Log), ready, service.Wait)
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

const (
	// drainTime is how long runs may go on after a signal: the longest run, and the time to
	// store and answer it.
	drainTime = orchestrator.MaxTimeout + 10*time.Second

	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second
	answerTimeout = bodyTimeout + drainTime + 10*time.Second // of the whole exchange, a slow reader included
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// checkListen refuses an address that other machines can reach, if no API keys are
// configured. A name may stand for any address, so localhost is the only allowed name.
func checkListen(c config.Config) error {
	host, port, err := net.SplitHostPort(c.ListenAddr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return usagef("--listen %q is not host:port, such as 127.0.0.1:8787", c.ListenAddr)
	}
	ip := net.ParseIP(host)
	if strings.EqualFold(host, "localhost") || ip.IsLoopback() || len(c.APIKeys) > 0 {
		return nil
	}
	return usagef("%s can be reached by others, and no API_KEYS are set: listen on 127.0.0.1, or set API_KEYS to the SHA-256 of the keys that callers send (printf %%s KEY | sha256sum)", c.ListenAddr)
}

// urlOf gives the URL at which this machine reaches a listener.
func urlOf(addr net.Addr) string {
	at := *addr.(*net.TCPAddr) // a TCP listener has no other
	if isUnspecified(addr) {
		at.IP = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + net.JoinHostPort(at.IP.String(), strconv.Itoa(at.Port))
}

// isUnspecified reports whether a listener takes connections at every address.
func isUnspecified(addr net.Addr) bool { return addr.(*net.TCPAddr).IP.IsUnspecified() }

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout + bodyTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// answer serves until ctx ends, and then until all requests and runs have ended. When a
// caller goes away, its connection is closed but its run goes on: runs waits for such
// runs.
func answer(ctx context.Context, says io.Writer, listener net.Listener, server *http.Server, ready *readiness, runs func(context.Context) error) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, drained(server, time.Now().Add(drainTime), runs))
	case <-ctx.Done():
	}
	endBy := time.Now().Add(drainTime)
	if errors.Is(context.Cause(ctx), context.Canceled) { // it is a signal; an error is reported by the caller
		ready.linger(says)
		fmt.Fprintln(says, "Ending: no new questions are taken; runs in flight are finished and stored. Ctrl-C again ends at once.")
	}
	err := drained(server, endBy, runs)
	<-failed // http.ErrServerClosed
	return err
}

// drained waits for the requests and runs that are under way.
func drained(server *http.Server, endBy time.Time, runs func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(context.Background(), endBy)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), runs(ctx))
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("not everything ended within %s: a request that was still under way is not answered, and its run may not be stored", drainTime), server.Close())
	}
	return err
}

const (
	// lingerTime is how long a server goes on answering after /readyz says that it ends.
	lingerTime = 5 * time.Second
	// lookedLately is how long after a request of /readyz another one is expected.
	lookedLately = time.Minute
)

// readiness says whether a server takes questions.
type readiness struct {
	clock watch.Clock

	mu     sync.Mutex
	looked time.Time // the last request of /readyz; guarded by mu
	endsBy time.Time // when the server will have ended; zero: it does not end yet; guarded by mu
}

// ready reports whether questions are taken, and remembers when it was called.
func (r *readiness) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looked = r.clock.Now()
	return r.endsBy.IsZero()
}

// linger makes /readyz say that the server ends. If /readyz was requested recently, it
// waits for lingerTime, in which questions are still answered, so that a load balancer
// notices.
func (r *readiness) linger(says io.Writer) {
	r.mu.Lock()
	r.endsBy = time.Now().Add(drainTime)
	wait := !r.looked.IsZero() && r.clock.Now().Sub(r.looked) <= lookedLately
	r.mu.Unlock()
	if wait {
		fmt.Fprintf(says, "Ending in %s: /readyz says so to the load balancer that asks it. Ctrl-C again ends at once.\n", lingerTime)
		_ = r.clock.Sleep(context.Background(), lingerTime)
	}
}

// bound gives requests that come while the server ends a deadline: endsBy.
func (r *readiness) bound(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		endsBy := r.endsBy
		r.mu.Unlock()
		if !endsBy.IsZero() {
			const toAnswer = time.Second
			ctx, cancel := context.WithDeadline(request.Context(), endsBy.Add(-toAnswer))
			defer cancel()
			request = request.WithContext(ctx)
		}
		handler.ServeHTTP(w, request)
	})
}
