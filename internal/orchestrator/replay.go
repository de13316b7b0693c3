package orchestrator

// Stored votes under another policy: nobody is asked.

import (
	"thalas/internal/consensus"
	"thalas/internal/signal"
)

// CheckedPolicy is a policy that keeps the rules, with the weights by registered name.
// Only [Orchestrator.CheckPolicy] makes one.
type CheckedPolicy struct{ policy Policy }

// CheckPolicy holds a policy against the rules of a request. Its error is a signal.FieldErrors.
func (o *Orchestrator) CheckPolicy(p Policy) (CheckedPolicy, error) {
	weights, mistakes := p.check(o.registry)
	if len(mistakes) > 0 {
		return CheckedPolicy{}, mistakes
	}
	p.Weights = weights
	return CheckedPolicy{p}, nil
}

// Replay decides the votes of a run anew, under other weights and gates. What the policy
// leaves out stays as it was in the run. ran is what the run was decided under; nil, where that
// was not kept, is what the Options say, and then assumed tells whether the outcome rests on it.
func (o *Orchestrator) Replay(votes []signal.Vote, price float64, ran *signal.Policy, checked CheckedPolicy) (outcome consensus.Outcome, assumed bool) {
	p := checked.policy
	gates := consensus.Policy{MinConfidence: *o.options.MinConfidence, MinAgreement: o.options.MinAgreement, Price: price}
	if ran != nil {
		gates.MinConfidence, gates.MinAgreement = ran.MinConfidence, ran.MinAgreement
	}
	if p.MinConfidence != nil {
		gates.MinConfidence = *p.MinConfidence
	}
	if p.MinAgreement != nil {
		gates.MinAgreement = *p.MinAgreement
	}
	weighed := make([]signal.Vote, len(votes))
	for i, v := range votes {
		if weight, given := p.Weights[v.Provider]; given {
			v.Weight = weight
		}
		weighed[i] = v
	}
	return consensus.Aggregate(weighed, gates), ran == nil && (p.MinConfidence == nil || p.MinAgreement == nil)
}
