package orchestrator

// What can be asked, and the rules that a request has to keep.

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Wait says when a run may end.
type Wait string

// The values of Wait.
const (
	WaitAll     Wait = "all"     // every provider has answered or failed
	WaitDecided Wait = "decided" // no answer that is still out can change the decision
)

// Request is one question. Pair, CurrentPrice and MarketData are required; the
// zero value of anything else leaves it to the Options.
type Request struct {
	ID            string // of the run, a UUID of version 7; empty: a new one
	Pair          signal.Pair
	Timeframe     signal.Timeframe // empty: signal.DefaultTimeframe
	CurrentPrice  signal.Number    // above 0
	MarketData    signal.MarketData
	Weights       map[string]float64 // provider, in any case, → 0…1; unknown names are refused
	MinProviders  int                // 1…number of registered providers
	MinConfidence *float64           // 0…1
	MinAgreement  *float64           // 0…1
	Timeout       time.Duration      // at most MaxTimeout
	Wait          Wait               // empty: WaitAll
	Warnings      []signal.Warning   // found in the request before the run; the result repeats them

	// Progress is told of each provider that is asked and that has ended, one
	// call at a time, so it should be quick. It may be nil.
	Progress func(Progress)

	Prompt *provider.Prompt // of the market above, by WithPrompt; nil: the run makes it
}

// WithPrompt gives the request with its prompt, which WorstCaseUSD and the run would
// else make each for itself. What the models are shown may not be changed after it.
func (r Request) WithPrompt() Request {
	prompt := provider.NewPrompt(r.Pair, cmp.Or(r.Timeframe, signal.DefaultTimeframe), r.CurrentPrice, r.MarketData)
	r.Prompt = &prompt
	return r
}

// asks gives the prompt.
func (r Request) asks() provider.Prompt {
	if r.Prompt == nil {
		r = r.WithPrompt()
	}
	return *r.Prompt
}

// Progress is a step of a run that somebody may watch.
type Progress struct {
	Provider string
	Model    string
	Vote     *signal.Vote    // the provider voted
	Failure  *signal.Failure // the provider failed; both nil: it is being asked
}

// check holds the request against the rules and fills in the defaults. It gives
// the weights by registered name.
func (o *Orchestrator) check(request *Request) (map[string]float64, signal.FieldErrors) {
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
	if known := len(o.registry.Entries()); request.MinProviders < 0 || request.MinProviders > max(known, 1) {
		wrong("min_providers", fmt.Sprintf("is outside 1…%d, the number of known providers", max(known, 1)), strconv.Itoa(request.MinProviders))
	} else if request.MinProviders == 0 {
		request.MinProviders = o.options.MinProviders
	}
	if request.MinConfidence == nil {
		request.MinConfidence = o.options.MinConfidence
	}
	if request.MinAgreement == nil {
		request.MinAgreement = &o.options.MinAgreement
	}
	weights, wrongs := o.checkPolicy(request.Weights, request.MinConfidence, request.MinAgreement)
	mistakes = append(mistakes, wrongs...)
	if request.Timeout < 0 || request.Timeout > MaxTimeout {
		wrong("timeout_seconds", fmt.Sprintf("is not above 0 and at most %v", MaxTimeout.Seconds()), number(request.Timeout.Seconds()))
	} else if request.Timeout == 0 {
		request.Timeout = o.options.Timeout
	}
	switch request.Wait {
	case "":
		request.Wait = WaitAll
	case WaitAll, WaitDecided:
	default:
		wrong("wait", "is none of all, decided", string(request.Wait))
	}
	return weights, mistakes
}

// checkPolicy holds gates, nil ones apart, and weights against the rules. It gives
// the weights by registered name.
func (o *Orchestrator) checkPolicy(sent map[string]float64, minConfidence, minAgreement *float64) (map[string]float64, signal.FieldErrors) {
	var mistakes signal.FieldErrors
	wrong := func(field, message string, value string) {
		mistakes = append(mistakes, &signal.FieldError{Field: field, Message: message, Value: value})
	}
	if minConfidence != nil && !isShare(*minConfidence) {
		wrong("min_confidence", "is outside 0…1", number(*minConfidence))
	}
	if minAgreement != nil && !isShare(*minAgreement) {
		wrong("min_agreement", "is outside 0…1", number(*minAgreement))
	}
	weights := make(map[string]float64, len(sent))
	for _, name := range sortedKeys(sent) {
		field, weight := "provider_weights."+name, sent[name]
		entry, found := o.registry.Find(name)
		if !found {
			wrong(field, "is no known provider: known are "+strings.Join(o.registry.Names(), ", "), number(weight))
			continue
		}
		registered := entry.Provider.Name()
		if _, twice := weights[registered]; twice {
			wrong(field, "is there twice: names are the same in any case", "")
		}
		if !isShare(weight) {
			wrong(field, "is outside 0…1", number(weight))
		}
		weights[registered] = weight
	}
	return weights, mistakes
}

func timeframes() string {
	var names []string
	for _, t := range signal.Timeframes() {
		names = append(names, string(t))
	}
	return strings.Join(names, " ")
}

// isShare reports whether f lies in 0…1; NaN does not.
func isShare(f float64) bool { return f >= 0 && f <= 1 }

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func sortedKeys(m map[string]float64) []string { return slices.Sorted(maps.Keys(m)) }
