package watch

// One round: every series of a list, for the candle that had closed at the
// scheduled time.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// atOnce is how many series are asked about at the same time. Each asks every
	// provider, whose rate limits are what bounds it.
	atOnce = 4
	// fetching is what a deadline has to leave for the candles, before the run. Venues
	// that take longer cost their series its run, not its end.
	fetching = time.Second
	// early is how far the clocks of a schedule and of this machine may differ.
	early = time.Minute
)

// Asker answers a question once for each occasion: *service.Service does.
type Asker interface {
	AskOnce(ctx context.Context, occasion string, gather service.Gather) (service.Answer, error)
	// SettleFrom settles earlier results of a series by candles that are at hand.
	SettleFrom(ctx context.Context, series market.Series, candles []signal.Candle, source string) error
}

// Counter is told how each round went.
type Counter interface {
	Round(decided, skipped, failed, notReached int)
}

// Options are the parts of a Watcher. Asker, Check, Candles and Timeout are
// required.
type Options struct {
	Asker   Asker
	Check   func(orchestrator.Policy) error                     // holds a policy against the rules: signal.FieldErrors
	Candles func(venues ...string) (market.CandleSource, error) // the venues to ask, in this order; none: the default ones
	Timeout time.Duration                                       // of a run whose list gives none
	Reserve time.Duration                                       // what a deadline leaves beside the last run, for the writes and the answer

	AtOnce    int              // runs at once that Asker takes; 0: more than a round has
	Simulated bool             // the providers are simulated
	Shortest  signal.Timeframe // the shortest that can be kept up with; empty: any
	Counter   Counter          // may be nil
	Logger    *slog.Logger     // nil: no log
}

// Watcher makes rounds. It is safe for concurrent use.
type Watcher struct {
	Options
	log *slog.Logger
}

// New makes a Watcher.
func New(o Options) *Watcher {
	w := &Watcher{Options: o, log: o.Logger}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	return w
}

// Round asks about the last candle of each series that had closed at the given
// time, unless that was done before. It returns when every series has ended, in
// time for ctx's deadline; what there was no time for is in the summary as
// NotReached. The error is a mistake of the list (signal.FieldErrors) or a time
// that has not come; then nobody was asked.
func (w *Watcher) Round(ctx context.Context, at time.Time, list List) (Summary, error) {
	source, err := w.open(list)
	if err != nil {
		return Summary{}, err
	}
	switch ahead := time.Until(at); {
	case ahead > early:
		return Summary{}, fmt.Errorf("the scheduled time %s is %s ahead: its candles have not closed", at.Format(time.RFC3339), ahead.Round(time.Second))
	case ahead > 0: // by our clock the candles are still open: a venue may give them as they are now
		_ = RealClock{}.Sleep(ctx, ahead) // where that is too long, no series is begun
	}
	return w.round(ctx, at, list, source), nil
}

// round is Round with what was checked before.
func (w *Watcher) round(ctx context.Context, at time.Time, list List, source market.CandleSource) Summary {
	outcomes := make([]Outcome, len(list.Series))
	var group errgroup.Group
	group.SetLimit(atOnce)
	if w.AtOnce > 0 {
		group.SetLimit(min(atOnce, w.AtOnce))
	}
	for i, series := range list.Series {
		group.Go(func() error {
			outcomes[i] = w.one(ctx, at, list, series, source)
			w.log.LogAttrs(ctx, levelOf(outcomes[i].Status), "Series watched:", outcomes[i].attrs()...)
			return nil
		})
	}
	_ = group.Wait() // what failed is in the outcomes
	summary := summaryOf(at, outcomes)
	w.log.LogAttrs(ctx, slog.LevelInfo, "Round ended:", slog.String("time", at.Format(time.RFC3339)),
		slog.Int("decided", summary.Decided), slog.Int("skipped", summary.Skipped), slog.Int("failed", summary.Failed), slog.Int("not_reached", summary.NotReached),
		slog.Float64("cost_usd", summary.CostUSD))
	if w.Counter != nil {
		w.Counter.Round(summary.Decided, summary.Skipped, summary.Failed, summary.NotReached)
	}
	return summary
}

func levelOf(s Status) slog.Level {
	if s == Failed || s == NotReached {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// one asks about one series. A panic costs this series alone.
func (w *Watcher) one(ctx context.Context, at time.Time, list List, series market.Series, source market.CandleSource) (o Outcome) {
	last := series.Timeframe.LastClosed(at)
	o = Outcome{Pair: series.Pair, Timeframe: series.Timeframe, CandleTime: last, Simulated: w.Simulated}
	defer func() {
		if cause := recover(); cause != nil {
			w.log.LogAttrs(ctx, slog.LevelError, "Series panicked:", slog.String("pair", o.Pair.String()), slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			o.failed(errors.New("something unexpected happened: the log has it under \"Series panicked\""))
		}
	}()
	if err := w.enough(ctx, list, fetching); err != nil {
		o.failed(err)
		return o
	}
	var fetched market.Fetched
	answer, err := w.Asker.AskOnce(ctx, occasion(series, last, w.Simulated), func(gathering context.Context) (orchestrator.Request, error) {
		var err error
		if fetched, err = market.Fetch(gathering, source, series, last); err != nil {
			return orchestrator.Request{}, err
		}
		if err := w.enough(ctx, list, 0); err != nil { // the venue took its time
			return orchestrator.Request{}, err
		}
		return question(list, series, last, fetched)
	})
	o.Venue = fetched.Venue
	if len(fetched.Candles) > 0 {
		if err := w.Asker.SettleFrom(ctx, series, fetched.Candles, fetched.Venue); err != nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "Results not settled:", slog.String("series", series.String()), slog.String("error", err.Error()))
		}
	}
	if err != nil {
		o.failed(err)
		return o
	}
	o.decided(answer)
	return o
}

// enough gives errNotReached unless a run that begins after so long can take its
// whole time: one that is cut short is paid for and decides nothing.
func (w *Watcher) enough(ctx context.Context, list List, before time.Duration) error {
	if ctx.Err() == context.Canceled {
		return fmt.Errorf("%w: the round was ended", errNotReached)
	}
	timeout := list.Policy.Timeout
	if timeout == 0 {
		timeout = w.Timeout
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= before+timeout+w.Reserve {
		return fmt.Errorf("%w, the time is up: ask about fewer series, or give less timeout_seconds", errNotReached)
	}
	return nil
}

// occasion names what is asked about once: a candle of a series.
func occasion(series market.Series, last time.Time, simulated bool) string {
	return "schedule#" + store.SeriesKey(series.Pair.String(), string(series.Timeframe), simulated) + "#" + last.Format(time.RFC3339)
}

// question is what the models are asked about: the candles, with the last close as the price.
func question(list List, series market.Series, last time.Time, fetched market.Fetched) (orchestrator.Request, error) {
	candles := fetched.Candles
	if n := len(candles); n == 0 || candles[n-1].Time.Before(last) {
		return orchestrator.Request{}, fmt.Errorf("%w of %s that opened at %s at %s: nothing was traded, the venue is late, or the clock here is ahead of its", errNoCandle, series, last.Format(time.RFC3339), fetched.Venue)
	}
	return orchestrator.Request{
		Pair: series.Pair, Timeframe: series.Timeframe, CurrentPrice: candles[len(candles)-1].Close,
		MarketData: signal.MarketData{Candles: candles}, Policy: list.Policy,
	}, nil
}

// Check holds a list against what is known of providers and venues, and asks nobody.
// The error is signal.FieldErrors and names every mistake.
func (w *Watcher) Check(list List) error {
	_, err := w.open(list)
	return err
}

// open holds a list against what is known of providers and venues, and gives the
// source of its candles. The error is signal.FieldErrors and names every mistake.
func (w *Watcher) open(list List) (market.CandleSource, error) {
	var mistakes signal.FieldErrors
	if len(list.Series) == 0 {
		return nil, signal.FieldErrors{{Field: "pairs", Message: "is missing or empty: give at least one"}}
	}
	for _, s := range list.Series {
		if shortest := w.Shortest.Duration(); s.Timeframe.Duration() < shortest {
			mistakes = append(mistakes, &signal.FieldError{Field: "timeframes", Message: fmt.Sprintf("has %s, which the schedule can't keep up with, it is minute-precise: the shortest is %s", s.Timeframe, w.Shortest)})
			break
		}
	}
	var found signal.FieldErrors
	if err := w.Options.Check(list.Policy); errors.As(err, &found) {
		mistakes = append(mistakes, found...)
	} else if err != nil {
		return nil, err
	}
	source, err := w.Candles(list.Venues...)
	if err != nil {
		mistakes = append(mistakes, &signal.FieldError{Field: "venue", Message: err.Error()})
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return source, nil
}
