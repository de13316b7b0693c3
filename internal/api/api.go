package api

// The handler and its routes.

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"thalas/internal/page"
	"thalas/internal/service"
)

// Limits that apply unless the Options have others.
const (
	DefaultMaxBody  = 256 << 10        // bytes
	defaultBodyTime = 10 * time.Second // for a body to arrive
)

// Options are the choices of a handler. The zero Options make a handler without keys and
// pages, for a server that only this machine can reach.
type Options struct {
	APIKeys []string     // SHA-256 of accepted x-api-key values, in hex; empty: no key is needed
	Page    bool         // serve the page at / and /ui/{file}
	Docs    bool         // serve /docs and /problems/{name}
	Ready   func() bool  // whether the server accepts questions; nil: /livez and /readyz do not exist
	Local   bool         // only this machine can reach the server: requests to other host names are refused
	MaxBody int64        // bytes of a request body; 0: DefaultMaxBody
	Version string       // of the program, shown in the OpenAPI document
	Logger  *slog.Logger // nil: no log
	Causes  bool         // problems include their cause, which may name files and tables: only for the user who runs this program

	// Caller gives the sender of a request if a gateway in front has checked that. If it is
	// nil or gives an empty name, the API key identifies the sender.
	Caller func(context.Context) string

	bodyTime time.Duration // for a body to arrive; 0: defaultBodyTime
}

// server answers requests. It is safe for concurrent use.
type server struct {
	service *service.Service
	options Options
	keys    []keyHash
	guesses guesses // of keys
	origins http.CrossOriginProtection
	mux     *http.ServeMux
	huma    huma.API
	log     *slog.Logger
}

// New makes the handler of all routes. A hash in APIKeys that is not a SHA-256 accepts no
// key, but keys are still required.
func New(s *service.Service, o Options) http.Handler {
	o.MaxBody, o.bodyTime = cmp.Or(o.MaxBody, DefaultMaxBody), cmp.Or(o.bodyTime, defaultBodyTime)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setUpHuma()
	srv := &server{service: s, options: o, keys: keyHashes(o.APIKeys), mux: http.NewServeMux(), log: o.Logger}
	srv.huma = humago.New(srv.mux, contract(cmp.Or(o.Version, "dev")))
	srv.routes()
	return srv
}

// routes lists every route.
func (s *server) routes() {
	register(s, s.askOperation(), s.ask)
	register(s, s.latestOperation(), s.latest)
	register(s, s.showOperation(), s.show)
	register(s, s.historyOperation(), s.history)
	register(s, s.replayOperation(), s.replay)
	register(s, s.outcomesOperation(), s.outcomes)
	register(s, s.scoreboardOperation(), s.scoreboard)
	register(s, s.seriesOperation(), s.series)
	register(s, s.healthOperation(), s.health)
	register(s, s.metricsOperation(), s.metrics)
	register(s, s.compatAskOperation(), s.compatAsk)
	register(s, s.compatHealthOperation(), s.compatHealth)
	documentSchemas(s.huma.OpenAPI().Components.Schemas)

	document := sync.OnceValues(s.document) // made at the first request, which keeps a cold start short
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		asJSON, _ := document()
		writeStatic(w, "application/openapi+json", asJSON)
	})
	s.mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		_, asYAML := document()
		writeStatic(w, "application/openapi+yaml", asYAML)
	})
	if s.options.Page {
		pages := page.Handler()
		s.mux.Handle("GET /{$}", pages)
		s.mux.Handle("GET "+pageFiles+"{file}", pages)
	}
	if s.options.Docs {
		s.mux.HandleFunc("GET /docs", s.docsPage)
		s.mux.HandleFunc("GET /problems/{name}", s.problemPage)
	}
	if s.options.Ready != nil {
		s.mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) { writeState(w, true) })
		s.mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, _ *http.Request) { writeState(w, s.options.Ready()) })
	}
}

// register adds an operation. Its body is added to the contract afterwards, because huma
// reads every body in the contract itself, without a limit.
func register[I, O any](s *server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	body := op.RequestBody
	op.RequestBody = nil
	huma.Register(s.huma, op, handler)
	if body != nil { // only POST has one
		s.huma.OpenAPI().Paths[op.Path].Post.RequestBody = body
	}
}

// setUpHuma sets the global variables of huma, once.
var setUpHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false // our lists are never null
	huma.NewErrorWithContext = refusedByHuma
})
