package service

// The Service, its options, and what it refuses. A run without a decision is an
// [orchestrator.Error] and wrong input is [signal.FieldErrors]; every other refusal is an
// [Error].

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// Options are the parts and limits of a Service. Orchestrator, Registry and
// Store are required.
type Options struct {
	Orchestrator *orchestrator.Orchestrator
	Registry     *provider.Registry
	Store        store.Store
	Simulated    bool   // the providers are simulated: their results are stored and listed separately from real ones
	MinProviders int    // fewer available providers make health unavailable
	Version      string // of the program

	MaxConcurrentRuns int           // runs at once; 0: DefaultMaxConcurrentRuns
	Callers           int           // callers with an API key of their own, which share the runs at once; 0: there are no such keys
	ResultRetention   time.Duration // how long results are kept; 0: for ever
	MetricsRetention  time.Duration // how long counters are kept; 0: for ever
	DailyBudgetUSD    float64       // spending cap of a UTC day over all processes; 0: none
	RequestBudgetUSD  float64       // spending cap of one request; 0: none
	RoundTripCost     float64       // what buying and selling costs together, as a share of the price: scores are net of it
	Logger            *slog.Logger  // nil: no log

	// Prepare fetches the provider keys before a run. Its error is shown to the caller.
	// It is nil when the keys are already in the configuration.
	Prepare func(context.Context) error
	// Keyless means that this process has no provider keys and never asks a provider.
	// Health then reads from the counters which providers have a key, and probing is
	// refused.
	Keyless bool
	// Frozen means that the process stands still between requests, as a Lambda function
	// does. Nothing may go on in the background then: it would go on during another request.
	Frozen bool
	// Meter is called after each run. It may be nil.
	Meter Meter
}

// Meter counts runs in another place than the store. Decided and Undecided are not called
// for an answer that is replayed, nor for a question that is refused before a run: for its
// form, its budget, or because too many runs are under way.
type Meter interface {
	// Decided reports a decision, and whether it could be stored.
	Decided(result *signal.Consensus, stored bool)
	// Undecided reports a run without a decision: its id, the votes that came, the
	// providers that failed, and what the run used. All of them are empty if the keys
	// could not be read, so that no provider could be asked.
	Undecided(run string, votes []signal.Vote, failures []signal.Failure, latencyMS, costUSD float64)
	// OverBudget reports a question that was refused because the day's budget is used up.
	OverBudget()
	// Settled reports results of one series that were settled: how many, how many raw BUYs
	// and SELLs and how many of them were right, and the sum of the net returns.
	Settled(settled, directional, hits int, netReturn float64)
}

// DefaultMaxConcurrentRuns is Options.MaxConcurrentRuns where that is 0.
const DefaultMaxConcurrentRuns = 256

// Service answers questions and reads the answers back. It is safe for
// concurrent use.
type Service struct {
	Options
	slots  *slots         // each run holds one
	runs   sync.WaitGroup // questions that are being answered
	memory memory         // for all runs together
	budget budget
	prober prober
	// writeFailed means that the last result of this process could not be stored. Reading
	// does not show that: a full disk, for example, can still be read.
	writeFailed atomic.Bool
	unstored    unstored
	fits        fits
	series      series
	log         *slog.Logger
}

// New makes a Service.
func New(options Options) *Service {
	if options.MaxConcurrentRuns == 0 {
		options.MaxConcurrentRuns = DefaultMaxConcurrentRuns
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Meter == nil {
		options.Meter = unmetered{}
	}
	s := &Service{Options: options, slots: newSlots(options.MaxConcurrentRuns, options.Callers), memory: newMemory(), log: options.Logger}
	s.budget.daily = microUSD(options.DailyBudgetUSD)
	return s
}

// Wait returns after the last run has ended, its cost is booked, and results that could
// not be stored before are stored. Its error is ctx's, or says how many results are lost.
// The caller must have stopped accepting questions.
func (s *Service) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
		s.bookOwed(ctx)
		until, ok := ctx.Deadline()
		if !ok {
			until = time.Now().Add(paidTimeout)
		}
		return s.storeLast(ctx, until)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unmetered is a Meter that does nothing.
type unmetered struct{}

func (unmetered) Decided(*signal.Consensus, bool)                                     {}
func (unmetered) Undecided(string, []signal.Vote, []signal.Failure, float64, float64) {}
func (unmetered) Settled(int, int, int, float64)                                      {}
func (unmetered) OverBudget()                                                         {}

// The kinds of [Error], for errors.Is and for clients.
const (
	ErrInFlight      signal.ErrorCode = "idempotency_key_in_flight"
	ErrOtherBody     signal.ErrorCode = "idempotency_key_reused"
	ErrBusy          signal.ErrorCode = "too_many_runs"
	ErrDailyBudget   signal.ErrorCode = "daily_budget"
	ErrRequestBudget signal.ErrorCode = "request_budget"
	ErrNoBudget      signal.ErrorCode = "budget_unknown"
	ErrStore         signal.ErrorCode = "store_unreachable"
	ErrNoSignal      signal.ErrorCode = "no_signal_yet"
	ErrStale         signal.ErrorCode = "stale_signal"
	ErrNotFound      signal.ErrorCode = "unknown_id"
	ErrKeys          signal.ErrorCode = "keys_unavailable"
	ErrProbe         signal.ErrorCode = "probe_not_allowed"
)

// Error is a refusal of the service.
type Error struct {
	Message    string        // for the caller: what happened and what to do next
	RetryAfter time.Duration // when the same request may succeed; 0: repeating it does not help
	kind       signal.ErrorCode
	cause      error // for the log only
}

func (e *Error) Error() string { return e.Message }

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool { return target == e.kind }

// As gives e's kind to [signal.CodeOf].
func (e *Error) As(target any) bool {
	code, wanted := target.(*signal.ErrorCode)
	if wanted {
		*code = e.kind
	}
	return wanted
}

// Unwrap gives what caused the error, if that was another error.
func (e *Error) Unwrap() error { return e.cause }

// unreachable makes the error of a store that does not answer, or nil of a nil cause. The
// message leaves out the cause, which may name tables and addresses.
func unreachable(what string, cause error) error {
	switch {
	case cause == nil:
		return nil
	case errors.Is(cause, store.ErrDamaged):
		return &Error{Message: fmt.Sprintf("The store is damaged, deleted or replaced, and could not be used %s. The server's log says what is wrong and what to do.", what), RetryAfter: time.Minute, kind: ErrStore, cause: cause}
	}
	return &Error{Message: fmt.Sprintf("The store could not be reached %s. Try again.", what), RetryAfter: time.Second, kind: ErrStore, cause: cause}
}
