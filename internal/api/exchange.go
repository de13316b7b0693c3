package api

// What happens to every request, whatever its route: it gets an id, panics are caught, access
// is checked, and errors of the mux get the shape of all others.

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

// exchange is one request and its answer.
type exchange struct {
	server *server
	id     string // the request id
	caller string // the hash of the key, the result of Options.Caller, or "local"
	keyed  bool   // caller is the hash of a key
	w      *responseWriter
	r      *http.Request
}

type exchangeKey struct{}

// exchangeOf gives the exchange of a request's context.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, id: requestID(r), caller: "local", w: &responseWriter{ResponseWriter: w}}
	x.r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	header := w.Header()
	header.Set(requestIDHeader, x.id)
	header.Set("Cache-Control", "no-store") // some routes replace it
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

// callerAttr names a caller with a key in the log. The first digits of the hash distinguish
// callers and do not reveal the key.
func (x *exchange) callerAttr() []slog.Attr {
	if !x.keyed {
		return nil
	}
	const shown = 8
	return []slog.Attr{slog.String("caller", x.caller[:shown])}
}

// route passes the request to its operation. The mux alone would answer in plain text if it
// has no such route, and redirect paths that are not clean.
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

// recover answers a panic with 500. If the answer has begun, or if the handler wants it, the
// connection is aborted instead.
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
		panic(http.ErrAbortHandler) // half of an answer must not look complete
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

// responseWriter records whether an answer has begun.
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

// discarded receives an answer of the mux, of which only status and headers are used.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// writeStatic sends a document that is the same for all callers.
func writeStatic(w http.ResponseWriter, contentType string, document []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(document) // a client that has left needs nothing
}
