package orchestrator

// The parallel part of a run: everybody is asked at once, and the answers are
// gathered until all have come, the time is up, or nothing can change any more.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

type ended struct {
	provider int
	report   provider.Report
}

// ask fills in the reports. It returns when all providers have ended, at most
// grace after the budget.
func (o *Orchestrator) ask(ctx context.Context, r *run) {
	r.budget = r.timeLeft(ctx, o.options.Reserve)
	ctx, cancel := context.WithTimeout(ctx, r.budget)
	defer cancel()

	names := make([]string, len(r.entries))
	for i, e := range r.entries {
		names[i] = e.Provider.Name()
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "Querying", slog.Int("count", len(names)), slog.Any("providers", names))
	r.log.LogAttrs(ctx, slog.LevelDebug, "Provider weights:", slog.Any("weights", weightsByName{names, r.weights}))

	r.reports = make([]provider.Report, len(r.entries))
	r.answered = make([]bool, len(r.entries))
	prompt := provider.NewPrompt(r.Pair, r.Timeframe, r.CurrentPrice, r.MarketData)
	results := make(chan ended, len(r.entries)) // holds all: nobody blocks on a run that is over
	caller := o.caller.WithLogger(r.log)
	var traced []*attempts // by provider; nil: nobody wants a trace
	if o.options.Tracer != nil {
		traced = make([]*attempts, len(r.entries))
	}
	asked := time.Now()
	for i, e := range r.entries {
		r.log.LogAttrs(ctx, slog.LevelDebug, "Calling provider:", slog.String("provider", names[i]))
		r.tell(Progress{Provider: names[i], Model: e.Provider.Model()})
		caller := caller
		if traced != nil {
			traced[i] = &attempts{tracer: o.options.Tracer}
			caller = caller.WithTracer(traced[i])
		}
		go func() {
			ctx := ctx
			if e.Timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, e.Timeout)
				defer cancel()
			}
			results <- ended{i, caller.Ask(ctx, e.Provider, prompt)}
		}()
	}
	// Where the request allows it, the run ends as soon as the rest can't change
	// the decision; what is answered until all have stopped still counts.
	collect(ctx, results, len(r.entries), func(e ended) {
		r.reports[e.provider], r.answered[e.provider] = e.report, true
		r.note(ctx, e.provider)
		if r.Wait == WaitDecided && ctx.Err() == nil && r.decided() {
			cancel()
		}
	})
	for i := range r.entries {
		if !r.answered[i] {
			r.reports[i] = abandoned(ctx, asked)
			if traced != nil {
				traced[i].abandon(r.reports[i].Err)
			}
			r.note(ctx, i)
		}
	}
}

// timeLeft is the run's time: what was asked for, or what the deadline leaves.
func (r *run) timeLeft(ctx context.Context, reserve time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return r.Timeout
	}
	left := time.Until(deadline) - reserve
	if left >= r.Timeout {
		return r.Timeout
	}
	r.warn(signal.WarnTimeoutCut, "", fmt.Sprintf("timeout_seconds %v was cut down to %.3g, which the deadline leaves", r.Timeout.Seconds(), max(left, 0).Seconds()))
	return left
}

// decided reports whether the quorum is met and no answer that is still out can
// change the decision.
func (r *run) decided() bool {
	votes, _ := r.outcome()
	pending := r.pending(func(i int) bool { return !r.answered[i] })
	if len(votes) < r.MinProviders || len(pending) == 0 {
		return false
	}
	_, ok := consensus.Decided(votes, pending, r.policy)
	return ok
}

func (r *run) pending(is func(i int) bool) []consensus.Pending {
	var pending []consensus.Pending
	for i, e := range r.entries {
		if is(i) {
			pending = append(pending, consensus.Pending{Provider: e.Provider.Name(), Weight: r.weights[i]})
		}
	}
	return pending
}

// abandoned is the report of a provider that did not return when its context
// ended. How often it was tried is not known: at least once.
func abandoned(ctx context.Context, asked time.Time) provider.Report {
	err := provider.AsError(ctx.Err())
	if deadline, ok := ctx.Deadline(); ok && errors.Is(err, context.DeadlineExceeded) {
		err.Message = provider.NoAnswerWithin(deadline.Sub(asked))
	}
	return provider.Report{Err: err, Attempts: 1, BillsUnknown: 1, Started: asked, Ended: time.Now()}
}

// note logs how a provider ended, and tells its breaker and who watches.
func (r *run) note(ctx context.Context, i int) {
	name, report := r.entries[i].Provider.Name(), r.reports[i]
	if breaker := r.entries[i].Breaker; breaker != nil {
		allowed := r.budget
		if own := r.entries[i].Timeout; own > 0 {
			allowed = min(allowed, own)
		}
		breaker.Record(report.Err, allowed)
	}
	if report.Err == nil {
		r.log.LogAttrs(ctx, slog.LevelDebug, "Provider responded:",
			slog.String("provider", name), slog.String("decision", string(report.Answer.Decision)), slog.Float64("confidence", report.Answer.Confidence),
			slog.Int("attempts", report.Attempts), slog.Float64("latency_ms", milliseconds(report.Ended.Sub(report.Started))))
	} else {
		level := slog.LevelWarn
		if report.Err.Kind == signal.FailureNotNeeded {
			level = slog.LevelDebug
		}
		r.log.LogAttrs(ctx, level, "Provider failed:",
			slog.String("provider", name), slog.String("error", string(report.Err.Kind)), slog.String("message", report.Err.Message),
			slog.Int("status", report.Err.Status), slog.String("request_id", report.Err.RequestID),
			slog.Int("attempts", report.Attempts), slog.Float64("latency_ms", milliseconds(report.Ended.Sub(report.Started))))
	}
	if r.Progress == nil {
		return
	}
	step := Progress{Provider: name, Model: r.entries[i].Provider.Model()}
	if report.Err == nil {
		step.Vote = new(r.vote(i))
	} else {
		step.Failure = new(r.failure(i))
	}
	r.tell(step)
}

func (r *run) tell(step Progress) {
	if r.Progress != nil {
		r.Progress(step)
	}
}

// weightsByName is logged as a group, and only built where it is written.
type weightsByName struct {
	names   []string
	weights []float64
}

func (w weightsByName) LogValue() slog.Value {
	attrs := make([]slog.Attr, len(w.names))
	for i, name := range w.names {
		attrs[i] = slog.Float64(name, w.weights[i])
	}
	return slog.GroupValue(attrs...)
}
