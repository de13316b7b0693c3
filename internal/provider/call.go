package provider

// The retry loop. It asks a provider until there is an answer, an error that another
// attempt does not help, or no time left for another attempt.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"thalas/internal/signal"
)

const (
	firstBackoff = 250 * time.Millisecond // doubles with every further retry
	maxBackoff   = 4 * time.Second
)

// Caller asks providers, and asks again where that may help. It is safe for
// concurrent use.
type Caller struct {
	maxAttempts int
	log         *slog.Logger
	tracer      Tracer // may be nil
}

// Tracer observes every attempt to ask a provider. Implementations are safe for
// concurrent use, never panic and never block.
type Tracer interface {
	// Attempt begins an attempt, the first of which has number 1. The provider is
	// asked with the context that it returns. The function that it returns is called
	// when the attempt ends, also by a panic: with nil for a vote, else with the error.
	Attempt(ctx context.Context, provider, model string, attempt int) (context.Context, func(*Error))
}

// NewCaller makes a Caller that asks at most maxAttempts times, and at least once.
func NewCaller(maxAttempts int, log *slog.Logger) *Caller {
	return &Caller{maxAttempts: max(maxAttempts, 1), log: log}
}

// WithLogger gives a copy of c that logs to log.
func (c *Caller) WithLogger(log *slog.Logger) *Caller {
	logged := *c
	logged.log = log
	return &logged
}

// WithTracer gives a copy of c with a Tracer, which may be nil.
func (c *Caller) WithTracer(t Tracer) *Caller {
	traced := *c
	traced.tracer = t
	return &traced
}

// Report is the result of asking one provider.
type Report struct {
	Answer       Answer // the zero Answer if there is an Err
	Err          *Error
	Attempts     int
	Usage        Usage   // the sum over all attempts with known usage; CostUSD is nil if one of them has no price
	CostUSD      float64 // the sum over the attempts with a known cost
	BillsUnknown int     // attempts that may be billed although their cost is not known
	Started      time.Time
	Ended        time.Time
}

// count adds the usage of an attempt.
func (r *Report) count(usage Usage, billUnknown bool) {
	usage = usage.possible()
	r.Usage.add(usage)
	if usage.CostUSD != nil {
		r.CostUSD += *usage.CostUSD
	}
	if billUnknown {
		r.BillsUnknown++
	}
}

// Ask asks p until it answers or ctx ends. It makes no attempt if ctx has ended already.
// Another attempt follows only a retryable error, and only if the wait before it fits
// into ctx's deadline; after an answer that is not a vote there is one more at most.
// A panic of the provider becomes an error.
func (c *Caller) Ask(ctx context.Context, p Provider, prompt Prompt) Report {
	report := Report{Started: time.Now()}
	if err := ctx.Err(); err != nil {
		report.Ended, report.Err = report.Started, AsError(err)
		report.Err.Message = "not asked: the time was already over"
		return report
	}
	invalid, again := 0, false
	for {
		report.Attempts++
		report.Answer, report.Err = c.attempt(ctx, p, prompt, report.Attempts)
		if report.Err == nil {
			report.count(report.Answer.Usage, report.Answer.Usage.possible().CostUSD == nil)
			break
		}
		report.count(report.Err.Usage, report.Err.BillUnknown)
		if report.Err.Kind == signal.FailureInvalidResponse {
			invalid++
		}
		var wait time.Duration
		wait, again = waitBefore(ctx, report.Err, report.Attempts)
		if again = again && report.Attempts < c.maxAttempts && invalid < 2; !again {
			break
		}
		if ctx.Err() == nil {
			c.log.LogAttrs(ctx, slog.LevelWarn, "Provider attempt failed:",
				slog.String("provider", p.Name()), slog.String("error", string(report.Err.Kind)), slog.Int("attempt", report.Attempts),
				slog.String("message", report.Err.Message), slog.Float64("next_in_ms", float64(wait.Microseconds())/1000))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		if ctx.Err() != nil {
			break
		}
	}
	report.Ended = time.Now()
	switch err := ctx.Err(); {
	case report.Err == nil || err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		if report.Err.Kind == signal.FailureTimeout && errors.Is(report.Err, err) {
			late := *report.Err
			deadline, _ := ctx.Deadline()
			late.Message = NoAnswerWithin(deadline.Sub(report.Started))
			report.Err = &late
		}
	case again: // somebody cancelled before the next attempt
		report.Err = AsError(err)
	}
	return report
}

// attempt makes the attempt with number n. A panic, an error of another type and an
// answer that can't be counted become an [Error].
func (c *Caller) attempt(ctx context.Context, p Provider, prompt Prompt, n int) (answer Answer, err *Error) {
	if c.tracer != nil {
		var end func(*Error)
		ctx, end = c.tracer.Attempt(ctx, p.Name(), p.Model(), n)
		defer func() { end(err) }() // runs after the function below, which turns a panic into err
	}
	defer func() {
		if cause := recover(); cause != nil {
			// The value may be anything, even a request with its key, so only an error
			// of the runtime itself is written out.
			what := fmt.Sprintf("%T", cause)
			if fault, ok := cause.(runtime.Error); ok {
				what = fault.Error()
			}
			c.log.LogAttrs(ctx, slog.LevelError, "Provider panicked:",
				slog.String("provider", p.Name()), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
			answer, err = Answer{}, &Error{Kind: signal.FailureProvider, Message: p.Name() + " panicked; the log says where"}
		}
	}()
	answer, failed := p.Ask(ctx, prompt)
	if failed != nil {
		err = AsError(failed)
		if err.Kind == signal.FailureNotNeeded && ctx.Err() == nil {
			// Only p itself can have cancelled it, which is p's failure.
			mine := *err
			mine.Kind, err = signal.FailureProvider, &mine
		}
		return Answer{}, err
	}
	if defect := answer.Ballot.defect(); defect != "" {
		return Answer{}, &Error{
			Kind: signal.FailureInvalidResponse, Message: p.Name() + " answered with " + defect, Retryable: true,
			BillUnknown: answer.Usage.possible().CostUSD == nil, Usage: answer.Usage, Model: answer.Model,
		}
	}
	answer.Ballot = answer.Ballot.tidied()
	return answer, nil
}

// waitBefore gives the wait before the next attempt. It reports false if another attempt
// does not help, or if ctx's deadline is earlier.
func waitBefore(ctx context.Context, err *Error, attempts int) (time.Duration, bool) {
	wait := err.RetryAfter
	if wait <= 0 {
		wait = min(firstBackoff<<min(attempts-1, 10), maxBackoff)
		// One half is random, so that many runs that failed together don't come back
		// together.
		wait = wait/2 + rand.N(wait/2)
	}
	deadline, hasDeadline := ctx.Deadline()
	return wait, err.Retryable && (!hasDeadline || time.Until(deadline) > wait)
}

// NoAnswerWithin is the message of a timeout.
func NoAnswerWithin(d time.Duration) string {
	// Rounded, since the deadline was set some microseconds before the question.
	unit := 10 * time.Millisecond
	if d < 100*time.Millisecond {
		unit = time.Millisecond
	}
	return fmt.Sprintf("no answer within %s", d.Round(unit))
}
