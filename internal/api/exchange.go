package api

// The way of every request, whatever its route: an id, a guard against panics,
// access, and answers in our own shape where the mux would give plain text.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"

	"thalas/internal/strictjson"
)

const requestIDHeader = "X-Request-Id"

// exchange is one request with what belongs to it.
type exchange struct {
	server *server
	id     string // the request id
	caller string // the hash of the key, what Options.Caller gives, or local
	keyed  bool   // caller is the hash of a key
	w      *responseWriter
	r      *http.Request
}

type exchangeKey struct{}

// exchangeOf gives the exchange that a context belongs to.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, id: requestID(r), caller: "local", w: &responseWriter{ResponseWriter: w}}
	x.r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	header := w.Header()
	header.Set(requestIDHeader, x.id)
	header.Set("Cache-Control", "no-store") // until somebody knows better
	header.Set("X-Content-Type-Options", "nosniff")
	x.boundBody()
	defer x.recover()
	if problem := s.admit(x); problem != nil {
		x.write(problem)
		return
	}
	if s.options.Caller != nil {
		if caller := s.options.Caller(r.Context()); caller != "" {
			x.caller = caller
		}
	}
	s.route(x)
}

// callerAttr names the caller in the log, where callers have keys. The first digits
// of a key's hash tell callers apart and give nothing away.
func (x *exchange) callerAttr() []slog.Attr {
	if !x.keyed {
		return nil
	}
	const shown = 8
	return []slog.Attr{slog.String("caller", x.caller[:shown])}
}

// route hands the request to its operation. The mux would answer what it does
// not know in plain text, and redirect paths that are not clean.
func (s *server) route(x *exchange) {
	if p := x.r.URL.Path; p != "/" && path.Clean(p) != strings.TrimSuffix(p, "/") {
		x.write(unknownRoute.problem("There is nothing at this path: it has empty or dotted segments."))
		return
	}
	handler, pattern := s.mux.Handler(x.r)
	if pattern != "" {
		s.mux.ServeHTTP(x.w, x.r)
		return
	}
	plain := &discarded{header: http.Header{}}
	handler.ServeHTTP(plain, x.r)
	if plain.status == http.StatusMethodNotAllowed {
		allow := plain.header.Get("Allow")
		x.w.Header().Set("Allow", allow)
		x.write(methodNotAllowed.problem(fmt.Sprintf("%s is not allowed here: send one of %s.", strictjson.Cut(x.r.Method, 20), allow)))
		return
	}
	x.write(unknownRoute.problem("There is no such route: GET /openapi.json lists all."))
}

// recover turns a panic into a 500, unless the handler has answered already or
// wants the connection to break.
func (x *exchange) recover() {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	x.server.log.LogAttrs(x.r.Context(), slog.LevelError, "Handler panicked:", slog.String("request_id", x.id),
		slog.String("method", x.r.Method), slog.String("path", strictjson.Cut(x.r.URL.Path, 200)), slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	if x.w.written {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	x.write(internalError.problem(""))
}

// requestID gives the caller's id if it is safe in a header, a log line and a JSON text,
// and otherwise a new one.
func requestID(r *http.Request) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
	if id := r.Header.Get(requestIDHeader); id != "" && len(id) <= 128 && strings.Trim(id, safe) == "" {
		return id
	}
	return uuid.NewString()
}

// responseWriter remembers whether an answer has begun.
type responseWriter struct {
	http.ResponseWriter
	written bool
}

func (w *responseWriter) WriteHeader(status int) {
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the connection.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// discarded takes an answer of the mux to look at its status.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// writeStatic answers a document that is the same for everybody.
func writeStatic(w http.ResponseWriter, contentType string, document []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(document) // a client that has gone away needs nothing
}
