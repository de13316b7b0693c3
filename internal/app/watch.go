package app

// From a service to the rounds that are made by the clock.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/watch"
)

// shortestScheduled is the shortest timeframe that the scheduler of AWS can keep
// up with: it is minute-precise and up to a minute late.
const shortestScheduled signal.Timeframe = "5m"

// scheduleReserve is what a round leaves of an invocation's time beside the last
// run: the reserve of that, what comes between candles and run, and the answer.
const scheduleReserve = lambdaReserve + time.Second

// NewWatcher builds what asks about a watch list.
func (a *App) NewWatcher(s *service.Service) *watch.Watcher {
	o := watch.Options{
		Asker: s, Check: a.checkPolicy, Candles: a.Venue, Timeout: a.Config.Timeout,
		AtOnce: a.Config.MaxRuns, Simulated: a.Simulated, Counter: a.Metrics, Logger: a.log,
	}
	if a.Config.OnLambda {
		o.Reserve, o.Shortest = scheduleReserve, shortestScheduled
	}
	return watch.New(o)
}

func (a *App) checkPolicy(p orchestrator.Policy) error {
	_, err := a.Orchestrator.CheckPolicy(p)
	return err
}

// CheckWatchList holds a list against what is known of providers and venues. The
// error is signal.FieldErrors and names every mistake.
func (a *App) CheckWatchList(list watch.List) error { return a.NewWatcher(nil).Check(list) }

// WatchList reads the configured watch list: JSON, or the path of a file that
// holds it. The empty List where none is configured.
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

// ReadWatchList reads a watch list from JSON or from the file of that path.
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

// Schedule answers an event of the schedule with what became of its round.
type Schedule func(ctx context.Context, event json.RawMessage) (watch.Summary, error)

// NewSchedule builds the Lambda function of the clock, over the tables. It gives
// an error where the event is wrong, and where asking again about the same candles
// may help: then the event is sent once more, and what was decided is not asked
// again.
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
