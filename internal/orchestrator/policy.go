package orchestrator

// The policy that a request may set for its run: its fields, their ranges, how they are read
// from JSON, and how stored votes are decided again under another policy. The API, the
// replay and the watch list share it.

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// Wait says when a run may end.
type Wait string

// The values of Wait.
const (
	WaitAll     Wait = "all"     // every provider has voted or failed
	WaitDecided Wait = "decided" // or no missing vote can change the decision
)

// Policy says how a run asks and decides. The zero value of a field means the value in the
// Options, or in a replay the value of the run.
type Policy struct {
	Weights       map[string]float64 // by provider name in any case, 0…1; unknown names are refused
	MinProviders  int                // 1…number of registered providers
	MinConfidence *float64           // 0…1
	MinAgreement  *float64           // 0…1
	Timeout       time.Duration      // at most MaxTimeout
	Wait          Wait               // empty: WaitAll
}

// Read sets the field that has this name in the API. It gives only the mistakes that check
// can't find in the fields, such as a value of another type; check finds the others. If
// registry is nil, the names and the number of providers are not compared with it.
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
			p.Timeout = max(time.Duration(seconds*float64(time.Second)), 1) // 0 would mean the default
		} else {
			err = errTimeout
		}
	case "wait":
		var text string
		if text, err = signal.ReadText(v, "all or decided"); err == nil && text == "" { // which would mean the default
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
		return errors.New("is not a whole number: send one from 1")
	case registry != nil && (f < 1 || f > float64(maxProviders(registry))):
		return errProviders(registry)
	case f < 1 || f > math.MaxInt32:
		return errors.New("is not a whole number from 1")
	default:
		p.MinProviders = int(f)
	}
	return nil
}

func maxProviders(registry *provider.Registry) int { return max(len(registry.Entries()), 1) }

func errProviders(registry *provider.Registry) error {
	return fmt.Errorf("is outside 1…%d, the number of known providers", maxProviders(registry))
}

func (p *Policy) readWeights(v strictjson.Value, registry *provider.Registry) (mistakes signal.FieldErrors) {
	const field = "provider_weights"
	members, isObject := v.Members()
	if !isObject {
		return signal.FieldErrors{{Field: field, Message: `is not an object: send one such as {"anthropic": 1.0}, or null`, Value: v.Scalar()}}
	}
	p.Weights = make(map[string]float64, len(members))
	for _, m := range members {
		wrong := func(message, value string) { mistakes.Add(field+"."+strictjson.Cut(m.Name, 100), message, value) }
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

// check checks the ranges. It gives the weights by registered name.
func (p Policy) check(registry *provider.Registry) (weights map[string]float64, mistakes signal.FieldErrors) {
	if p.MinProviders < 0 || p.MinProviders > maxProviders(registry) {
		mistakes.Add("min_providers", errProviders(registry).Error(), strconv.Itoa(p.MinProviders))
	}
	if p.MinConfidence != nil && !isShare(*p.MinConfidence) {
		mistakes.Add("min_confidence", "is outside 0…1", number(*p.MinConfidence))
	}
	if p.MinAgreement != nil && !isShare(*p.MinAgreement) {
		mistakes.Add("min_agreement", "is outside 0…1", number(*p.MinAgreement))
	}
	weights = make(map[string]float64, len(p.Weights))
	for _, name := range sortedKeys(p.Weights) {
		field, weight := "provider_weights."+name, p.Weights[name]
		entry, found := registry.Find(name)
		if !found {
			mistakes.Add(field, "is no known provider: known are "+strings.Join(registry.Names(), ", "), number(weight))
			continue
		}
		registered := entry.Provider.Name()
		if _, twice := weights[registered]; twice {
			mistakes.Add(field, "is there twice: names are the same in any case", "")
		}
		if !isShare(weight) {
			mistakes.Add(field, "is outside 0…1", number(weight))
		}
		weights[registered] = weight
	}
	if p.Timeout < 0 || p.Timeout > MaxTimeout {
		mistakes.Add("timeout_seconds", errTimeout.Error(), number(p.Timeout.Seconds()))
	}
	if p.Wait != "" && p.Wait != WaitAll && p.Wait != WaitDecided {
		mistakes.Add("wait", errWait.Error(), string(p.Wait))
	}
	return weights, mistakes
}

// isShare reports whether f is in 0…1. NaN is not.
func isShare(f float64) bool { return f >= 0 && f <= 1 }

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func sortedKeys(m map[string]float64) []string { return slices.Sorted(maps.Keys(m)) }

// CheckedPolicy is a policy that breaks no rule. Only [Orchestrator.CheckPolicy] makes one.
type CheckedPolicy struct{ policy Policy } // its weights are by registered name

// CheckPolicy checks a policy. Its error is a signal.FieldErrors.
func (o *Orchestrator) CheckPolicy(p Policy) (CheckedPolicy, error) {
	weights, mistakes := p.check(o.registry)
	if len(mistakes) > 0 {
		return CheckedPolicy{}, mistakes
	}
	p.Weights = weights
	return CheckedPolicy{p}, nil
}

// Replay decides the votes of a run again, under another policy. No provider is asked. ran
// is the policy of the run, which holds for everything that checked does not set. If it was
// not stored, ran is nil; then the Options take its place, and assumed reports whether the
// outcome depends on them.
func (o *Orchestrator) Replay(votes []signal.Vote, price float64, ran *signal.Policy, checked CheckedPolicy) (outcome consensus.Outcome, assumed bool) {
	p := checked.policy
	policy := consensus.Policy{MinConfidence: *o.options.MinConfidence, MinAgreement: o.options.MinAgreement, Price: price}
	if ran != nil {
		policy.MinConfidence, policy.MinAgreement = ran.MinConfidence, ran.MinAgreement
	}
	if p.MinConfidence != nil {
		policy.MinConfidence = *p.MinConfidence
	}
	if p.MinAgreement != nil {
		policy.MinAgreement = *p.MinAgreement
	}
	weighted := slices.Clone(votes)
	for i := range weighted {
		if weight, given := p.Weights[weighted[i].Provider]; given {
			weighted[i].Weight = weight
		}
	}
	return consensus.Aggregate(weighted, policy), ran == nil && (p.MinConfidence == nil || p.MinAgreement == nil)
}
