package orchestrator

// What a request may decide about its run: the fields, their ranges, and how they are
// read from JSON. The API, the replay and the watch list share them.

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// Wait says when a run may end.
type Wait string

// The values of Wait.
const (
	WaitAll     Wait = "all"     // every provider has answered or failed
	WaitDecided Wait = "decided" // no answer that is still out can change the decision
)

// Policy is how a run asks and decides. The zero value of a field leaves it to the
// Options, and in a replay to the run.
type Policy struct {
	Weights       map[string]float64 // provider, in any case, → 0…1; unknown names are refused
	MinProviders  int                // 1…number of registered providers
	MinConfidence *float64           // 0…1
	MinAgreement  *float64           // 0…1
	Timeout       time.Duration      // at most MaxTimeout
	Wait          Wait               // empty: WaitAll
}

// Read reads a field by its name in the API. It gives the mistakes that the ranges below
// can't show, and those that concern how a value was written. Without a registry, the
// names and the number of providers are not looked at.
func (p *Policy) Read(name string, v strictjson.Value, registry *provider.Registry) signal.FieldErrors {
	var err error
	switch name {
	case "provider_weights":
		return p.readWeights(v, registry)
	case "min_providers":
		err = p.readMinProviders(v, registry)
	case "min_confidence":
		p.MinConfidence, err = readShare(v)
	case "min_agreement":
		p.MinAgreement, err = readShare(v)
	case "timeout_seconds":
		var n signal.Number
		if n, err = signal.ReadNumber(v, "seconds above 0"); err != nil {
			break
		}
		if seconds := n.Float64(); seconds > 0 && seconds <= MaxTimeout.Seconds() {
			p.Timeout = max(time.Duration(seconds*float64(time.Second)), 1) // 0 would be the default
		} else {
			err = errTimeout
		}
	case "wait":
		var text string
		if text, err = signal.ReadText(v, "all or decided"); err == nil && text == "" { // would be the default
			err = errWait
		}
		p.Wait = Wait(text)
	}
	if err != nil {
		return signal.FieldErrors{{Field: name, Message: err.Error(), Value: v.Scalar()}}
	}
	return nil
}

var (
	errTimeout = fmt.Errorf("is not above 0 and at most %v", MaxTimeout.Seconds())
	errWait    = fmt.Errorf("is none of %s, %s", WaitAll, WaitDecided)
)

func readShare(v strictjson.Value) (*float64, error) {
	n, err := signal.ReadNumber(v, "a number from 0 to 1")
	if err != nil {
		return nil, err
	}
	return new(n.Float64()), nil
}

func (p *Policy) readMinProviders(v strictjson.Value, registry *provider.Registry) error {
	n, err := signal.ReadNumber(v, "a whole number from 1")
	if err != nil {
		return err
	}
	switch f := n.Float64(); {
	case f != math.Trunc(f):
		return fmt.Errorf("is not a whole number: send one from 1")
	case registry != nil && (f < 1 || f > float64(mostProviders(registry))):
		return outsideProviders(registry)
	case f < 1 || f > math.MaxInt32:
		return fmt.Errorf("is not a whole number from 1")
	default:
		p.MinProviders = int(f)
	}
	return nil
}

func mostProviders(registry *provider.Registry) int { return max(len(registry.Entries()), 1) }

func outsideProviders(registry *provider.Registry) error {
	return fmt.Errorf("is outside 1…%d, the number of known providers", mostProviders(registry))
}

func (p *Policy) readWeights(v strictjson.Value, registry *provider.Registry) (mistakes signal.FieldErrors) {
	const field = "provider_weights"
	members, isObject := v.Members()
	if !isObject {
		return signal.FieldErrors{{Field: field, Message: `is not an object: send one such as {"anthropic": 1.0}, or null`, Value: v.Scalar()}}
	}
	p.Weights = make(map[string]float64, len(members))
	for _, m := range members {
		wrong := func(message, value string) {
			mistakes = append(mistakes, &signal.FieldError{Field: field + "." + strictjson.Cut(m.Name, 100), Message: message, Value: value})
		}
		if m.Twice {
			wrong("is there twice: send each name once", "")
			continue
		}
		if registry != nil {
			if _, known := registry.Find(m.Name); !known {
				wrong(strictjson.Unknown("known provider", m.Name, registry.Names()), m.Value.Scalar())
				continue
			}
		}
		if m.Value.IsNull() {
			continue
		}
		n, err := signal.ReadNumber(m.Value, "a weight from 0 to 1")
		if err != nil {
			wrong(err.Error(), m.Value.Scalar())
			continue
		}
		p.Weights[m.Name] = n.Float64()
	}
	return mistakes
}

// check holds the policy against the ranges. It gives the weights by registered name.
func (p Policy) check(registry *provider.Registry) (weights map[string]float64, mistakes signal.FieldErrors) {
	wrong := func(field, message, value string) {
		mistakes = append(mistakes, &signal.FieldError{Field: field, Message: message, Value: value})
	}
	if p.MinProviders < 0 || p.MinProviders > mostProviders(registry) {
		wrong("min_providers", outsideProviders(registry).Error(), strconv.Itoa(p.MinProviders))
	}
	if p.MinConfidence != nil && !isShare(*p.MinConfidence) {
		wrong("min_confidence", "is outside 0…1", number(*p.MinConfidence))
	}
	if p.MinAgreement != nil && !isShare(*p.MinAgreement) {
		wrong("min_agreement", "is outside 0…1", number(*p.MinAgreement))
	}
	weights = make(map[string]float64, len(p.Weights))
	for _, name := range sortedKeys(p.Weights) {
		field, weight := "provider_weights."+name, p.Weights[name]
		entry, found := registry.Find(name)
		if !found {
			wrong(field, "is no known provider: known are "+strings.Join(registry.Names(), ", "), number(weight))
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
	if p.Timeout < 0 || p.Timeout > MaxTimeout {
		wrong("timeout_seconds", errTimeout.Error(), number(p.Timeout.Seconds()))
	}
	switch p.Wait {
	case "", WaitAll, WaitDecided:
	default:
		wrong("wait", errWait.Error(), string(p.Wait))
	}
	return weights, mistakes
}

// isShare reports whether f lies in 0…1; NaN does not.
func isShare(f float64) bool { return f >= 0 && f <= 1 }

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func sortedKeys(m map[string]float64) []string { return slices.Sorted(maps.Keys(m)) }
