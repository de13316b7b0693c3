package orchestrator

// The original's health_check and get_metrics.

import (
	"context"
	"log/slog"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// checkTimeout bounds the free calls of HealthCheck.
const checkTimeout = 5 * time.Second

// Health says whether a run could be answered now.
type Health struct {
	Status             string          `json:"status"`              // healthy, or degraded: too few working providers, or one that can be asked does not work
	AvailableProviders int             `json:"available_providers"` // that can be asked
	RequiredProviders  int             `json:"required_providers"`
	ProviderHealth     map[string]bool `json:"provider_health"` // every enabled provider: whether its free call succeeded
	Timestamp          time.Time       `json:"timestamp"`
}

// The values of Health.Status.
const (
	StatusHealthy  = "healthy"
	StatusDegraded = "degraded"
)

// HealthCheck makes a free authenticated call to every available provider, at
// the same time. Nothing is paid. It returns grace after checkTimeout at the
// latest: a provider that has not answered by then does not work.
func (o *Orchestrator) HealthCheck(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	health := Health{Status: StatusHealthy, RequiredProviders: o.options.MinProviders, ProviderHealth: map[string]bool{}, Timestamp: time.Now().UTC()}
	type checked struct {
		name string
		err  *provider.Error
	}
	entries := o.registry.Entries()
	results := make(chan checked, len(entries))
	for _, e := range entries {
		if e.Disabled {
			continue
		}
		name := e.Provider.Name()
		health.ProviderHealth[name] = false
		if e.Available() {
			health.AvailableProviders++
			go func() { results <- checked{name, Check(ctx, e.Provider)} }()
		}
	}
	working, outstanding := 0, health.AvailableProviders
	collect(ctx, results, func() bool { return outstanding > 0 }, func(c checked) {
		outstanding--
		if c.err == nil {
			health.ProviderHealth[c.name] = true
			working++
			return
		}
		o.log.LogAttrs(ctx, slog.LevelWarn, "Provider health check failed:",
			slog.String("provider", c.name), slog.String("error", string(c.err.Kind)), slog.String("message", c.err.Message))
	})
	if working < health.RequiredProviders || working < health.AvailableProviders {
		health.Status = StatusDegraded
	}
	return health
}

// Check makes one free call; a panic is a failure like any other.
func Check(ctx context.Context, p provider.Provider) (err *provider.Error) {
	defer func() {
		if recover() != nil {
			err = &provider.Error{Kind: signal.FailureProvider, Message: p.Name() + " panicked"}
		}
	}()
	return provider.AsError(p.Check(ctx))
}

// Metrics are the counts since the process started.
type Metrics struct {
	TotalRequests      int64          `json:"total_requests"`
	SuccessfulRequests int64          `json:"successful_requests"`
	FailedRequests     int64          `json:"failed_requests"`
	SuccessRate        float64        `json:"success_rate"` // 0…1; 0 before the first request
	RegistryStatus     RegistryStatus `json:"registry_status"`
	Configuration      Configuration  `json:"configuration"`
}

// RegistryStatus says which providers there are.
type RegistryStatus struct {
	TotalProviders     int                       `json:"total_providers"`
	AvailableProviders int                       `json:"available_providers"`
	Providers          map[string]ProviderStatus `json:"providers"`
}

// ProviderStatus says how one provider is set up.
type ProviderStatus struct {
	Model     string  `json:"model"`
	Weight    float64 `json:"weight"`
	Enabled   bool    `json:"enabled"`
	Available bool    `json:"available"`
	Reason    string  `json:"reason,omitempty"` // why it is not available
}

// Configuration is the policy where a request says nothing.
type Configuration struct {
	MinProviders   int     `json:"min_providers"`
	MinConfidence  float64 `json:"min_confidence"`
	MinAgreement   float64 `json:"min_agreement"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
}

// Metrics counts the runs that were started: a missing quorum is a failed one, a
// refused request is none.
func (o *Orchestrator) Metrics() Metrics {
	m := Metrics{
		// The total last: a run that ends meanwhile is never counted without having begun.
		SuccessfulRequests: o.successes.Load(), FailedRequests: o.failures.Load(), TotalRequests: o.requests.Load(),
		Configuration: Configuration{o.options.MinProviders, *o.options.MinConfidence, o.options.MinAgreement, o.options.Timeout.Seconds()},
	}
	if m.TotalRequests > 0 {
		m.SuccessRate = float64(m.SuccessfulRequests) / float64(m.TotalRequests)
	}
	m.RegistryStatus = Status(o.registry.Entries())
	return m
}

// Status describes registered providers.
func Status(entries []provider.Entry) RegistryStatus {
	status := RegistryStatus{Providers: map[string]ProviderStatus{}}
	for _, e := range entries {
		s := ProviderStatus{Model: e.Provider.Model(), Weight: e.VoteWeight(), Enabled: !e.Disabled, Available: e.Available(), Reason: e.Unavailable}
		if e.Disabled {
			s.Reason = "disabled"
		}
		status.TotalProviders++
		if s.Available {
			status.AvailableProviders++
		}
		status.Providers[e.Provider.Name()] = s
	}
	return status
}
