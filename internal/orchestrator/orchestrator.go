package orchestrator

// The Orchestrator, and how a run goes from its request to its result.

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"thalas/internal/consensus"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Defaults of the Options.
const (
	DefaultMinProviders  = 1
	DefaultMinConfidence = 0.5
	DefaultTimeout       = 25 * time.Second // the original's 30 s do not fit below an API gateway's 29 s
	DefaultMaxAttempts   = 3
	MaxTimeout           = 30 * time.Second
)

// Options hold the policy of all requests that do not set their own, and the rest of what
// an Orchestrator needs.
type Options struct {
	MinProviders  int           // votes that a decision needs; 0: DefaultMinProviders
	MinConfidence *float64      // 0…1; nil: DefaultMinConfidence
	MinAgreement  float64       // 0…1
	Timeout       time.Duration // for all providers together; 0: DefaultTimeout
	Reserve       time.Duration // time between the end of a run and the deadline of its context
	MaxAttempts   int           // for each provider; 0: DefaultMaxAttempts
	Simulated     bool          // the registered providers are simulated, which every result says
	Logger        *slog.Logger  // nil: no log
	Tracer        Tracer        // nil: no trace
}

// Orchestrator asks the providers of a registry. It is safe for concurrent use.
type Orchestrator struct {
	registry *provider.Registry
	options  Options
	caller   *provider.Caller
	log      *slog.Logger

	requests, successes, failures atomic.Int64
}

// New makes an Orchestrator. Providers that are registered later take part from the next
// run on.
func New(registry *provider.Registry, options Options) *Orchestrator {
	minConfidence := DefaultMinConfidence
	if options.MinConfidence != nil {
		minConfidence = *options.MinConfidence // a copy, because the caller may change its own
	}
	options.MinConfidence = &minConfidence
	options.MinProviders = cmp.Or(options.MinProviders, DefaultMinProviders)
	options.Timeout = cmp.Or(options.Timeout, DefaultTimeout)
	options.MaxAttempts = cmp.Or(options.MaxAttempts, DefaultMaxAttempts)
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	caller := provider.NewCaller(options.MaxAttempts, options.Logger)
	return &Orchestrator{registry: registry, options: options, caller: caller, log: options.Logger}
}

// GenerateConsensusSignal checks a request, asks every available provider, and decides.
//
// A request that breaks a rule gives signal.FieldErrors, before any provider is asked. A
// run without a decision gives an *Error of one of the kinds of this package; if ctx was
// cancelled, it is ErrCanceled and wraps context.Canceled. An error never becomes a HOLD.
func (o *Orchestrator) GenerateConsensusSignal(ctx context.Context, request Request) (*signal.Consensus, error) {
	checked, err := o.Check(request)
	if err != nil {
		return nil, err
	}
	return o.Run(ctx, checked)
}

// Run is [Orchestrator.GenerateConsensusSignal] for a request that was checked before.
func (o *Orchestrator) Run(ctx context.Context, request Checked) (*signal.Consensus, error) {
	r, err := o.newRun(request)
	if err != nil {
		return nil, err
	}
	o.requests.Add(1)
	result, err := o.execute(ctx, r)
	if err != nil {
		o.failures.Add(1)
		return nil, err
	}
	o.successes.Add(1)
	return result, nil
}

// run is the state of one run.
type run struct {
	Request
	prompt   func() provider.Prompt
	id       string
	policy   consensus.Policy
	started  time.Time
	entries  []provider.Entry // the available providers, by name
	weights  []float64        // of the entries, in this run
	calls    []call           // to the entries
	warnings []signal.Warning
	log      *slog.Logger
}

func (o *Orchestrator) newRun(checked Checked) (*run, error) {
	r := &run{Request: checked.request, prompt: checked.prompt, started: time.Now(), id: checked.request.ID, entries: o.registry.Available()}
	if r.id == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		r.id = id.String()
	}
	r.log = o.log.With(slog.String("run", r.id))
	r.policy = consensus.Policy{MinConfidence: *r.MinConfidence, MinAgreement: *r.MinAgreement, Price: r.CurrentPrice.Float64()}
	r.warnings = slices.Clone(r.Warnings)
	r.weights, r.calls = make([]float64, len(r.entries)), make([]call, len(r.entries))
	unused := maps.Clone(checked.weights)
	for i, e := range r.entries {
		weight, given := unused[r.name(i)]
		if !given {
			weight = e.VoteWeight()
		}
		r.weights[i] = weight
		delete(unused, r.name(i))
	}
	for _, name := range sortedKeys(unused) {
		r.warn(signal.WarnWeightUnused, name, "a weight was sent for "+name+", which is not available in this run")
	}
	return r, nil
}

func (r *run) warn(code signal.WarningCode, provider, message string) {
	r.warnings = append(r.warnings, signal.Warning{Code: code, Provider: provider, Message: message})
}

// execute checks the quorum before and after the providers are asked, and makes the result
// of their votes.
func (o *Orchestrator) execute(ctx context.Context, r *run) (*signal.Consensus, error) {
	r.log.LogAttrs(ctx, slog.LevelInfo, "Generating consensus signal for",
		slog.String("pair", r.Pair.String()), slog.String("timeframe", string(r.Timeframe)), slog.String("price", r.CurrentPrice.String()))
	switch n := len(r.entries); {
	case n == 0:
		return nil, o.fail(ctx, r, &Error{kind: ErrNoProviders})
	case n < r.MinProviders:
		return nil, o.fail(ctx, r, &Error{kind: ErrInsufficientProviders, Have: n, Need: r.MinProviders})
	}
	o.ask(ctx, r)

	votes, failures := r.votesAndFailures()
	switch {
	case ctx.Err() == context.Canceled && len(votes) < r.asked():
		return nil, o.fail(ctx, r, &Error{kind: ErrCanceled, Failures: failures, Cause: ctx.Err()})
	case len(votes) < r.MinProviders:
		return nil, o.fail(ctx, r, &Error{kind: ErrInsufficientResponses, Have: len(votes), Need: r.MinProviders, Failures: failures, RetryAfter: r.retryAfter()})
	}
	voters := make([]string, len(votes))
	for i := range votes {
		voters[i] = votes[i].Provider
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "Received", slog.Int("count", len(votes)), slog.Any("providers", voters))
	result, err := o.conclude(ctx, r, votes, failures)
	if err != nil {
		return nil, o.fail(ctx, r, err)
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "Consensus reached:",
		slog.String("decision", string(result.Decision)), slog.Float64("confidence", result.Confidence), slog.Float64("agreement", result.AgreementScore),
		slog.Int("participating", result.ParticipatingProviders), slog.Int("total", result.TotalProviders),
		slog.Float64("latency_ms", result.TotalLatencyMS), slog.Float64("cost_usd", result.TotalCostUSD), slog.Bool("simulated", result.Simulated), probabilityAttr(result.Probability))
	return result, nil
}

// probabilityAttr is the probability as it is logged: its value, or why there is none.
func probabilityAttr(p *signal.Probability) slog.Attr {
	switch {
	case p == nil:
		return slog.Attr{} // nobody asked for it; an empty attribute is not logged
	case p.Value != nil:
		return slog.Float64("probability", *p.Value)
	}
	return slog.String("probability", string(*p.Reason))
}

// fail fills in and logs the error of a run.
func (o *Orchestrator) fail(ctx context.Context, r *run, err *Error) *Error {
	err.Total = r.total()
	err.Votes, _ = r.votesAndFailures()
	err.RunID = r.id
	var attrs []slog.Attr
	if err.Need > 0 {
		attrs = append(attrs, slog.Int("have", err.Have), slog.Int("need", err.Need))
	}
	if err.Cause != nil {
		attrs = append(attrs, slog.String("cause", err.Cause.Error()))
	}
	failed := make([]string, len(err.Failures))
	for i, f := range err.Failures {
		failed[i] = f.Provider + ":" + string(f.Error)
	}
	attrs = append(attrs, slog.Any("failed", failed), slog.Float64("latency_ms", err.Total.LatencyMS), slog.Float64("cost_usd", err.Total.CostUSD))
	r.log.LogAttrs(ctx, slog.LevelError, err.sentence(), attrs...)
	return err
}
