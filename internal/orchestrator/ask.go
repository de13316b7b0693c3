package orchestrator

// Asking the providers, all at the same time, until each has voted or failed, the time is
// up, or no further vote can change the decision.

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

// grace is the time that a provider has to return after its context has ended. The ones of
// this program need microseconds. One that ignores its context is not waited for any longer.
const grace = 250 * time.Millisecond

// call is what happens to one available provider in a run.
type call struct {
	permit  provider.Permit // must be recorded or released, unless leftOut is set
	asked   bool
	askedAt time.Time
	leftOut *provider.LeftOut // why the breaker keeps it out; nil if it does not
	done    bool              // report is final
	report  provider.Report   // of a provider that was not asked: the error that says why
	trace   *attempts         // nil without a Tracer
}

// answer is what came of asking one provider.
type answer struct {
	provider int // index into run.entries
	report   provider.Report
}

// fanOut asks the providers of one run.
type fanOut struct {
	*run
	ctx     context.Context // ends with the budget
	cancel  context.CancelFunc
	options *Options
	caller  *provider.Caller
	prompt  provider.Prompt
	answers chan answer // has room for every provider, so that a late one never blocks
	started time.Time
	budget  time.Duration // the time that all providers have together
}

// ask asks the providers and fills in r.calls. It returns when every provider that was
// asked has answered, and at the latest when the budget and grace are over. A provider
// that its breaker leaves out is asked too if the quorum can't be reached without it.
func (o *Orchestrator) ask(ctx context.Context, r *run) {
	budget := r.timeLeft(ctx, o.options.Reserve)
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	f := &fanOut{
		run: r, ctx: ctx, cancel: cancel, options: &o.options, caller: o.caller.WithLogger(r.log), prompt: r.prompt(),
		answers: make(chan answer, len(r.entries)), started: time.Now(), budget: budget,
	}
	for i, e := range r.entries {
		if o.options.Tracer != nil {
			r.calls[i].trace = &attempts{tracer: o.options.Tracer}
		}
		r.calls[i].permit, r.calls[i].leftOut = e.Breaker.Acquire(f.hasFullTime(e))
	}
	f.askAll()
	f.collect()
	for i := range r.calls {
		c := &r.calls[i]
		switch {
		case c.done:
			continue
		case c.asked:
			c.report = unanswered(ctx, c.askedAt)
			if c.trace != nil {
				c.trace.abandon(c.report.Err)
			}
		case c.leftOut != nil:
			c.report.Err = &provider.Error{Kind: signal.FailureLeftOut, Message: c.leftOut.Message(r.name(i)), Retryable: c.leftOut.Passes()}
		default:
			c.permit.Release()
			c.report.Err = &provider.Error{Kind: signal.FailureNotNeeded, Retryable: true,
				Message: "not asked: without the providers that are left out there would have been too few votes"}
		}
		f.finish(i)
	}
}

// timeLeft gives the run's timeout, or less if the deadline of ctx comes earlier.
func (r *run) timeLeft(ctx context.Context, reserve time.Duration) time.Duration {
	left := timeLeft(ctx, r.Timeout, reserve)
	if left < r.Timeout {
		r.warn(signal.WarnTimeoutCut, "", fmt.Sprintf("timeout_seconds %v was cut down to %.3g, which the deadline leaves", r.Timeout.Seconds(), max(left, 0).Seconds()))
	}
	return left
}

func timeLeft(ctx context.Context, timeout, reserve time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(timeout, time.Until(deadline)-reserve)
	}
	return timeout
}

// hasFullTime reports whether a call that begins now has at least 90 % of the time that
// the configuration gives the provider. A timeout of a shorter call does not mean that the
// provider is slow, so the breaker does not count it.
func (f *fanOut) hasFullTime(e provider.Entry) bool {
	configured, left := f.options.Timeout, f.budget-time.Since(f.started)
	if e.Timeout > 0 {
		configured, left = min(configured, e.Timeout), min(left, e.Timeout)
	}
	return left >= configured*9/10
}

// askAll asks every provider that may be asked and was not yet. Providers that are left
// out are asked only if the quorum can't be reached without them. Nobody is asked if it
// can't be reached at all, since such votes would be paid for in vain.
func (f *fanOut) askAll() {
	if f.possibleVotes() < f.MinProviders && !f.admitLeftOut() {
		return
	}
	var due []int
	var names []string
	for i := range f.calls {
		if c := &f.calls[i]; !c.asked && c.leftOut == nil {
			due, names = append(due, i), append(names, f.name(i))
		}
	}
	if len(due) == 0 {
		return
	}
	f.log.LogAttrs(f.ctx, slog.LevelInfo, "Querying", slog.Int("count", len(due)), slog.Any("providers", names))
	if f.log.Enabled(f.ctx, slog.LevelDebug) {
		var weights []slog.Attr
		for _, i := range due {
			weights = append(weights, slog.Float64(f.name(i), f.weights[i]))
		}
		f.log.LogAttrs(f.ctx, slog.LevelDebug, "Provider weights:", slog.GroupAttrs("weights", weights...))
	}
	for _, i := range due {
		f.askOne(i)
	}
}

func (f *fanOut) askOne(i int) {
	c, e, caller := &f.calls[i], f.entries[i], f.caller
	c.asked, c.askedAt = true, time.Now()
	f.log.LogAttrs(f.ctx, slog.LevelDebug, "Calling provider:", slog.String("provider", f.name(i)))
	if f.Progress != nil {
		f.Progress(Progress{Provider: f.name(i), Model: e.Provider.Model()})
	}
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
		f.answers <- answer{i, caller.Ask(ctx, e.Provider, f.prompt)}
	}()
}

// admitLeftOut lets the providers in that are left out, if the quorum can be reached with
// those whose breakers allow it. Otherwise they stay left out.
func (f *fanOut) admitLeftOut() bool {
	before := slices.Clone(f.calls)
	for i, e := range f.entries {
		if c := &f.calls[i]; c.leftOut != nil {
			c.permit, c.leftOut = e.Breaker.Insist(f.hasFullTime(e))
		}
	}
	if f.possibleVotes() >= f.MinProviders {
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

// collect takes the answers as they come. It returns when none is missing, and at the
// latest when grace is over after ctx has ended.
func (f *fanOut) collect() {
	ended := f.ctx.Done()
	var graceOver <-chan time.Time
	for f.missing() > 0 {
		select {
		case a := <-f.answers:
			f.take(a)
		case <-ended:
			ended, graceOver = nil, time.After(grace)
		case <-graceOver:
			for len(f.answers) > 0 { // they came in the same moment
				f.take(<-f.answers)
			}
			return
		}
	}
}

// take records an answer. With WaitDecided it cancels the other calls as soon as they can't
// change the decision. What they answer until they have returned still counts.
func (f *fanOut) take(a answer) {
	f.calls[a.provider].report = a.report
	f.finish(a.provider)
	if f.ctx.Err() != nil {
		return
	}
	f.askAll()
	if f.Wait == WaitDecided && f.decided() {
		f.cancel()
	}
}

// decided reports whether the quorum is reached and no missing vote can change the decision.
func (r *run) decided() bool {
	votes, _ := r.votesAndFailures()
	var pending []consensus.Pending
	for i := range r.calls {
		if c := &r.calls[i]; c.asked && !c.done {
			pending = append(pending, consensus.Pending{Provider: r.name(i), Weight: r.weights[i]})
		}
	}
	if len(votes) < r.MinProviders || len(pending) == 0 {
		return false
	}
	_, ok := consensus.Decided(votes, pending, r.policy)
	return ok
}

// count counts the calls for which is holds.
func (r *run) count(is func(*call) bool) (n int) {
	for i := range r.calls {
		if is(&r.calls[i]) {
			n++
		}
	}
	return n
}

func (r *run) asked() int { return r.count(func(c *call) bool { return c.asked }) }

func (r *run) missing() int { return r.count(func(c *call) bool { return c.asked && !c.done }) }

// possibleVotes is the largest number of votes that the run can still get.
func (r *run) possibleVotes() int {
	return r.count(func(c *call) bool { return c.leftOut == nil && (!c.done || c.report.Err == nil) })
}

// unanswered is the report of a provider that did not return after its context had ended.
// It was tried at least once.
func unanswered(ctx context.Context, askedAt time.Time) provider.Report {
	err := provider.AsError(ctx.Err())
	if deadline, ok := ctx.Deadline(); ok && errors.Is(err, context.DeadlineExceeded) {
		err.Message = provider.NoAnswerWithin(deadline.Sub(askedAt))
	}
	return provider.Report{Err: err, Attempts: 1, BillsUnknown: 1, Started: askedAt, Ended: time.Now()}
}

// finish marks a call as done, and tells the breaker, the log and Request.Progress.
func (f *fanOut) finish(i int) {
	c := &f.calls[i]
	c.done = true
	report := &c.report
	if c.asked {
		c.permit.Record(report.Err)
	}
	name, latency := slog.String("provider", f.name(i)), slog.Float64("latency_ms", milliseconds(report.Ended.Sub(report.Started)))
	switch err := report.Err; {
	case c.leftOut != nil:
		f.log.LogAttrs(f.ctx, slog.LevelWarn, "Provider left out:", name,
			slog.String("reason", string(c.leftOut.Reason)), slog.Time("until", c.leftOut.Until), slog.String("message", err.Message))
	case err == nil:
		f.log.LogAttrs(f.ctx, slog.LevelDebug, "Provider responded:", name, slog.String("decision", string(report.Answer.Decision)),
			slog.Float64("confidence", report.Answer.Confidence), slog.Int("attempts", report.Attempts), latency)
	default:
		level := slog.LevelWarn
		if err.Kind == signal.FailureNotNeeded {
			level = slog.LevelDebug
		}
		f.log.LogAttrs(f.ctx, level, "Provider failed:", name, slog.String("error", string(err.Kind)), slog.String("message", err.Message),
			slog.Int("status", err.Status), slog.String("request_id", err.RequestID), slog.Int("attempts", report.Attempts), latency)
	}
	if f.Progress == nil {
		return
	}
	step := Progress{Provider: f.name(i), Model: f.entries[i].Provider.Model()}
	if report.Err == nil {
		step.Vote = new(f.vote(i))
	} else {
		step.Failure = new(f.failure(i))
	}
	f.Progress(step)
}
