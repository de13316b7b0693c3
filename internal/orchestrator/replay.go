package orchestrator

// Stored votes under another policy: nobody is asked.

import (
	"thalas/internal/consensus"
	"thalas/internal/signal"
)

// Policy is what votes that are there already are to be judged by. What it leaves
// out stays as it was in their run.
type Policy struct {
	Weights       map[string]float64 // provider → 0…1
	MinConfidence *float64           // 0…1
	MinAgreement  *float64           // 0…1
}

// CheckPolicy holds a policy against the rules of a request and gives it with the
// weights by registered name. Its error is a signal.FieldErrors.
func (o *Orchestrator) CheckPolicy(p Policy) (Policy, error) {
	weights, mistakes := o.checkPolicy(p.Weights, p.MinConfidence, p.MinAgreement)
	if len(mistakes) > 0 {
		return p, mistakes
	}
	p.Weights = weights
	return p, nil
}

// Replay decides the votes of a run anew, under a policy that CheckPolicy has
// given. ran is what the run was decided under; nil, where that was not kept, is
// what the Options say, and then assumed tells whether the outcome rests on it.
func (o *Orchestrator) Replay(votes []signal.Vote, price float64, ran *signal.Policy, p Policy) (outcome consensus.Outcome, assumed bool) {
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
