package app

// From a running orchestrator to the service and its HTTP handler.

import (
	"net/http"
	"strings"
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
