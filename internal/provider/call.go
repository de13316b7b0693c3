package provider

// The one retry loop: a provider is asked until it answers, as often as its
// errors allow and its time suffices.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"thalas/internal/signal"
)

const (
	firstBackoff = 250 * time.Millisecond // doubles with every further retry
	maxBackoff   = 4 * time.Second
)

// Caller asks providers, trying again where that may help. It is safe for
// concurrent use.
type Caller struct {
	executor    failsafe.Executor[any]
	maxAttempts int
	log         *slog.Logger
	tracer      Tracer // nil: nobody is told of the attempts
}

// NewCaller makes a Caller that asks at most maxAttempts times, at least once.
func NewCaller(maxAttempts int, log *slog.Logger) *Caller {
	maxAttempts = max(maxAttempts, 1)
	policy := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool {
			var again *retry
			return errors.As(err, &again)
		}).
		WithMaxAttempts(maxAttempts).
		ReturnLastFailure().
		WithDelayFunc(func(exec failsafe.ExecutionAttempt[any]) time.Duration {
			var again *retry
			if errors.As(exec.LastError(), &again) {
				return again.after
			}
			return 0
		}).
		Build()
	return &Caller{executor: failsafe.With(policy), maxAttempts: maxAttempts, log: log}
}

// WithLogger gives a Caller that asks as c does and logs to log.
func (c *Caller) WithLogger(log *slog.Logger) *Caller {
	logged := *c
	logged.log = log
	return &logged
}

// Report is what asking one provider came to.
type Report struct {
	Answer       Answer // only where Err is nil
	Err          *Error
	Attempts     int
	Usage        Usage   // over all attempts whose usage is known; CostUSD is nil where one of them has no price
	CostUSD      float64 // of the attempts whose cost is known
	BillsUnknown int     // attempts that may be billed although their cost is not known
	Started      time.Time
	Ended        time.Time
}

// count adds what an attempt used.
func (r *Report) count(usage Usage, billUnknown bool) {
	r.Usage.add(usage)
	if cost := usage.possible().CostUSD; cost != nil {
		r.CostUSD += *cost
	}
	if billUnknown {
		r.BillsUnknown++
	}
}

// retry is the error that tells the policy to try again after a while.
type retry struct {
	err   *Error
	after time.Duration
}

func (r *retry) Error() string { return r.err.Error() }

// Ask asks p until it answers, within ctx; not at all where ctx has ended before.
// Attempts are made only for retryable errors, and only while the wait that the
// provider asks for fits into ctx; an answer that is no vote is retried once. A
// panicking provider is an error.
func (c *Caller) Ask(ctx context.Context, p Provider, prompt Prompt) Report {
	report := Report{Started: time.Now()}
	if err := ctx.Err(); err != nil {
		report.Ended, report.Err = report.Started, AsError(err)
		report.Err.Message = "not asked: the time was over before"
		return report
	}
	invalid, waiting := 0, false
	// What an attempt brought is kept here, not taken from the executor: where
	// ctx ends at that moment, the executor answers with ctx's error, and an
	// answer that was paid for would be lost.
	_ = c.executor.WithContext(ctx).Run(func() error {
		report.Attempts++
		waiting = false
		report.Answer, report.Err = c.attempt(ctx, p, prompt, report.Attempts)
		if report.Err == nil {
			report.count(report.Answer.Usage, report.Answer.Usage.possible().CostUSD == nil)
			return nil
		}
		report.count(report.Err.Usage, report.Err.BillUnknown)
		if report.Err.Kind == signal.FailureInvalidResponse {
			invalid++
		}
		if report.Attempts == c.maxAttempts || invalid > 1 {
			return report.Err
		}
		after, again := wait(ctx, report.Err, report.Attempts)
		if !again {
			return report.Err
		}
		waiting = true
		if ctx.Err() != nil {
			return report.Err
		}
		c.log.LogAttrs(ctx, slog.LevelWarn, "Provider attempt failed:",
			slog.String("provider", p.Name()), slog.String("error", string(report.Err.Kind)), slog.Int("attempt", report.Attempts),
			slog.String("message", report.Err.Message), slog.Float64("next_in_ms", float64(after.Microseconds())/1000))
		return &retry{report.Err, after}
	})
	report.Ended = time.Now()
	switch err := ctx.Err(); {
	case report.Err == nil || err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		if report.Err.Kind == signal.FailureTimeout && errors.Is(report.Err, err) {
			report.Err = tooLate(ctx, report)
		}
	case waiting: // it would have been asked again, but somebody cancelled
		report.Err = AsError(err)
	}
	return report
}

// attempt asks for the nth time. It turns a panic, an error of any other type and
// an answer that can't be counted into an *Error.
func (c *Caller) attempt(ctx context.Context, p Provider, prompt Prompt, n int) (answer Answer, err *Error) {
	if c.tracer != nil {
		var end func(*Error)
		ctx, end = c.tracer.Attempt(ctx, p.Name(), p.Model(), n)
		defer func() { end(err) }() // after the one below: a panic has become err by then
	}
	defer func() {
		if cause := recover(); cause != nil {
			// The value may be anything, a request with its key too, so only what
			// the runtime itself raised is written out.
			what := fmt.Sprintf("%T", cause)
			if fault, ok := cause.(runtime.Error); ok {
				what = fault.Error()
			}
			c.log.LogAttrs(ctx, slog.LevelError, "Provider panicked:",
				slog.String("provider", p.Name()), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
			answer, err = Answer{}, &Error{Kind: signal.FailureProvider, Message: p.Name() + " panicked; the log has the place"}
		}
	}()
	answer, failed := p.Ask(ctx, prompt)
	if failed != nil {
		err = AsError(failed)
		if err.Kind == signal.FailureNotNeeded && ctx.Err() == nil {
			// Nobody but p itself cancelled it, so it is p that failed.
			mine := *err
			mine.Kind, err = signal.FailureProvider, &mine
		}
		return Answer{}, err
	}
	if problem := answer.Ballot.problem(); problem != "" {
		return Answer{}, &Error{
			Kind: signal.FailureInvalidResponse, Message: p.Name() + " answered with " + problem, Retryable: true,
			BillUnknown: answer.Usage.possible().CostUSD == nil, Usage: answer.Usage, Model: answer.Model,
		}
	}
	answer.Ballot = answer.Ballot.tidied()
	return answer, nil
}

// wait says whether there is another attempt in err and in ctx's deadline, and
// after how long.
func wait(ctx context.Context, err *Error, attempts int) (time.Duration, bool) {
	if !err.Retryable {
		return 0, false
	}
	after := err.RetryAfter
	if after <= 0 {
		after = min(firstBackoff<<min(attempts-1, 10), maxBackoff)
		// Half of it is drawn by chance, so that many runs that failed together
		// don't come back together.
		after = after/2 + rand.N(after/2)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= after {
		return 0, false
	}
	return after, true
}

// tooLate says how long was waited, which no adapter knows.
func tooLate(ctx context.Context, report Report) *Error {
	late := *report.Err
	deadline, _ := ctx.Deadline()
	late.Message = NoAnswerWithin(deadline.Sub(report.Started))
	return &late
}

// NoAnswerWithin words a timeout.
func NoAnswerWithin(d time.Duration) string {
	// The microseconds until it was asked are nobody's business.
	unit := 10 * time.Millisecond
	if d < 100*time.Millisecond {
		unit = time.Millisecond
	}
	return fmt.Sprintf("no answer within %s", d.Round(unit))
}
