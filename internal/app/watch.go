package app

// The watch list, and the rounds that the clock starts.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"thalas/internal/config"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/watch"
)

// shortestScheduled is the shortest timeframe for the scheduler of AWS, which is precise
// to the minute and may be a minute late.
const shortestScheduled signal.Timeframe = "5m"

// scheduleReserve is the part of an invocation's time that a round keeps beside its last
// run: for the run's own reserve, the steps before the run, and the answer.
const scheduleReserve = lambdaReserve + time.Second

// NewWatcher builds the watcher that asks about the series of a watch list.
func (a *App) NewWatcher(s *service.Service) *watch.Watcher {
	o := watch.Options{
		Asker: s, Check: a.Orchestrator.Check, Candles: a.Venue, Timeout: a.Config.Timeout,
		AtOnce: a.Config.MaxRuns, Simulated: a.Simulated, Counter: a.Metrics, Logger: a.log,
	}
	if a.Config.OnLambda {
		o.Reserve, o.Shortest = scheduleReserve, shortestScheduled
	}
	return watch.New(o)
}

// CheckWatchList checks a list against the known providers and venues. The error is
// signal.FieldErrors with every mistake.
func (a *App) CheckWatchList(list watch.List) error { return a.NewWatcher(nil).Check(list) }

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

// Schedule handles an event of the schedule, and gives the summary of its round. It gives
// an error if the event is wrong, or if asking again about the same candles may help. Then
// AWS sends the event once more; series that were decided are not asked about again.
type Schedule func(ctx context.Context, event json.RawMessage) (watch.Summary, error)

// NewSchedule builds the Schedule of a Lambda function, over the tables.
func (a *App) NewSchedule(version string) (Schedule, error) {
	standing, err := WatchList(a.Config)
	if err != nil {
		return nil, err
	}
	tables, err := a.OpenTables()
	if err != nil {
		return nil, err
	}
	w := a.NewWatcher(a.NewService(tables, version))
	return func(ctx context.Context, event json.RawMessage) (watch.Summary, error) {
		at, list, err := watch.ParseEvent(event, standing)
		if err != nil {
			return watch.Summary{}, fmt.Errorf("the event is wrong: %w", err)
		}
		summary, err := w.Round(ctx, at, list)
		if err != nil {
			return watch.Summary{}, fmt.Errorf("the watch list is wrong: %w", err)
		}
		return summary, summary.Err()
	}, nil
}
