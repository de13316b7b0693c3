package orchestrator

// What can be asked, and the rules that a request has to keep.

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Request is one question. Pair, CurrentPrice and MarketData are required; the
// zero value of anything else leaves it to the Options.
type Request struct {
	ID           string // of the run, a UUID of version 7; empty: a new one
	Pair         signal.Pair
	Timeframe    signal.Timeframe // empty: signal.DefaultTimeframe
	CurrentPrice signal.Number    // above 0
	MarketData   signal.MarketData
	Policy
	Warnings []signal.Warning // found in the request before the run; the result repeats them

	// Progress is told of each provider that is asked and that has ended, one
	// call at a time, so it should be quick. It may be nil.
	Progress func(Progress)

	// Probability gives the probability that goes with a raw decision of that confidence. It
	// is called once there is a decision, and does not wait. It may be nil.
	Probability func(raw signal.Decision, confidence float64) *signal.Probability
}

// Progress is a step of a run that somebody may watch.
type Progress struct {
	Provider string
	Model    string
	Vote     *signal.Vote    // the provider voted
	Failure  *signal.Failure // the provider failed; both nil: it is being asked
}

// Checked is a request that keeps the rules, with all defaults in it. Only [Orchestrator.Check]
// makes one.
type Checked struct {
	request Request
	weights map[string]float64 // by registered name
	prompt  func() provider.Prompt
}

// WithProbability sets Request.Probability.
func (c Checked) WithProbability(of func(signal.Decision, float64) *signal.Probability) Checked {
	c.request.Probability = of
	return c
}

// Timeframe is that of the request, or the default one.
func (c Checked) Timeframe() signal.Timeframe { return c.request.Timeframe }

// Check holds a request against the rules without asking anybody. Its error is a
// signal.FieldErrors that names every mistake.
func (o *Orchestrator) Check(request Request) (Checked, error) {
	var mistakes signal.FieldErrors
	wrong := func(field, message string, value string) {
		mistakes = append(mistakes, &signal.FieldError{Field: field, Message: message, Value: value})
	}
	if request.Pair.IsZero() {
		wrong("pair", "is missing: send one such as BTC/USDT", "")
	}
	if request.Timeframe == "" {
		request.Timeframe = signal.DefaultTimeframe
	} else if request.Timeframe.Duration() == 0 {
		wrong("timeframe", "is not known: known are "+timeframes(), string(request.Timeframe))
	}
	switch price := request.CurrentPrice; {
	case !price.IsKnown():
		wrong("current_price", "is missing: send a price above 0", "")
	case !(price.Float64() > 0):
		wrong("current_price", "is not above 0: send a price above 0", price.String())
	}
	if len(request.MarketData.Indicators)+len(request.MarketData.Candles) == 0 {
		wrong("market_data", "is empty: send at least one indicator, or recent_candles", "")
	}
	for _, indicator := range request.MarketData.Indicators {
		switch indicator.Value.(type) {
		case signal.Number, bool, string, []signal.Number:
		default: // only a Go caller can build it; the models would be shown nothing
			wrong("market_data."+indicator.Name, fmt.Sprintf("is a %T: set a signal.Number, bool, string or []signal.Number", indicator.Value), "")
		}
	}
	weights, wrongs := request.Policy.check(o.registry)
	if mistakes = append(mistakes, wrongs...); len(mistakes) > 0 {
		return Checked{}, mistakes
	}
	if request.MinProviders == 0 {
		request.MinProviders = o.options.MinProviders
	}
	if request.MinConfidence == nil {
		request.MinConfidence = o.options.MinConfidence
	}
	if request.MinAgreement == nil {
		request.MinAgreement = &o.options.MinAgreement
	}
	if request.Timeout == 0 {
		request.Timeout = o.options.Timeout
	}
	if request.Wait == "" {
		request.Wait = WaitAll
	}
	return checked(request, weights), nil
}

// checked makes the prompt when it is first needed, and once: what a run may cost and the
// run itself both need it.
func checked(r Request, weights map[string]float64) Checked {
	return Checked{r, weights, sync.OnceValue(func() provider.Prompt {
		return provider.NewPrompt(r.Pair, r.Timeframe, r.CurrentPrice, r.MarketData)
	})}
}

// Completed gives the request with the id of its run, and with what complete adds to its
// market data and warns of. complete adds values that Check would accept.
func (c Checked) Completed(id string, complete func(*signal.MarketData, signal.Timeframe) []signal.Warning) Checked {
	r := c.request
	r.ID = id
	r.Warnings = slices.Concat(r.Warnings, complete(&r.MarketData, r.Timeframe))
	return checked(r, c.weights)
}

func timeframes() string {
	var names []string
	for _, t := range signal.Timeframes() {
		names = append(names, string(t))
	}
	return strings.Join(names, " ")
}
