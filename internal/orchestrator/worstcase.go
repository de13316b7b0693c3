package orchestrator

// What a run may cost at the most.

import (
	"time"

	"thalas/internal/provider"
)

// WorstCaseUSD bounds what asking this question costs: every provider that
// may be asked fails and is tried as often as allowed, each time with the largest
// answer; attempt bounds one attempt of each. A model without a known price is
// not in it.
func (o *Orchestrator) WorstCaseUSD(request Checked) (total float64, attempt map[string]float64) {
	prompt := request.prompt()
	attempt = map[string]float64{}
	for _, e := range o.registry.Entries() {
		// Not only those that are available now: a breaker may close until they are asked.
		priced, ok := e.Provider.(provider.Priced)
		if !ok || e.Disabled || e.Unavailable != "" {
			continue
		}
		if usd, known := priced.WorstCaseUSD(prompt); known {
			attempt[e.Provider.Name()] = usd
			total += usd * float64(o.options.MaxAttempts)
		}
	}
	return total, attempt
}

// Timeout is the most that a run of this request takes.
func (c Checked) Timeout() time.Duration { return c.request.Timeout }
