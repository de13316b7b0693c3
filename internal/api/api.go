package api

// The handler and what it is built of.

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"thalas/internal/service"
)

// Limits where the Options give none.
const (
	DefaultMaxBody  = 256 << 10        // bytes
	defaultBodyTime = 10 * time.Second // for a body to arrive
)

// Options are the choices of a handler. The zero Options is a handler without
// keys and pages, for a server that only this machine can reach.
type Options struct {
	APIKeys []string     // SHA-256 of accepted x-api-key values, in hex; empty: no key is needed
	Docs    bool         // serve /docs and /problems/{name}
	Ready   func() bool  // whether questions are taken: serve /livez and /readyz; nil: neither
	Local   bool         // only this machine can reach the server: names of other hosts are refused
	MaxBody int64        // bytes of a request body; 0: DefaultMaxBody
	Version string       // of the program, shown in the OpenAPI document
	Logger  *slog.Logger // nil: no log

	// Caller names who has sent the request of a context, where somebody in front
	// has checked that; nil, or an empty name: as the API keys say.
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

// New makes the handler of every route. Hashes in APIKeys that are no SHA-256
// accept no key, but keys are asked for all the same.
func New(s *service.Service, o Options) http.Handler {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.bodyTime == 0 {
		o.bodyTime = defaultBodyTime
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	setUpHuma()
	srv := &server{service: s, options: o, keys: keyHashes(o.APIKeys), mux: http.NewServeMux(), log: o.Logger}
	srv.huma = humago.New(srv.mux, contract(o.Version))
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
	register(s, s.healthOperation(), s.health)
	register(s, s.metricsOperation(), s.metrics)
	register(s, s.compatAskOperation(), s.compatAsk)
	register(s, s.compatHealthOperation(), s.compatHealth)
	documentSchemas(s.huma.OpenAPI().Components.Schemas)

	document := sync.OnceValues(s.document) // made when first asked for: a cold start does not pay for it
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		asJSON, _ := document()
		writeStatic(w, "application/openapi+json", asJSON)
	})
	s.mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		_, asYAML := document()
		writeStatic(w, "application/openapi+yaml", asYAML)
	})
	if s.options.Docs {
		s.mux.HandleFunc("GET /docs", s.docsPage)
		s.mux.HandleFunc("GET /problems/{name}", s.problemPage)
	}
	if s.options.Ready != nil {
		s.mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) { writeState(w, true) })
		s.mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, _ *http.Request) { writeState(w, s.options.Ready()) })
	}
}

// register adds an operation. Its body is put into the contract afterwards: huma
// would read every body that it knows of, without a limit, before we do.
func register[I, O any](s *server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	body := op.RequestBody
	op.RequestBody = nil
	huma.Register(s.huma, op, handler)
	if body != nil { // only POST has one
		s.huma.OpenAPI().Paths[op.Path].Post.RequestBody = body
	}
}

// setUpHuma puts what huma keeps in global variables to our use, once.
var setUpHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false // our lists are never null
	huma.NewErrorWithContext = refusedByHuma
})
