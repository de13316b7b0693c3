package orchestrator

// The parallel part of a run: everybody is asked at once, and the answers are
// gathered until all have come, the time is up, or nothing can change any more.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// call is what becomes of one available provider in a run.
type call struct {
	permit  provider.Permit
	begun   bool              // it was asked
	started time.Time         // when it was asked
	ended   bool              // and its report is here
	leftOut *provider.LeftOut // why it was not asked; nil where it was
	report  provider.Report   // of a provider that was left out: the failure that says so
	trace   *attempts         // nil: nobody wants a trace
}

type ended struct {
	provider int
	report   provider.Report
}

// fan asks the providers of one run.
type fan struct {
	*run
	ctx     context.Context // ends with the run's budget
	caller  *provider.Caller
	prompt  provider.Prompt
	results chan ended // holds one of each provider: nobody blocks on a run that is over
	started time.Time
}

// ask fills in the calls. It returns when all that were begun have ended, at most
// grace after the budget. A provider that its breaker leaves out is asked all the
// same as soon as the run can't reach its quorum without it.
func (o *Orchestrator) ask(ctx context.Context, r *run) {
	r.budget = r.timeLeft(ctx, o.options.Reserve)
	ctx, cancel := context.WithTimeout(ctx, r.budget)
	defer cancel()
	f := &fan{
		run: r, ctx: ctx, caller: o.caller.WithLogger(r.log), started: time.Now(),
		prompt:  r.prompt(),
		results: make(chan ended, len(r.entries)),
	}
	for i, e := range r.entries {
		if o.options.Tracer != nil {
			r.calls[i].trace = &attempts{tracer: o.options.Tracer}
		}
		r.calls[i].permit, r.calls[i].leftOut = e.Breaker.Acquire(f.hasWholeTime(o, e))
	}
	f.begin(o)
	// Where the request allows it, the run ends as soon as the rest can't change
	// the decision; what is answered until all have stopped still counts.
	collect(ctx, f.results, func() bool { return f.outstanding() > 0 }, func(e ended) {
		r.calls[e.provider].report, r.calls[e.provider].ended = e.report, true
		r.note(ctx, e.provider)
		if ctx.Err() != nil {
			return
		}
		f.begin(o)
		if r.Wait == WaitDecided && r.decided() {
			cancel()
		}
	})
	for i := range r.calls {
		switch c := &r.calls[i]; {
		case c.ended:
			continue
		case c.begun:
			c.report = abandoned(ctx, c.started)
			if c.trace != nil {
				c.trace.abandon(c.report.Err)
			}
		case c.leftOut != nil:
			c.report = leftOut(r.entries[i].Provider.Name(), *c.leftOut)
		default:
			c.permit.Release()
			c.report = provider.Report{Err: &provider.Error{Kind: signal.FailureNotNeeded, Retryable: true,
				Message: "not asked: without the providers that are left out there would have been too few votes"}}
		}
		r.calls[i].ended = true
		r.note(ctx, i)
	}
}

// hasWholeTime reports whether a call that begins now has at least 90 % of the time
// that the configuration gives the provider: the timeout of one with less says more
// about the caller.
func (f *fan) hasWholeTime(o *Orchestrator, e provider.Entry) bool {
	given, left := o.options.Timeout, f.budget-time.Since(f.started)
	if e.Timeout > 0 {
		given, left = min(given, e.Timeout), min(left, e.Timeout)
	}
	return left >= given*9/10
}

// insist gets leave to ask the providers that are left out, if the quorum can be reached
// with them. Otherwise they stay left out.
func (f *fan) insist(o *Orchestrator) bool {
	before := slices.Clone(f.calls)
	for i, e := range f.entries {
		if c := &f.calls[i]; c.leftOut != nil {
			c.permit, c.leftOut = e.Breaker.Insist(f.hasWholeTime(o, e))
		}
	}
	if f.mayVote() >= f.MinProviders {
		return true
	}
	for i := range f.calls {
		if c := &f.calls[i]; before[i].leftOut != nil && c.leftOut == nil {
			c.permit.Release()
			c.leftOut = before[i].leftOut
		}
	}
	return false
}

// begin asks everybody who may be asked and was not yet: those that are left out only
// where the quorum can't be reached without them, and nobody where it can't be reached
// at all, since such votes would be paid for in vain.
func (f *fan) begin(o *Orchestrator) {
	if f.mayVote() < f.MinProviders && !f.insist(o) {
		return
	}
	var names []string
	for i := range f.calls {
		if c := &f.calls[i]; !c.begun && c.leftOut == nil {
			names = append(names, f.entries[i].Provider.Name())
		}
	}
	if len(names) == 0 {
		return
	}
	f.log.LogAttrs(f.ctx, slog.LevelInfo, "Querying", slog.Int("count", len(names)), slog.Any("providers", names))
	f.log.LogAttrs(f.ctx, slog.LevelDebug, "Provider weights:", slog.Any("weights", weightsByName{f.run, names}))
	for i, e := range f.entries {
		c := &f.calls[i]
		if c.begun || c.leftOut != nil {
			continue
		}
		c.begun, c.started = true, time.Now()
		name := e.Provider.Name()
		f.log.LogAttrs(f.ctx, slog.LevelDebug, "Calling provider:", slog.String("provider", name))
		f.tell(Progress{Provider: name, Model: e.Provider.Model()})
		caller := f.caller
		if c.trace != nil {
			caller = caller.WithTracer(c.trace)
		}
		go func() {
			ctx := f.ctx
			if e.Timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, e.Timeout)
				defer cancel()
			}
			f.results <- ended{i, caller.Ask(ctx, e.Provider, f.prompt)}
		}()
	}
}

// count counts the calls that are so.
func (r *run) count(is func(*call) bool) (n int) {
	for i := range r.calls {
		if is(&r.calls[i]) {
			n++
		}
	}
	return n
}

func (r *run) asked() int { return r.count(func(c *call) bool { return c.begun }) }

func (r *run) outstanding() int { return r.count(func(c *call) bool { return c.begun && !c.ended }) }

// mayVote is how many votes there will be at the most.
func (r *run) mayVote() int {
	return r.count(func(c *call) bool { return c.leftOut == nil && (!c.ended || c.report.Err == nil) })
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
	pending := r.pending(func(c *call) bool { return c.begun && !c.ended })
	if len(votes) < r.MinProviders || len(pending) == 0 {
		return false
	}
	_, ok := consensus.Decided(votes, pending, r.policy)
	return ok
}

func (r *run) pending(is func(*call) bool) []consensus.Pending {
	var pending []consensus.Pending
	for i, e := range r.entries {
		if is(&r.calls[i]) {
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

// leftOut is the report of a provider that was not asked.
func leftOut(name string, left provider.LeftOut) provider.Report {
	return provider.Report{Err: &provider.Error{Kind: signal.FailureLeftOut, Message: left.Message(name), Retryable: left.Passes()}}
}

// note logs how a provider ended, and tells its breaker and who watches.
func (r *run) note(ctx context.Context, i int) {
	name, report := r.entries[i].Provider.Name(), r.calls[i].report
	if r.calls[i].begun {
		r.calls[i].permit.Record(report.Err)
	}
	if left := r.calls[i].leftOut; left != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "Provider left out:",
			slog.String("provider", name), slog.String("reason", string(left.Reason)), slog.Time("until", left.Until), slog.String("message", report.Err.Message))
	} else if report.Err == nil {
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
	run   *run
	names []string
}

func (w weightsByName) LogValue() slog.Value {
	var attrs []slog.Attr
	for i, e := range w.run.entries {
		if name := e.Provider.Name(); slices.Contains(w.names, name) {
			attrs = append(attrs, slog.Float64(name, w.run.weights[i]))
		}
	}
	return slog.GroupValue(attrs...)
}
