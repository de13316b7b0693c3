package orchestrator

// What is known of the providers and of all runs: the original's get_metrics.

import (
	"context"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Check makes the free call that proves a provider's key. A panic is a failure too.
func Check(ctx context.Context, p provider.Provider) (err *provider.Error) {
	defer func() {
		if recover() != nil {
			err = &provider.Error{Kind: signal.FailureProvider, Message: p.Name() + " panicked"}
		}
	}()
	return provider.AsError(p.Check(ctx))
}

// Metrics are the counts of runs since the process started.
type Metrics struct {
	TotalRequests      int64          `json:"total_requests"`
	SuccessfulRequests int64          `json:"successful_requests"`
	FailedRequests     int64          `json:"failed_requests"`
	SuccessRate        float64        `json:"success_rate"` // 0…1; 0 before the first request
	RegistryStatus     RegistryStatus `json:"registry_status"`
	Configuration      Configuration  `json:"configuration"`
}

// RegistryStatus describes all registered providers.
type RegistryStatus struct {
	TotalProviders     int                       `json:"total_providers"`
	AvailableProviders int                       `json:"available_providers"`
	Providers          map[string]ProviderStatus `json:"providers"`
}

// ProviderStatus says how a provider is configured.
type ProviderStatus struct {
	Model     string  `json:"model"`
	Weight    float64 `json:"weight"`
	Enabled   bool    `json:"enabled"`
	Available bool    `json:"available"`
	Reason    string  `json:"reason,omitempty"` // why it is not available
}

// Configuration is the policy of requests that do not set their own.
type Configuration struct {
	MinProviders   int     `json:"min_providers"`
	MinConfidence  float64 `json:"min_confidence"`
	MinAgreement   float64 `json:"min_agreement"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
}

// Metrics gives the counts of the runs so far. A run without a decision has failed. A request
// that breaks a rule is not a run.
func (o *Orchestrator) Metrics() Metrics {
	m := Metrics{
		// The total is read last, so that it is never less than the other two together.
		SuccessfulRequests: o.successes.Load(), FailedRequests: o.failures.Load(), TotalRequests: o.requests.Load(),
		RegistryStatus: Status(o.registry.Entries()),
		Configuration:  Configuration{o.options.MinProviders, *o.options.MinConfidence, o.options.MinAgreement, o.options.Timeout.Seconds()},
	}
	if m.TotalRequests > 0 {
		m.SuccessRate = float64(m.SuccessfulRequests) / float64(m.TotalRequests)
	}
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
