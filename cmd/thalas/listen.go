package main

// The HTTP server around the API's handler: where it may listen, how long a
// connection may take, and how it ends.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"thalas/internal/config"
	"thalas/internal/orchestrator"
)

const (
	// drainTime is what runs in flight have after a signal: the longest run, and
	// what it takes to store and answer it.
	drainTime = orchestrator.MaxTimeout + 10*time.Second

	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second
	answerTimeout = bodyTimeout + drainTime + 10*time.Second // of the whole exchange, a slow reader included
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// checkListen refuses to be reachable by others without keys. A name may stand
// for any address, so of names only localhost is taken.
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

// urlOf is where this machine reaches a listener.
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
	errorLog := slog.DiscardHandler
	if log != nil {
		errorLog = log.Handler()
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout + bodyTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(errorLog, slog.LevelWarn),
	}
}

// answer serves until ctx ends, and then until every request and run in flight
// has come to its end. A caller who went away has closed its connection, but not
// its run: runs waits for those.
func answer(ctx context.Context, says io.Writer, listener net.Listener, server *http.Server, ready *readiness, runs func(context.Context) error) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, drained(server, time.Now().Add(drainTime), runs))
	case <-ctx.Done():
	}
	endBy := time.Now().Add(drainTime)
	if errors.Is(context.Cause(ctx), context.Canceled) { // a signal, not an error that is told elsewhere
		ready.linger(says)
		fmt.Fprintln(says, "Ending: no new questions are taken; runs in flight are finished and stored. Ctrl-C again ends at once.")
	}
	err := drained(server, endBy, runs)
	<-failed // http.ErrServerClosed
	return err
}

// drained waits for what is under way.
func drained(server *http.Server, endBy time.Time, runs func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(context.Background(), endBy)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), runs(ctx))
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("not everything ended within %s: a request that was still under way is not answered, and its run may not be stored", drainTime), server.Close())
	}
	return err
}
