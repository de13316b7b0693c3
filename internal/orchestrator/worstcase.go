package orchestrator

// What a run may cost at the most.

import "thalas/internal/provider"

// WorstCaseUSD bounds what asking this question costs: every provider that
// may be asked fails and is tried as often as allowed, each time with the largest
// answer; attempt bounds one attempt of each. A model without a known price is
// not in it. The request must have passed Check.
func (o *Orchestrator) WorstCaseUSD(request Request) (total float64, attempt map[string]float64) {
	prompt := request.asks()
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

// Check holds a request against the rules without asking anybody. It returns
// signal.FieldErrors that name every mistake, or nil.
func (o *Orchestrator) Check(request Request) error {
	if _, mistakes := o.check(&request); len(mistakes) > 0 {
		return mistakes
	}
	return nil
}
