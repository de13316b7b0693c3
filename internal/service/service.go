package service

// The Service and what it is built of.

import (
	"context"
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
	Simulated    bool   // the providers are simulated: results are kept and read apart from real ones
	MinProviders int    // what health requires
	Version      string // of the program

	MaxConcurrentRuns int           // runs at once; 0: DefaultMaxConcurrentRuns
	Callers           int           // that have keys of their own, between which the runs at once are shared; 0: nobody has
	ResultRetention   time.Duration // how long results are kept; 0: for ever
	MetricsRetention  time.Duration // how long counters are kept; 0: for ever
	DailyBudgetUSD    float64       // spending cap of a UTC day over all processes; 0: none
	RequestBudgetUSD  float64       // spending cap of one request; 0: none
	Logger            *slog.Logger  // nil: no log

	// Prepare makes the providers ready before a run asks them: it gets their keys
	// where those come from elsewhere. Its error is shown to the caller. nil: they are.
	Prepare func(context.Context) error
	// KeysElsewhere: this process has no keys and asks nobody. Which providers have
	// one is known from the runs of others, and probing is refused.
	KeysElsewhere bool
	// Meter is told of each run when it has ended. nil: nobody wants to know.
	Meter Meter
}

// Meter counts runs somewhere else than in the store. An answer that is replayed
// is no run, and neither is a question that was refused before anybody would have
// been asked: for its form, its budget or the runs under way.
type Meter interface {
	// Decided tells a decision, and whether it could be stored.
	Decided(result *signal.Consensus, stored bool)
	// Undecided tells a run without one: its id, the votes that came, the providers
	// that failed, and what it used. Where the keys could not be read, so that nobody could be
	// asked, all of it is empty.
	Undecided(run string, votes []signal.Vote, failures []signal.Failure, latencyMS, costUSD float64)
	// OverBudget tells a question that was refused since the day's budget is used up.
	OverBudget()
}

// DefaultMaxConcurrentRuns is the bound on runs at once where none is given.
const DefaultMaxConcurrentRuns = 256

// Service answers questions and reads the answers back. It is safe for
// concurrent use.
type Service struct {
	Options
	slots  *slots         // one is taken by each run under way
	runs   sync.WaitGroup // questions that are being answered
	memory memory         // that runs at once may hold
	budget budget
	prober prober
	// unwritten: the last result of this process could not be stored, as when a disk is
	// full, which reading does not show.
	unwritten atomic.Bool
	unstored  unstored
	log       *slog.Logger
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

// Wait returns when no run is under way any more, what they cost is booked, and results
// that could not be stored before are stored. Its error is ctx's, or that such results
// are lost. Whoever calls it has stopped new questions from coming.
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

// unmetered is told of runs and does nothing.
type unmetered struct{}

func (unmetered) Decided(*signal.Consensus, bool)                                     {}
func (unmetered) Undecided(string, []signal.Vote, []signal.Failure, float64, float64) {}
func (unmetered) OverBudget()                                                         {}
