package orchestrator

// What a run may cost at the most.

import "thalas/internal/provider"

// WorstCaseUSD bounds what asking this question costs: every available provider
// fails and is tried as often as allowed, each time with the largest answer. A
// model without a known price is not in it. The request must have passed Check.
func (o *Orchestrator) WorstCaseUSD(request Request) float64 {
	prompt := provider.NewPrompt(request.Pair, request.Timeframe, request.CurrentPrice, request.MarketData)
	total := 0.0
	for _, e := range o.registry.Available() {
		priced, ok := e.Provider.(provider.Priced)
		if !ok {
			continue
		}
		if usd, known := priced.WorstCaseUSD(prompt); known {
			total += usd * float64(o.options.MaxAttempts)
		}
	}
	return total
}

// Check holds a request against the rules without asking anybody. It returns
// signal.FieldErrors that name every mistake, or nil.
func (o *Orchestrator) Check(request Request) error {
	if _, mistakes := o.check(&request); len(mistakes) > 0 {
		return mistakes
	}
	return nil
}
