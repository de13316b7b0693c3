package provider_test

// The retry loop, in virtual time.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// scripted is a provider with one function for every attempt. The last one is called for all
// further attempts.
type scripted struct {
	name     string
	attempts []attempt
	asked    atomic.Int32
}

type attempt func(context.Context) (provider.Answer, error)

func (p *scripted) Name() string                { return p.name }
func (p *scripted) Model() string               { return p.name + "-1" }
func (p *scripted) Check(context.Context) error { return nil }

func (p *scripted) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	n := int(p.asked.Add(1))
	return p.attempts[min(n, len(p.attempts))-1](ctx)
}

func answers(usage provider.Usage) attempt {
	return func(context.Context) (provider.Answer, error) {
		return provider.Answer{Ballot: provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up"}, Usage: usage}, nil
	}
}

func says(change func(*provider.Answer)) attempt {
	return func(ctx context.Context) (provider.Answer, error) {
		answer, err := answers(provider.Usage{})(ctx)
		change(&answer)
		return answer, err
	}
}

func errs(err error) attempt {
	return func(context.Context) (provider.Answer, error) { return provider.Answer{}, err }
}

// hangs returns only when its context ends.
func hangs(ctx context.Context) (provider.Answer, error) {
	<-ctx.Done()
	return provider.Answer{}, ctx.Err()
}

func panics(cause any) attempt {
	return func(context.Context) (provider.Answer, error) { panic(cause) }
}

func again(kind signal.FailureKind) *provider.Error {
	return &provider.Error{Kind: kind, Message: string(kind), Retryable: true}
}

func finally(kind signal.FailureKind) *provider.Error {
	return &provider.Error{Kind: kind, Message: string(kind)}
}

func caller(maxAttempts int) *provider.Caller {
	return provider.NewCaller(maxAttempts, slog.New(slog.DiscardHandler))
}

func TestAttempts(t *testing.T) {
	invalid := again(signal.FailureInvalidResponse)
	tests := []struct {
		name     string
		max      int
		attempts []attempt
		asked    int
		err      error // the kind; nil: a vote
	}{
		{"an answer", 3, []attempt{answers(provider.Usage{})}, 1, nil},
		{"a provider's error is tried up to the limit", 3, []attempt{errs(again(signal.FailureProvider))}, 3, provider.ErrProvider},
		{"the limit 1", 1, []attempt{errs(again(signal.FailureProvider)), answers(provider.Usage{})}, 1, provider.ErrProvider},
		{"a limit below 1 is 1", 0, []attempt{answers(provider.Usage{})}, 1, nil},
		{"rate limit, then an answer", 2, []attempt{errs(again(signal.FailureRateLimit)), answers(provider.Usage{})}, 2, nil},
		{"a timeout of its own, then an answer", 2, []attempt{errs(again(signal.FailureTimeout)), answers(provider.Usage{})}, 2, nil},
		{"all reasons share the limit", 3, []attempt{errs(again(signal.FailureProvider)), errs(invalid), errs(again(signal.FailureRateLimit)), answers(provider.Usage{})}, 3, provider.ErrRateLimit},
		{"no vote is tried once more", 5, []attempt{errs(invalid)}, 2, provider.ErrInvalidResponse},
		{"no vote, then a vote", 5, []attempt{errs(invalid), answers(provider.Usage{})}, 2, nil},
		{"no vote twice, not in a row", 5, []attempt{errs(invalid), errs(again(signal.FailureProvider)), errs(invalid), answers(provider.Usage{})}, 3, provider.ErrInvalidResponse},
		{"authentication", 5, []attempt{errs(finally(signal.FailureAuthentication))}, 1, provider.ErrAuthentication},
		{"quota", 5, []attempt{errs(finally(signal.FailureRateLimit))}, 1, provider.ErrRateLimit},
		{"refusal", 5, []attempt{errs(finally(signal.FailureRefusal))}, 1, provider.ErrRefusal},
		{"truncated", 5, []attempt{errs(finally(signal.FailureTruncated))}, 1, provider.ErrTruncated},
		{"an unknown model", 5, []attempt{errs(finally(signal.FailureProvider))}, 1, provider.ErrProvider},
		{"an error of another type", 5, []attempt{errs(errors.New("gone"))}, 1, provider.ErrProvider},
		{"a wrapped error of ours", 5, []attempt{errs(fmt.Errorf("asking: %w", again(signal.FailureProvider))), answers(provider.Usage{})}, 2, nil},
		{"a nil error of ours in an error is no vote", 5, []attempt{errs((*provider.Error)(nil))}, 1, provider.ErrProvider},
		{"a cancellation that nobody asked for", 5, []attempt{errs(finally(signal.FailureNotNeeded))}, 1, provider.ErrProvider},
		{"a panic", 5, []attempt{panics("no")}, 1, provider.ErrProvider},
		{"a panic of nil", 5, []attempt{panics(nil)}, 1, provider.ErrProvider},
		{"a panic in the second attempt", 5, []attempt{errs(again(signal.FailureProvider)), panics("no")}, 2, provider.ErrProvider},
		{"a decision that is none", 5, []attempt{says(func(a *provider.Answer) { a.Decision = "buy" })}, 2, provider.ErrInvalidResponse},
		{"no decision", 5, []attempt{says(func(a *provider.Answer) { *a = provider.Answer{} })}, 2, provider.ErrInvalidResponse},
		{"a confidence above 1", 5, []attempt{says(func(a *provider.Answer) { a.Confidence = 85 })}, 2, provider.ErrInvalidResponse},
		{"a confidence that is no number, then a vote", 5, []attempt{says(func(a *provider.Answer) { a.Confidence = math.NaN() }), answers(provider.Usage{})}, 2, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &scripted{name: "p", attempts: test.attempts}
				report := caller(test.max).Ask(t.Context(), p, provider.Prompt{})
				if int(p.asked.Load()) != test.asked || report.Attempts != test.asked {
					t.Errorf("asked %d times and told of %d, want %d", p.asked.Load(), report.Attempts, test.asked)
				}
				if (test.err == nil) != (report.Err == nil) || (test.err != nil && !errors.Is(report.Err, test.err)) {
					t.Fatalf("error %v, want %v", report.Err, test.err)
				}
				if test.err == nil && report.Answer.Decision != signal.Buy {
					t.Errorf("answer %+v, want the vote", report.Answer)
				}
				if test.err != nil && !cmp.Equal(report.Answer, provider.Answer{}) {
					t.Errorf("an answer beside the error: %+v", report.Answer)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name             string
		wait, budget     time.Duration
		asked            int
		took             time.Duration
		err              error
		secondAnswerLate bool
	}{
		{name: "kept to the millisecond", wait: 1234 * time.Millisecond, budget: 25 * time.Second, asked: 2, took: 1234 * time.Millisecond},
		{name: "just fits", wait: 4999 * time.Millisecond, budget: 5 * time.Second, asked: 2, took: 4999 * time.Millisecond},
		{name: "does not fit", wait: 5 * time.Second, budget: 5 * time.Second, asked: 1, err: provider.ErrRateLimit},
		{name: "a day", wait: 24 * time.Hour, budget: 25 * time.Second, asked: 1, err: provider.ErrRateLimit},
		{name: "fits, but not the answer after it", wait: 4 * time.Second, budget: 5 * time.Second, asked: 2, took: 5 * time.Second, err: provider.ErrTimeout, secondAnswerLate: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.budget)
				defer cancel()
				busy := again(signal.FailureRateLimit)
				busy.RetryAfter = test.wait
				p := &scripted{name: "p", attempts: []attempt{errs(busy), answers(provider.Usage{})}}
				if test.secondAnswerLate {
					p.attempts[1] = hangs
				}
				report := caller(5).Ask(ctx, p, provider.Prompt{})
				if report.Attempts != test.asked || report.Ended.Sub(report.Started) != test.took {
					t.Errorf("asked %d times in %v, want %d in %v", report.Attempts, report.Ended.Sub(report.Started), test.asked, test.took)
				}
				if (report.Err != nil) != (test.err != nil) || (test.err != nil && !errors.Is(report.Err, test.err)) {
					t.Errorf("error %v, want %v", report.Err, test.err)
				}
			})
		})
	}
}

// If the provider asks for no wait, the first one is at most a quarter of a second, and the
// bound doubles with every further one. One half of it is random.
func TestBackoff(t *testing.T) {
	bounds := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second, 4 * time.Second}
	drawn := map[time.Duration]bool{}
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Time
			p := &scripted{name: "p", attempts: []attempt{func(context.Context) (provider.Answer, error) {
				asked = append(asked, time.Now())
				return provider.Answer{}, again(signal.FailureProvider)
			}}}
			caller(len(bounds)+1).Ask(t.Context(), p, provider.Prompt{})
			if len(asked) != len(bounds)+1 {
				t.Fatalf("asked %d times, want %d", len(asked), len(bounds)+1)
			}
			for i, most := range bounds {
				wait := asked[i+1].Sub(asked[i])
				if wait < most/2 || wait >= most {
					t.Errorf("wait %d is %v, want %v to %v", i+1, wait, most/2, most)
				}
				drawn[wait] = true
			}
		})
	}
	if len(drawn) < 50 {
		t.Errorf("%d different waits of 140: they are not drawn by chance", len(drawn))
	}
}

func TestDeadline(t *testing.T) {
	const budget = 5 * time.Second
	late := func(answer attempt) attempt {
		return func(ctx context.Context) (provider.Answer, error) {
			time.Sleep(budget) // does not look at its context, and is ready when that ends
			return answer(ctx)
		}
	}
	own := again(signal.FailureTimeout)
	own.Message = "my own timer"
	tests := []struct {
		name    string
		attempt attempt
		asked   int
		err     error
		message string
	}{
		{"hangs", hangs, 1, provider.ErrTimeout, "no answer within 5s"},
		{"an answer as the time is over", late(answers(provider.Usage{})), 1, nil, ""},
		{"an error as the time is over", late(errs(again(signal.FailureProvider))), 1, provider.ErrProvider, "provider"},
		{"a timer of its own", errs(own), 1, provider.ErrTimeout, "my own timer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), budget)
				defer cancel()
				report := caller(1).Ask(ctx, &scripted{name: "p", attempts: []attempt{test.attempt}}, provider.Prompt{})
				if report.Attempts != test.asked {
					t.Errorf("asked %d times, want %d", report.Attempts, test.asked)
				}
				if test.err == nil {
					if report.Err != nil || report.Answer.Decision != signal.Buy {
						t.Errorf("got %+v, %v; want the answer: it was paid for", report.Answer, report.Err)
					}
					return
				}
				if !errors.Is(report.Err, test.err) || report.Err.Message != test.message {
					t.Errorf("error %s %q, want %v %q", report.Err.Kind, report.Err.Message, test.err, test.message)
				}
			})
		})
	}
}

func TestNoAnswerWithin(t *testing.T) {
	for d, want := range map[time.Duration]string{
		20*time.Second - 70*time.Microsecond: "no answer within 20s",
		2500 * time.Millisecond:              "no answer within 2.5s",
		40*time.Millisecond - 1:              "no answer within 40ms",
	} {
		if got := provider.NoAnswerWithin(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestContextEndedBefore(t *testing.T) {
	p := &scripted{name: "p", attempts: []attempt{answers(provider.Usage{})}}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a cause of the caller's"))
	report := caller(3).Ask(ctx, p, provider.Prompt{})
	if p.asked.Load() != 0 || report.Attempts != 0 {
		t.Errorf("asked %d times, want 0: nobody waits for it", p.asked.Load())
	}
	if !errors.Is(report.Err, provider.ErrNotNeeded) || report.Started.IsZero() || report.Ended.IsZero() {
		t.Errorf("report %+v, want not_needed with its times", report)
	}
}

// If a call is cancelled before its next attempt, its error is that it was not needed. If
// there would have been no next attempt, its error is that of the last one.
func TestCancelledBetweenAttempts(t *testing.T) {
	busy := func() *provider.Error {
		err := again(signal.FailureRateLimit)
		err.RetryAfter, err.Usage = 10*time.Second, provider.Usage{Known: true, InputTokens: 7}
		return err
	}
	afterwards := func(err error) attempt { // comes when the run is over
		return func(context.Context) (provider.Answer, error) {
			time.Sleep(time.Second + time.Millisecond)
			return provider.Answer{}, err
		}
	}
	final, late := busy(), busy()
	final.Retryable, late.RetryAfter = false, time.Hour
	tests := []struct {
		name    string
		attempt attempt
		max     int
		took    time.Duration
		want    error
	}{
		{"while it waits", errs(busy()), 2, time.Second, provider.ErrNotNeeded},
		{"while it is asked", afterwards(busy()), 2, 1001 * time.Millisecond, provider.ErrNotNeeded},
		{"that was the last attempt", afterwards(busy()), 1, 1001 * time.Millisecond, provider.ErrRateLimit},
		{"not retryable", afterwards(final), 2, 1001 * time.Millisecond, provider.ErrRateLimit},
		{"no time for another", afterwards(late), 2, 1001 * time.Millisecond, provider.ErrRateLimit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				time.AfterFunc(time.Second, cancel)
				report := caller(test.max).Ask(ctx, &scripted{name: "p", attempts: []attempt{test.attempt}}, provider.Prompt{})
				if !errors.Is(report.Err, test.want) || report.Attempts != 1 {
					t.Errorf("error %v after %d attempts, want %v after 1", report.Err, report.Attempts, test.want)
				}
				if got := report.Ended.Sub(report.Started); got != test.took {
					t.Errorf("took %v, want %v", got, test.took)
				}
				if report.Usage.InputTokens != 7 {
					t.Errorf("usage %+v: what the attempt used is lost", report.Usage)
				}
			})
		})
	}
}

func TestUsageOverAttempts(t *testing.T) {
	usage := func(in, cached, out int, usd float64) provider.Usage {
		u := provider.Usage{Known: true, InputTokens: in, CachedTokens: cached, OutputTokens: out}
		if usd >= 0 {
			u.CostUSD = &usd
		}
		return u
	}
	failing := func(u provider.Usage) attempt {
		err := again(signal.FailureProvider)
		err.Usage = u
		return errs(err)
	}
	tests := []struct {
		name     string
		attempts []attempt
		want     provider.Usage
	}{
		{"one", []attempt{answers(usage(10, 4, 2, .5))}, usage(10, 4, 2, .5)},
		{"a failed one before", []attempt{failing(usage(10, 4, 2, .5)), answers(usage(20, 0, 3, .25))}, usage(30, 4, 5, .75)},
		{"a failed one of unknown usage", []attempt{failing(provider.Usage{}), answers(usage(20, 0, 3, .25))}, usage(20, 0, 3, .25)},
		{"the last is unknown", []attempt{failing(usage(10, 0, 2, .5)), answers(provider.Usage{})}, usage(10, 0, 2, .5)},
		{"one without a price", []attempt{failing(usage(10, 0, 2, .5)), answers(usage(20, 0, 3, -1))}, usage(30, 0, 5, -1)},
		{"the first without a price", []attempt{failing(usage(10, 0, 2, -1)), answers(usage(20, 0, 3, .5))}, usage(30, 0, 5, -1)},
		{"all unknown", []attempt{failing(provider.Usage{}), answers(provider.Usage{})}, provider.Usage{}},
		{"impossible figures", []attempt{answers(usage(-1, 0, 0, .5))}, provider.Usage{}},
		{"an impossible cost", []attempt{answers(usage(1, 0, 1, math.Inf(1)))}, usage(1, 0, 1, -1)},
		{"a cost that is no number", []attempt{failing(usage(1, 0, 1, math.NaN())), answers(usage(1, 0, 1, .5))}, usage(2, 0, 2, -1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := caller(2).Ask(t.Context(), &scripted{name: "p", attempts: test.attempts}, provider.Prompt{})
				if diff := cmp.Diff(test.want, report.Usage); diff != "" {
					t.Errorf("usage (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A vote that was not read by ParseBallot is tidied in the same way.
func TestVotesAreTidied(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name   string
		change func(*provider.Answer)
		want   provider.Ballot
	}{
		{"as it is", func(a *provider.Answer) { a.StopLoss = new(1.5) }, provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up", StopLoss: new(1.5)}},
		{"levels that are no numbers", func(a *provider.Answer) { a.StopLoss, a.TakeProfit = &nan, new(math.Inf(1)) }, provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up"}},
		{"a risk level that is none", func(a *provider.Answer) { a.RiskLevel = new(signal.RiskLevel("HIGH!")) }, provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up"}},
		{"a risk level", func(a *provider.Answer) { a.RiskLevel = new(signal.High) }, provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up", RiskLevel: new(signal.High)}},
		{"reasoning with a key and an escape", func(a *provider.Answer) { a.Reasoning = "up\x1b[2J\nsk-0123456789abcdef" }, provider.Ballot{Decision: signal.Buy, Confidence: .8, Reasoning: "up[2J [redacted]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			report := caller(1).Ask(t.Context(), &scripted{name: "p", attempts: []attempt{says(test.change)}}, provider.Prompt{})
			if report.Err != nil {
				t.Fatal(report.Err)
			}
			if diff := cmp.Diff(test.want, report.Answer.Ballot); diff != "" {
				t.Errorf("ballot (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPanicShowsNoValue(t *testing.T) {
	const secret = "sk-Q7vXw2Zr9TtLm4Kp8HsNb3"
	type request struct{ Key string }
	causes := map[string]any{"text": secret, "error": errors.New(secret), "request": request{secret}, "pointer": &request{secret}}
	for name, cause := range causes {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			logged := provider.NewCaller(3, slog.New(slog.DiscardHandler)).WithLogger(slog.New(slog.NewJSONHandler(&log, nil)))
			report := logged.Ask(t.Context(), &scripted{name: "p", attempts: []attempt{panics(cause)}}, provider.Prompt{})
			if report.Err == nil || report.Err.Message != "p panicked; the log says where" || report.Err.Retryable {
				t.Errorf("error %v, want a final one that says it panicked", report.Err)
			}
			if got := log.String() + fmt.Sprintf("%+v", report.Err); strings.Contains(got, secret) {
				t.Errorf("the panic's value leaks: %s", got)
			}
			if !strings.Contains(log.String(), "call_test.go") {
				t.Errorf("the log does not say where: %s", log.String())
			}
		})
	}
	var log bytes.Buffer
	var nowhere []int
	index := func(context.Context) (provider.Answer, error) {
		return provider.Answer{Model: fmt.Sprint(nowhere[3])}, nil
	}
	provider.NewCaller(1, slog.New(slog.NewJSONHandler(&log, nil))).Ask(t.Context(), &scripted{name: "p", attempts: []attempt{index}}, provider.Prompt{})
	if !strings.Contains(log.String(), "index out of range [3] with length 0") {
		t.Errorf("the log does not say what the runtime raised: %s", log.String())
	}
}

// Only an attempt that is followed by another is logged, by one line.
func TestRetryLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		busy := again(signal.FailureRateLimit)
		busy.RetryAfter = 1500 * time.Millisecond
		plain := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		provider.NewCaller(2, plain).Ask(t.Context(), &scripted{name: "p", attempts: []attempt{errs(busy)}}, provider.Prompt{})
		want := "level=WARN msg=\"Provider attempt failed:\" provider=p error=rate_limit attempt=1 message=rate_limit next_in_ms=1500\n"
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}
