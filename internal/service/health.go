package service

// Health: what past calls of providers have shown and, if the caller wants it, what free
// calls show now.

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

const (
	// probeEvery is the least time between two rounds of free calls.
	probeEvery = 30 * time.Second
	// probeTimeout bounds a round of free calls.
	probeTimeout = 5 * time.Second
	// lookBack is how old the counters may be that health is made of.
	lookBack = 24 * time.Hour
	// keysLookBack is how old a run may be that tells a process without keys that a key
	// was missing. The key may have been added since, which only the next run shows.
	keysLookBack = time.Hour
)

// HealthStatus says whether a run could be answered now.
type HealthStatus string

// The statuses.
const (
	Healthy     HealthStatus = "healthy"
	Degraded    HealthStatus = "degraded"    // a provider's last call failed, or the store is unreachable
	Unavailable HealthStatus = "unavailable" // too few providers can be asked
)

// Health is the state of the service.
type Health struct {
	Status             HealthStatus     `json:"status" enum:"healthy,degraded,unavailable"`
	AvailableProviders int              `json:"available_providers" doc:"Enabled and with a key."`
	RequiredProviders  int              `json:"required_providers"`
	ProviderHealth     map[string]bool  `json:"provider_health" doc:"By name, every enabled provider: is available and not left out, and its last call did not fail."`
	Providers          []ProviderHealth `json:"providers" doc:"By name."`
	Store              string           `json:"store" enum:"ok,unreachable" doc:"unreachable too where the last result could not be written, and where the file is damaged, deleted or replaced."`
	Budget             *DayBudget       `json:"budget" doc:"null where there is no daily budget, and for callers without an API key where keys are configured."`
	Simulated          bool             `json:"simulated" doc:"The providers are simulated."`
	Version            string           `json:"version"`
}

// ProviderHealth is the state of one provider.
type ProviderHealth struct {
	Name         string                `json:"name"`
	Enabled      bool                  `json:"enabled"`
	Configured   bool                  `json:"configured" doc:"Has a key, or is simulated."`
	Model        string                `json:"model"`
	Weight       float64               `json:"weight"`
	Breaker      provider.BreakerState `json:"breaker" enum:"closed,open,half-open"`
	Reason       string                `json:"reason" doc:"Why it is not available; empty if it is."`
	LeftOut      *LeftOut              `json:"left_out" doc:"Why it is not asked now although it is available; null if it is."`
	LastSuccess  *time.Time            `json:"last_success" doc:"In the last 24 hours, over all processes."`
	LastError    *LastError            `json:"last_error" doc:"Likewise."`
	ErrorRate    float64               `json:"error_rate" doc:"Share of its calls in the last 24 hours that failed, 0 to 1."`
	LatencyP50MS *float64              `json:"latency_p50_ms" doc:"Of the calls in the last 24 hours that gave a vote."`
	Probe        *string               `json:"probe" doc:"With probe=true: ok, or what the free call failed at."`
}

// LeftOut says why a provider is not asked now. A run that can't reach its quorum
// without it asks it all the same, unless it has no credit or asked to wait.
type LeftOut struct {
	Reason signal.LeftOutReason `json:"reason" enum:"failing,key_refused,access_denied,no_credit,asked_to_wait"`
	Until  time.Time            `json:"until" doc:"When it is tried again; in the past while a run is trying it."`
}

// LastError is the newest failure of a provider.
type LastError struct {
	At    time.Time `json:"at"`
	Error string    `json:"error" doc:"Its kind."`
}

// Health gives the state of the service. It fetches the provider keys if they are due.
// It calls no provider unless probe is true: then each that is enabled and configured
// gets one free call, all at the same time. That happens at most once in 30 s; in between
// the last results are given again.
func (s *Service) Health(ctx context.Context, probe bool) Health {
	h := Health{RequiredProviders: s.MinProviders, ProviderHealth: map[string]bool{}, Providers: []ProviderHealth{}, Store: "ok", Simulated: s.Simulated, Version: s.Version}
	heard := s.hear(ctx)
	texts, metrics, err := s.pastDay(ctx)
	heard()
	var budgetErr error
	h.Budget, budgetErr = s.dayBudget(ctx)
	err = errors.Join(err, budgetErr)
	if s.writeFailed.Load() {
		err = errors.New("the last result could not be written")
	}
	if err != nil {
		h.Store = "unreachable"
	}
	var probed map[string]*provider.Error
	// If the keys can't be read, the providers show as unavailable.
	_ = s.prepare(ctx)
	if probe {
		probed = s.prober.probe(ctx, s.Registry.Entries())
	}
	failing := false
	for _, e := range s.entries(texts) {
		p := healthOf(e, texts, metrics)
		lastFailed := p.LastError != nil && (p.LastSuccess == nil || p.LastError.At.After(*p.LastSuccess))
		works := e.Available() && p.LeftOut == nil && !lastFailed
		if err, was := probed[p.Name]; was {
			if err == nil || !err.NoRoute {
				works = e.Available() && err == nil
			}
			p.Probe = new("ok")
			if err != nil {
				p.Probe = new(string(err.Kind) + ": " + err.Message)
			}
		}
		if p.Enabled {
			h.ProviderHealth[p.Name] = works
			failing = failing || (p.Configured && !works)
		}
		if e.Available() {
			h.AvailableProviders++
		}
		h.Providers = append(h.Providers, p)
	}
	switch {
	case h.AvailableProviders < h.RequiredProviders:
		h.Status = Unavailable
	case failing, err != nil:
		h.Status = Degraded
	default:
		h.Status = Healthy
	}
	return h
}

// MayProbe gives ErrProbe if this process has no keys to ask the providers with.
func (s *Service) MayProbe() error {
	if s.Keyless {
		return &Error{Message: "Probing is not allowed here: this process has no keys. Ask without probe=true.", kind: ErrProbe}
	}
	return nil
}

// entries gives the registered providers. In a process without keys the newest run says
// which providers have no key. A provider that no run has reported is taken to have one,
// which the next run will show.
func (s *Service) entries(texts map[string]string) []provider.Entry {
	if !s.Keyless {
		return s.Registry.Entries()
	}
	entries := slices.Clone(s.Registry.Entries())
	for i := range entries {
		e := &entries[i]
		e.Unavailable = ""
		if texts[e.Provider.Name()+configured] == strconv.FormatBool(false) {
			e.Unavailable = "the last run had no API key for it; the next question looks for one again"
		}
	}
	return entries
}

// registryStatus describes the providers as health does.
func (s *Service) registryStatus(ctx context.Context) orchestrator.RegistryStatus {
	var texts map[string]string
	if s.Keyless {
		texts, _, _ = s.pastDay(ctx) // if that fails, each provider is taken to have a key
	}
	return orchestrator.Status(s.entries(texts))
}

// pastDay reads the counters of the last 24 hours, and the newest texts in them.
func (s *Service) pastDay(ctx context.Context) (texts map[string]string, metrics Sums, err error) {
	now := time.Now().UTC()
	hours, err := s.hours(ctx, now.Add(-lookBack).Truncate(time.Hour), now.Add(time.Hour))
	texts = map[string]string{}
	keysFrom := now.Add(-keysLookBack).Format(hourLayout)
	for _, h := range hours { // oldest first, so that the newest text stays
		for name, text := range h.Texts {
			if strings.HasSuffix(name, configured) && h.Day+"T"+h.Hour < keysFrom {
				continue
			}
			texts[name] = text
		}
	}
	return texts, sum(hours), err
}

func healthOf(e provider.Entry, texts map[string]string, metrics Sums) ProviderHealth {
	name := e.Provider.Name()
	p := ProviderHealth{
		Name: name, Enabled: !e.Disabled, Configured: e.Unavailable == "", Model: e.Provider.Model(), Weight: e.VoteWeight(),
		Breaker: e.Breaker.State(), Reason: e.Reason(),
	}
	if left := e.Breaker.LeftOut(); left != nil {
		p.LeftOut = &LeftOut{left.Reason, left.Until.UTC().Truncate(time.Millisecond)}
	}
	if at, err := time.Parse(time.RFC3339Nano, texts[name+".last_success"]); err == nil {
		p.LastSuccess = &at
	}
	when, kind, _ := strings.Cut(texts[name+".last_error"], " ")
	if at, err := time.Parse(time.RFC3339Nano, when); err == nil {
		p.LastError = &LastError{at, kind}
	}
	for _, m := range metrics.Providers {
		if m.Provider == name {
			p.LatencyP50MS = m.LatencyMS.P50
			p.ErrorRate = rate(m.Requests-m.Successes, m.Requests)
		}
	}
	return p
}

// prober makes the free calls, and remembers their results.
type prober struct {
	mu      sync.Mutex // held while probing, so that concurrent callers share the results
	at      time.Time
	results map[string]*provider.Error // by name; nil: the key works
}

func (p *prober) probe(ctx context.Context, entries []provider.Entry) map[string]*provider.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.results != nil && time.Since(p.at) < probeEvery {
		return p.results
	}
	// A caller that goes away must not cancel the calls: other callers wait for them.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	entries = slices.DeleteFunc(slices.Clone(entries), func(e provider.Entry) bool { return e.Disabled || e.Unavailable != "" })
	errs := make([]*provider.Error, len(entries))
	var calls sync.WaitGroup
	for i, e := range entries {
		calls.Go(func() { errs[i] = orchestrator.Check(ctx, e.Provider) })
	}
	calls.Wait()
	p.at, p.results = time.Now(), map[string]*provider.Error{}
	for i, e := range entries {
		p.results[e.Provider.Name()] = errs[i]
		if errs[i] == nil {
			e.Breaker.Proved()
		}
	}
	return p.results
}
