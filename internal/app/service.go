package app

// The service over a store, its HTTP handler, the watch list and its rounds, and the Lambda
// functions that answer by them.

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"thalas/internal/api"
	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/watch"
)

const day = 24 * time.Hour

// NewService builds the use cases over a store.
func (a *App) NewService(s store.Store, version string) *service.Service {
	c := a.Config
	callers := map[string]bool{} // letter case and surrounding space make no other caller
	for _, key := range c.APIKeys {
		callers[strings.ToLower(strings.TrimSpace(key))] = true
	}
	notes, _ := s.(store.Notes) // the embedded file has none: one process has it
	return service.New(service.Options{
		Orchestrator: a.Orchestrator, Registry: a.Registry, Store: s,
		Simulated: a.Simulated, MinProviders: c.MinProviders, Version: version,
		MaxConcurrentRuns: c.MaxRuns, Callers: len(callers),
		ResultRetention: time.Duration(c.ResultDays) * day, MetricsRetention: time.Duration(c.MetricsDays) * day,
		DailyBudgetUSD: c.DailyBudget, RequestBudgetUSD: c.RequestBudget, RoundTripCost: c.RoundTripCost,
		Logger:  a.Log,
		Prepare: a.Prepare, Keyless: c.OnLambda && c.SecretID == "",
		Frozen: c.OnLambda,
		Meter:  a.Metrics,

		ShareVotes: c.ShareVotes, Notes: notes,
	})
}

// SettleRegularly calls SettleDue at once and then every few minutes, until ctx ends.
func (a *App) SettleRegularly(ctx context.Context, s *service.Service) {
	ticker := time.NewTicker(5 * time.Minute)
	defer ticker.Stop()
	for {
		a.SettleDue(ctx, s)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// SettleDue settles what is due by the candles of SETTLE_VENUES, unless a process has done
// so within this hour. It does nothing if no venues are configured. Errors are logged.
func (a *App) SettleDue(ctx context.Context, s *service.Service) {
	if len(a.Config.SettleVenues) == 0 {
		return
	}
	source, err := a.Venue(a.Config.SettleVenues...)
	if err == nil {
		err = s.SettleHourly(ctx, service.FromVenue(source))
	}
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("Results not settled:", slog.String("error", err.Error()))
	}
}

// NewHandler builds the HTTP handler of a service. A server passes ready, which says
// whether it takes questions; its handler also has the pages for people. With a nil ready
// the handler answers a command line in the same process, and tells it the causes of
// problems.
func (a *App) NewHandler(s *service.Service, ready func() bool) http.Handler {
	isServer := ready != nil
	return api.New(s, api.Options{
		APIKeys: a.Config.APIKeys, Page: isServer, Docs: isServer, Ready: ready, Local: isServer && len(a.Config.APIKeys) == 0,
		Version: s.Version, Logger: a.Log, Causes: !isServer,
	})
}

// shortestScheduled is the shortest timeframe for the scheduler of AWS, which is precise
// to the minute and may be a minute late.
const shortestScheduled signal.Timeframe = "5m"

// scheduleReserve is the part of an invocation's time that a round keeps beside its last
// run: for the run's own reserve, the steps before the run, and the answer.
const scheduleReserve = lambdaReserve + time.Second

// NewWatcher builds the watcher that asks about the series of a watch list.
func (a *App) NewWatcher(s *service.Service) *watch.Watcher {
	check := func(p orchestrator.Policy) error {
		_, err := a.Orchestrator.CheckPolicy(p)
		return err
	}
	o := watch.Options{
		Asker: s, Check: check, Candles: a.Venue, Timeout: a.Config.Timeout,
		AtOnce: a.Config.MaxRuns, Simulated: a.Simulated, Counter: a.Metrics, Logger: a.Log,
	}
	if a.Config.OnLambda {
		o.Reserve, o.Shortest = scheduleReserve, shortestScheduled
	}
	return watch.New(o)
}

// WatchList reads the configured watch list, which is JSON or the path of a file with
// JSON. It gives the empty List if none is configured.
func WatchList(c config.Config) (watch.List, error) {
	if c.Watchlist == "" {
		return watch.List{}, nil
	}
	list, err := ReadWatchList(c.Watchlist)
	if err != nil {
		return list, fmt.Errorf("WATCHLIST: %w", err)
	}
	return list, nil
}

// ReadWatchList reads a watch list from a text, which is JSON or the path of a file.
func ReadWatchList(text string) (watch.List, error) {
	if strings.HasPrefix(strings.TrimLeft(text, "\ufeff \t\r\n"), "{") {
		return watch.ParseList([]byte(text))
	}
	content, err := os.ReadFile(text)
	if err != nil {
		return watch.List{}, fmt.Errorf("the watch list can't be read: %w; give JSON that begins with a brace, or the path of a file", err)
	}
	list, err := watch.ParseList(content)
	if err != nil {
		err = fmt.Errorf("the watch list %s: %w", text, err)
	}
	return list, err
}

// Watched gives the series of a watch list for [service.Service.Watch].
func Watched(list watch.List) []service.Watched {
	watched := make([]service.Watched, len(list.Series))
	for i, one := range list.Series {
		watched[i] = service.Watched{Pair: one.Pair, Timeframe: one.Timeframe}
	}
	return watched
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
	tables, err := a.OpenTables()
	if err != nil {
		return nil, err
	}
	standing, err := WatchList(c)
	if err != nil {
		return nil, err
	}
	s := a.NewService(tables, version)
	if c.Role == "schedule" {
		return a.schedule(s, standing), nil
	}
	s.Watch(Watched(standing))
	return gateway.Handler(api.New(s, api.Options{Caller: gateway.Caller, Page: true, Version: version, Logger: log})), nil
}

// Schedule handles an event of the schedule, and gives the summary of its round. It gives
// an error if the event is wrong, or if asking again about the same candles may help. Then
// AWS sends the event once more; series that were decided are not asked about again.
type Schedule func(ctx context.Context, event json.RawMessage) (watch.Summary, error)

func (a *App) schedule(s *service.Service, standing watch.List) Schedule {
	w := a.NewWatcher(s)
	return func(ctx context.Context, event json.RawMessage) (watch.Summary, error) {
		at, list, err := watch.ParseEvent(event, standing)
		if err != nil {
			return watch.Summary{}, fmt.Errorf("the event is wrong: %w", err)
		}
		summary, err := w.Round(ctx, at, list)
		if err != nil {
			return watch.Summary{}, fmt.Errorf("the watch list is wrong: %w", err)
		}
		if deadline, ok := ctx.Deadline(); ok { // the answer must not be late
			var settled context.CancelFunc
			ctx, settled = context.WithDeadline(ctx, deadline.Add(-scheduleReserve))
			defer settled()
		}
		a.SettleDue(ctx, s)
		return summary, summary.Err()
	}
}
