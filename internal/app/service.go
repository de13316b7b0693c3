package app

// From a running orchestrator to the service and its HTTP handler.

import (
	"net/http"
	"time"

	"thalas/internal/api"
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
		MaxConcurrentRuns: c.MaxRuns,
		ResultRetention:   time.Duration(c.ResultDays) * day, MetricsRetention: time.Duration(c.MetricsDays) * day,
		DailyBudgetUSD: c.DailyBudget, RequestBudgetUSD: c.RequestBudget,
		Logger:  a.log,
		Prepare: a.Prepare, KeysElsewhere: c.OnLambda && c.SecretID == "",
		Meter: a.Metrics,
	})
}

// NewHandler builds the HTTP handler of a service. docs adds the pages for
// people, which only a server of one's own has.
func (a *App) NewHandler(s *service.Service, docs bool) http.Handler {
	return api.New(s, api.Options{APIKeys: a.Config.APIKeys, Docs: docs, Local: docs && len(a.Config.APIKeys) == 0, Version: s.Version, Logger: a.log})
}
