package app

// From a running orchestrator to the service and its HTTP handler.

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

// distinct gives the texts that differ in more than their case and white space.
func distinct(texts []string) map[string]bool {
	seen := map[string]bool{}
	for _, text := range texts {
		seen[strings.ToLower(strings.TrimSpace(text))] = true
	}
	return seen
}

// NewHandler builds the HTTP handler of a service. ready says whether questions are
// taken; it is nil but for a server of one's own, which also has the pages for people;
// without it, it answers the command line in this process, which is told the causes of problems.
func (a *App) NewHandler(s *service.Service, ready func() bool) http.Handler {
	own := ready != nil
	return api.New(s, api.Options{APIKeys: a.Config.APIKeys, Docs: own, Ready: ready, Local: own && len(a.Config.APIKeys) == 0, Version: s.Version, Logger: a.log, Causes: !own})
}

// Gateway is how a Lambda function meets API Gateway. It is passed in, so that this
// package does not need the library of Lambda.
type Gateway struct {
	Caller  func(context.Context) string // who has sent the request of a context: its key is checked already
	Handler func(http.Handler) any       // answers proxy events by HTTP requests
}

// Function builds what answers the events of a Lambda function: the Schedule where
// FUNCTION_ROLE says so, otherwise the HTTP API over the tables, behind the gateway.
// An error means that it is set up wrongly.
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
