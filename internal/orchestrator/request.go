package orchestrator

// What can be asked, the rules for it, and what a request may cost.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Request is one question. Pair, CurrentPrice and MarketData are required. The zero value
// of any other field means the value in the Options.
type Request struct {
	ID           string // UUIDv7 of the run; empty: a new one
	Pair         signal.Pair
	Timeframe    signal.Timeframe // empty: signal.DefaultTimeframe
	CurrentPrice signal.Number    // above 0
	MarketData   signal.MarketData
	Policy
	Warnings []signal.Warning // about the request, found before the run; the result repeats them

	// Progress is called when a provider is asked and when it has answered, never
	// twice at the same time. The run waits for it, so it should be quick. It may be nil.
	Progress func(Progress)

	// Probability gives the probability that goes with a raw decision of that confidence. It
	// is called once there is a decision, and does not wait. It may be nil.
	Probability func(raw signal.Decision, confidence float64) *signal.Probability
}

// Progress is a step of a run.
type Progress struct {
	Provider string
	Model    string
	Vote     *signal.Vote    // set if the provider voted
	Failure  *signal.Failure // set if it failed; both are nil when it is being asked
}

// Checked is a request that breaks no rule, with all defaults filled in. Only
// [Orchestrator.Check] makes one.
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

// Check checks a request and fills in the defaults. It asks no provider. Its error is a
// signal.FieldErrors that names every mistake.
func (o *Orchestrator) Check(request Request) (Checked, error) {
	var mistakes signal.FieldErrors
	if request.Pair.IsZero() {
		mistakes.Add("pair", "is missing: send one such as BTC/USDT", "")
	}
	request.Timeframe = cmp.Or(request.Timeframe, signal.DefaultTimeframe)
	if request.Timeframe.Duration() == 0 {
		known := strings.Trim(fmt.Sprint(signal.Timeframes()), "[]")
		mistakes.Add("timeframe", "is not known: known are "+known, string(request.Timeframe))
	}
	switch price := request.CurrentPrice; {
	case !price.IsKnown():
		mistakes.Add("current_price", "is missing: send a price above 0", "")
	case !(price.Float64() > 0):
		mistakes.Add("current_price", "is not above 0: send a price above 0", price.String())
	}
	if len(request.MarketData.Indicators)+len(request.MarketData.Candles) == 0 {
		mistakes.Add("market_data", "is empty: send at least one indicator, or recent_candles", "")
	}
	for _, indicator := range request.MarketData.Indicators {
		switch indicator.Value.(type) {
		case signal.Number, bool, string, []signal.Number:
		default: // only Go code can set it, and the prompt has no form for it
			mistakes.Add("market_data."+indicator.Name, fmt.Sprintf("is a %T: set a signal.Number, bool, string or []signal.Number", indicator.Value), "")
		}
	}
	weights, wrong := request.Policy.check(o.registry)
	if mistakes = append(mistakes, wrong...); len(mistakes) > 0 {
		return Checked{}, mistakes
	}
	request.MinProviders = cmp.Or(request.MinProviders, o.options.MinProviders)
	request.MinConfidence = cmp.Or(request.MinConfidence, o.options.MinConfidence)
	request.MinAgreement = cmp.Or(request.MinAgreement, &o.options.MinAgreement)
	request.Timeout = cmp.Or(request.Timeout, o.options.Timeout)
	request.Wait = cmp.Or(request.Wait, WaitAll)
	return checked(request, weights), nil
}

// checked builds the prompt when it is first needed, and only once: both the run and its
// worst-case cost need it.
func checked(r Request, weights map[string]float64) Checked {
	return Checked{r, weights, sync.OnceValue(func() provider.Prompt {
		return provider.NewPrompt(r.Pair, r.Timeframe, r.CurrentPrice, r.MarketData)
	})}
}

// Completed sets the id of the run, and calls complete to add to the market data. The
// result repeats the warnings of complete. What it adds is not checked, so Check must
// accept it.
func (c Checked) Completed(id string, complete func(*signal.MarketData, signal.Timeframe) []signal.Warning) Checked {
	r := c.request
	r.ID = id
	r.Warnings = slices.Concat(r.Warnings, complete(&r.MarketData, r.Timeframe))
	return checked(r, c.weights)
}

// Pair is that of the request.
func (c Checked) Pair() signal.Pair { return c.request.Pair }

// MarketData is what the models are told of the market. It must not be changed.
func (c Checked) MarketData() signal.MarketData { return c.request.MarketData }

// Timeout is the longest time that the providers of this request have.
func (c Checked) Timeout() time.Duration { return c.request.Timeout }

// WorstCaseUSD is what a run of the request costs at most: if every provider that may be
// asked uses all its attempts, each with the longest answer. attempt has the cost of one
// attempt by provider. Models without a known price are in neither.
func (o *Orchestrator) WorstCaseUSD(request Checked) (total float64, attempt map[string]float64) {
	prompt := request.prompt()
	attempt = map[string]float64{}
	for _, e := range o.registry.Entries() {
		// A provider that its breaker leaves out now counts too: the run may ask it.
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
