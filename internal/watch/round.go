package watch

// A round asks about every series of a list, for the candle that had closed at the
// scheduled time.

import (
	"cmp"
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
	// mostAtOnce is how many series are asked about at the same time. Each asks every
	// provider, so the rate limits of the providers bound it.
	mostAtOnce = 4
	// fetchTime is the time that a deadline has to leave for fetching the candles, before
	// the run. If a venue takes longer, the series is not asked about.
	fetchTime = time.Second
	// mostAhead is how far the clock of a schedule may be ahead of the clock here.
	mostAhead = time.Minute
)

// Asker answers a question once for each occasion. [service.Service] implements it.
type Asker interface {
	AskOnce(ctx context.Context, occasion string, gather service.Gather) (service.Answer, error)
	// SettleFrom settles earlier results of a series by candles that are at hand.
	SettleFrom(ctx context.Context, series market.Series, candles []signal.Candle, source string) error
}

// Counter counts what became of the series of each round.
type Counter interface {
	Round(decided, skipped, failed, notReached int)
}

// Options are the parts of a [Watcher]. Asker, Check, Candles and Timeout are required.
type Options struct {
	Asker   Asker
	Check   func(orchestrator.Policy) error                     // checks a policy; the error is a signal.FieldErrors
	Candles func(venues ...string) (market.CandleSource, error) // the source of candles that asks these venues in this order, or else the default ones
	Timeout time.Duration                                       // of a run, if the list has none
	Reserve time.Duration                                       // the time that a deadline has to leave after the last run, for writes and the answer

	AtOnce    int              // the most runs that Asker accepts at once; 0: more than a round needs
	Simulated bool             // the providers are simulated
	Shortest  signal.Timeframe // the shortest timeframe that the schedule is frequent enough for; empty: any
	Counter   Counter          // may be nil
	Logger    *slog.Logger     // nil: no log
}

// Watcher makes rounds. It is safe for concurrent use.
type Watcher struct{ Options }

// New makes a Watcher.
func New(o Options) *Watcher {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watcher{o}
}

// Round asks about the last candle of each series that had closed at the given time,
// unless it was asked about before. It returns before ctx's deadline. Series for which
// there was no time are [NotReached] in the summary. An error means that nobody was asked:
// the list has mistakes ([signal.FieldErrors]), or the time is in the future.
func (w *Watcher) Round(ctx context.Context, at time.Time, list List) (Summary, error) {
	source, err := w.open(list)
	if err != nil {
		return Summary{}, err
	}
	switch ahead := time.Until(at); {
	case ahead > mostAhead:
		return Summary{}, fmt.Errorf("the scheduled time %s is %s ahead: its candles have not closed", at.Format(time.RFC3339), ahead.Round(time.Second))
	case ahead > 0: // by our clock the candles are still open, and a venue may send them as they are now
		_ = RealClock{}.Sleep(ctx, ahead) // after an error no series is begun
	}
	return w.round(ctx, at, list, source), nil
}

// round is [Watcher.Round] after its checks.
func (w *Watcher) round(ctx context.Context, at time.Time, list List, source market.CandleSource) Summary {
	outcomes := make([]Outcome, len(list.Series))
	var group errgroup.Group
	group.SetLimit(min(mostAtOnce, cmp.Or(w.AtOnce, mostAtOnce)))
	for i, series := range list.Series {
		group.Go(func() error {
			outcomes[i] = w.watch(ctx, at, list, series, source)
			level := slog.LevelInfo
			if s := outcomes[i].Status; s == Failed || s == NotReached {
				level = slog.LevelWarn
			}
			w.Logger.LogAttrs(ctx, level, "Series watched:", outcomes[i].attrs()...)
			return nil
		})
	}
	_ = group.Wait() // failures are in the outcomes
	summary := summaryOf(at, outcomes)
	w.Logger.LogAttrs(ctx, slog.LevelInfo, "Round ended:", slog.String("time", at.Format(time.RFC3339)),
		slog.Int("decided", summary.Decided), slog.Int("skipped", summary.Skipped), slog.Int("failed", summary.Failed), slog.Int("not_reached", summary.NotReached),
		slog.Float64("cost_usd", summary.CostUSD))
	if w.Counter != nil {
		w.Counter.Round(summary.Decided, summary.Skipped, summary.Failed, summary.NotReached)
	}
	return summary
}

// watch asks about one series. A panic does not affect the other series.
func (w *Watcher) watch(ctx context.Context, at time.Time, list List, series market.Series, source market.CandleSource) (o Outcome) {
	last := series.Timeframe.LastClosed(at)
	o = Outcome{Pair: series.Pair, Timeframe: series.Timeframe, CandleTime: last, Simulated: w.Simulated}
	defer func() {
		if cause := recover(); cause != nil {
			w.Logger.LogAttrs(ctx, slog.LevelError, "Series panicked:", slog.String("pair", o.Pair.String()), slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			o.failed(errors.New("something unexpected happened: the log has it under \"Series panicked\""))
		}
	}()
	if err := w.hasTime(ctx, list, fetchTime); err != nil {
		o.failed(err)
		return o
	}
	var fetched market.Fetched
	answer, err := w.Asker.AskOnce(ctx, occasion(series, last, w.Simulated), func(gathering context.Context) (orchestrator.Request, error) {
		var err error
		if fetched, err = source.Candles(gathering, series, last); err != nil {
			return orchestrator.Request{}, err
		}
		if err := w.hasTime(ctx, list, 0); err != nil { // the venue was slow
			return orchestrator.Request{}, err
		}
		return question(list, series, last, fetched)
	})
	o.Venue = fetched.Venue
	w.settle(ctx, series, fetched)
	if err != nil {
		o.failed(err)
		return o
	}
	o.decided(answer)
	return o
}

// settle holds earlier results of a series against the candles that were fetched, within
// what Reserve leaves of the time.
func (w *Watcher) settle(ctx context.Context, series market.Series, fetched market.Fetched) {
	if len(fetched.Candles) == 0 {
		return
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-w.Reserve))
		defer cancel()
	}
	if err := w.Asker.SettleFrom(ctx, series, fetched.Candles, fetched.Venue); err != nil {
		w.Logger.LogAttrs(ctx, slog.LevelWarn, "Results not settled:", slog.String("series", series.String()), slog.String("error", err.Error()))
	}
}

// hasTime gives errNotReached if the deadline comes before the longest possible end of a
// run that begins after the given time. A run that is cut short costs money and decides
// nothing.
func (w *Watcher) hasTime(ctx context.Context, list List, before time.Duration) error {
	if ctx.Err() == context.Canceled {
		return fmt.Errorf("%w: the round was ended", errNotReached)
	}
	timeout := cmp.Or(list.Policy.Timeout, w.Timeout)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= before+timeout+w.Reserve {
		return fmt.Errorf("%w, the time is up: ask about fewer series, or give less timeout_seconds", errNotReached)
	}
	return nil
}

// occasion names a candle of a series, which is asked about once.
func occasion(series market.Series, last time.Time, simulated bool) string {
	return "schedule#" + store.SeriesKey(series.Pair.String(), string(series.Timeframe), simulated) + "#" + last.Format(time.RFC3339)
}

// question makes the question from the candles. The price is the last close.
func question(list List, series market.Series, last time.Time, fetched market.Fetched) (orchestrator.Request, error) {
	candles := fetched.Candles
	if n := len(candles); n == 0 || candles[n-1].Time.Before(last) {
		return orchestrator.Request{}, fmt.Errorf("%w of %s that opened at %s at %s: nothing was traded, the venue is late, or the clock here is ahead", errNoCandle, series, last.Format(time.RFC3339), fetched.Venue)
	}
	return orchestrator.Request{
		Pair: series.Pair, Timeframe: series.Timeframe, CurrentPrice: candles[len(candles)-1].Close,
		MarketData: signal.MarketData{Candles: candles}, Policy: list.Policy,
	}, nil
}

// Check checks that the providers and venues of a list exist. It asks nobody. The error is
// a [signal.FieldErrors] and names every mistake.
func (w *Watcher) Check(list List) error {
	_, err := w.open(list)
	return err
}

// open is [Watcher.Check], and gives the source of the list's candles.
func (w *Watcher) open(list List) (market.CandleSource, error) {
	var mistakes signal.FieldErrors
	for _, s := range list.Series {
		if shortest := w.Shortest.Duration(); s.Timeframe.Duration() < shortest {
			mistakes = append(mistakes, &signal.FieldError{Field: "timeframes", Message: fmt.Sprintf("has %s, which is too short for the schedule, since it is precise to the minute: the shortest is %s", s.Timeframe, w.Shortest)})
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
