package app

// The service over a store, its HTTP handler, and the Lambda function that answers by it.

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"thalas/internal/api"
	"thalas/internal/config"
	"thalas/internal/service"
	"thalas/internal/store"
)

const day = 24 * time.Hour

// NewService builds the use cases over a store.
func (a *App) NewService(s store.Store, version string) *service.Service {
	c := a.Config
	return service.New(service.Options{
		Orchestrator: a.Orchestrator, Registry: a.Registry, Store: s,
		Simulated: a.Simulated, MinProviders: c.MinProviders, Version: version,
		MaxConcurrentRuns: c.MaxRuns, Callers: len(distinct(c.APIKeys)),
		ResultRetention: time.Duration(c.ResultDays) * day, MetricsRetention: time.Duration(c.MetricsDays) * day,
		DailyBudgetUSD: c.DailyBudget, RequestBudgetUSD: c.RequestBudget,
		Logger:  a.log,
		Prepare: a.Prepare, Keyless: c.OnLambda && c.SecretID == "",
		Meter: a.Metrics,
	})
}

// distinct gives the set of texts, without regard to letter case and surrounding space.
func distinct(texts []string) map[string]bool {
	seen := map[string]bool{}
	for _, text := range texts {
		seen[strings.ToLower(strings.TrimSpace(text))] = true
	}
	return seen
}

// NewHandler builds the HTTP handler of a service. A server passes ready, which says
// whether it takes questions; its handler also has the pages for people. With a nil ready
// the handler answers a command line in the same process, and tells it the causes of
// problems.
func (a *App) NewHandler(s *service.Service, ready func() bool) http.Handler {
	isServer := ready != nil
	return api.New(s, api.Options{
		APIKeys: a.Config.APIKeys, Docs: isServer, Ready: ready, Local: isServer && len(a.Config.APIKeys) == 0,
		Version: s.Version, Logger: a.log, Causes: !isServer,
	})
}

// Gateway connects a Lambda function to API Gateway. It is passed in, so that this package
// does not need the library of Lambda.
type Gateway struct {
	Caller  func(context.Context) string // the caller of a request, whose API key is already checked
	Handler func(http.Handler) any       // answers proxy events with an HTTP handler
}

// Function builds the handler of a Lambda function's events: a [Schedule] if
// FUNCTION_ROLE is schedule, and otherwise the HTTP API over the tables, behind the
// gateway. An error means that the configuration is wrong.
func Function(environ []string, version string, log *slog.Logger, gateway Gateway) (any, error) {
	c, err := config.Load(environ, Known())
	if err != nil {
		return nil, err
	}
	for _, warning := range c.Warnings {
		log.Warn("Configuration:", slog.String("warning", warning))
	}
	a, err := New(c, log, nil)
	if err != nil {
		return nil, err
	}
	if c.Role == "schedule" {
		return a.NewSchedule(version)
	}
	tables, err := a.OpenTables()
	if err != nil {
		return nil, err
	}
	s := a.NewService(tables, version)
	return gateway.Handler(api.New(s, api.Options{Caller: gateway.Caller, Version: version, Logger: log})), nil
}
