package orchestrator

// The Orchestrator and the one method that matters.

import (
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

// Options are the policy of a run where its request says nothing.
type Options struct {
	MinProviders  int           // votes that a decision needs; 0: DefaultMinProviders
	MinConfidence *float64      // 0…1; nil: DefaultMinConfidence
	MinAgreement  float64       // 0…1
	Timeout       time.Duration // the run budget; 0: DefaultTimeout
	Reserve       time.Duration // what a context's deadline leaves for the answer after the run
	MaxAttempts   int           // tries per provider; 0: DefaultMaxAttempts
	Simulated     bool          // the registered providers are simulated; said in every result
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

// New makes an Orchestrator over the providers of registry; what is registered
// later takes part from the next run on.
func New(registry *provider.Registry, options Options) *Orchestrator {
	if options.MinProviders == 0 {
		options.MinProviders = DefaultMinProviders
	}
	minConfidence := DefaultMinConfidence
	if options.MinConfidence != nil {
		minConfidence = *options.MinConfidence // a copy, which nobody changes
	}
	options.MinConfidence = &minConfidence
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	if options.MaxAttempts == 0 {
		options.MaxAttempts = DefaultMaxAttempts
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Orchestrator{
		registry: registry,
		options:  options,
		caller:   provider.NewCaller(options.MaxAttempts, options.Logger),
		log:      options.Logger,
	}
}

// GenerateConsensusSignal asks every available provider and decides.
//
// It returns signal.FieldErrors for a request that breaks a rule, before anybody
// is asked; an *Error where there is no decision, which errors.Is tells apart by
// ErrNoProviders, ErrInsufficientProviders, ErrInsufficientResponses and
// ErrAggregation; and an error that wraps context.Canceled, and is an *Error by
// ErrCanceled, where ctx was cancelled. It never makes a HOLD of an error.
func (o *Orchestrator) GenerateConsensusSignal(ctx context.Context, request Request) (*signal.Consensus, error) {
	checked, err := o.Check(request)
	if err != nil {
		return nil, err
	}
	return o.Run(ctx, checked)
}

// Run is GenerateConsensusSignal for a request that was checked already.
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

// run is one question on its way.
type run struct {
	Request
	prompt   func() provider.Prompt
	id       string
	policy   consensus.Policy
	started  time.Time
	budget   time.Duration    // what the providers have together
	entries  []provider.Entry // the available providers, by name
	weights  []float64        // their weights in this run
	calls    []call           // to each of them
	warnings []signal.Warning
	log      *slog.Logger
}

func (o *Orchestrator) newRun(checked Checked) (*run, error) {
	started := time.Now()
	request, weights := checked.request, maps.Clone(checked.weights)
	id := request.ID
	if id == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		id = made.String()
	}
	r := &run{Request: request, prompt: checked.prompt, id: id, started: started, entries: o.registry.Available(), warnings: slices.Clone(request.Warnings)}
	r.log = o.log.With(slog.String("run", r.id))
	r.policy = consensus.Policy{MinConfidence: *request.MinConfidence, MinAgreement: *request.MinAgreement, Price: request.CurrentPrice.Float64()}
	r.weights, r.calls = make([]float64, len(r.entries)), make([]call, len(r.entries))
	for i, e := range r.entries {
		weight, given := weights[e.Provider.Name()]
		if !given {
			weight = e.VoteWeight()
		}
		r.weights[i] = weight
		delete(weights, e.Provider.Name())
	}
	for _, name := range sortedKeys(weights) {
		r.warn(signal.WarnWeightUnused, name, "a weight was sent for "+name+", which is not available in this run")
	}
	return r, nil
}

func (r *run) warn(code signal.WarningCode, provider, message string) {
	r.warnings = append(r.warnings, signal.Warning{Code: code, Provider: provider, Message: message})
}

// execute holds the run against the quorum before and after the providers are
// asked, and turns the votes into the result.
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

	votes, failures := r.outcome()
	switch {
	case ctx.Err() == context.Canceled && len(votes) < r.asked():
		return nil, o.fail(ctx, r, &Error{kind: ErrCanceled, Failures: failures, cause: ctx.Err()})
	case len(votes) < r.MinProviders:
		return nil, o.fail(ctx, r, &Error{kind: ErrInsufficientResponses, Have: len(votes), Need: r.MinProviders, Failures: failures, RetryAfter: r.retryAfter()})
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "Received", slog.Int("count", len(votes)), slog.Any("providers", voters(votes)))
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

// fail completes the error of a run and logs it.
func (o *Orchestrator) fail(ctx context.Context, r *run, err *Error) *Error {
	err.Total = r.total()
	err.Votes, _ = r.outcome()
	err.RunID = r.id
	attrs := make([]slog.Attr, 0, 6)
	if err.Need > 0 {
		attrs = append(attrs, slog.Int("have", err.Have), slog.Int("need", err.Need))
	}
	if err.cause != nil {
		attrs = append(attrs, slog.String("cause", err.cause.Error()))
	}
	attrs = append(attrs, slog.Any("failed", failed(err.Failures)),
		slog.Float64("latency_ms", err.Total.LatencyMS), slog.Float64("cost_usd", err.Total.CostUSD))
	r.log.LogAttrs(ctx, slog.LevelError, err.sentence(), attrs...)
	return err
}
