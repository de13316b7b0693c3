package service

// Replay: stored votes are decided again under another policy. No model is asked, nothing
// is paid for, and nothing is written.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// Verdict is the part of a result that a policy makes.
type Verdict struct {
	Decision            signal.Decision    `json:"decision"`
	RawDecision         signal.Decision    `json:"raw_decision"`
	HoldReason          *signal.HoldReason `json:"hold_reason"` // nil unless Decision is HOLD
	Confidence          float64            `json:"confidence"`
	AgreementScore      float64            `json:"agreement_score"`
	SuggestedStopLoss   *float64           `json:"suggested_stop_loss"`
	SuggestedTakeProfit *float64           `json:"suggested_take_profit"`
}

// Change is a run with another decision.
type Change struct {
	ID           string    `json:"id"`
	CandleTime   time.Time `json:"candle_time"`
	DecidedEarly bool      `json:"decided_early"` // the run did not wait for all votes, and Now lacks the same votes
	Was          Verdict   `json:"was"`
	Now          Verdict   `json:"now"`
}

// Replayed says what another policy would have decided in stored runs.
type Replayed struct {
	Simulated     bool     `json:"simulated"`      // the votes came from the built-in simulator
	Runs          int      `json:"runs"`           // how many runs were replayed
	Changed       int      `json:"changed"`        // how many of them have another decision now
	PolicyAssumed int      `json:"policy_assumed"` // how many used today's gates: their own were not stored, and the request left one out
	Items         []Change `json:"items"`          // the changed runs, newest first; never nil

	Next string `json:"-"` // the cursor of the next page; empty: there is none
}

// Replay decides stored runs of a series again, newest first. It replays at most q.Limit
// runs; 0 is MaxLimit. Its error is [signal.FieldErrors] for mistakes in the policy, a
// missing pair and a Cursor of another list.
//
// Replayed under its own policy, a run gives exactly the decision and figures that are
// stored.
func (s *Service) Replay(ctx context.Context, q Query, policy orchestrator.Policy) (Replayed, error) {
	replayed := Replayed{Simulated: s.Simulated, Items: []Change{}}
	policy, err := s.Orchestrator.CheckPolicy(policy)
	if err != nil {
		return replayed, err
	}
	if q.Pair.IsZero() {
		return replayed, signal.FieldErrors{{Field: "pair", Message: "is missing: send one such as BTC/USDT"}}
	}
	if q.Limit == 0 {
		q.Limit = MaxLimit
	}
	page, err := s.History(ctx, q)
	if err != nil {
		return replayed, err
	}
	for i := range page.Results {
		if err := s.replay(&replayed, &page.Results[i], policy); err != nil {
			return replayed, fmt.Errorf("the stored result %s can't be replayed: %w", page.Results[i].ID, err)
		}
	}
	replayed.Runs, replayed.Changed, replayed.Next = len(page.Results), len(replayed.Items), page.Next
	return replayed, nil
}

// run is the part of a stored result that a replay needs.
type run struct {
	Verdict
	CandleTime   time.Time      `json:"candle_time"`
	CurrentPrice float64        `json:"current_price"`
	Votes        []signal.Vote  `json:"provider_responses"`
	DecidedEarly bool           `json:"decided_early"`
	Policy       *signal.Policy `json:"policy"`
}

func (s *Service) replay(into *Replayed, stored *store.Result, policy orchestrator.Policy) error {
	var r run
	if err := json.Unmarshal(stored.Body, &r); err != nil {
		return err
	}
	if len(r.Votes) == 0 || r.Decision == "" { // without votes the outcome would be a HOLD
		return errors.New("it has no votes or no decision")
	}
	outcome, assumed := s.Orchestrator.Replay(r.Votes, r.CurrentPrice, r.Policy, policy)
	if assumed {
		into.PolicyAssumed++
	}
	if outcome.Decision != r.Decision {
		into.Items = append(into.Items, Change{ID: stored.ID, CandleTime: r.CandleTime, DecidedEarly: r.DecidedEarly, Was: r.Verdict, Now: Verdict{
			Decision: outcome.Decision, RawDecision: outcome.RawDecision, HoldReason: outcome.HoldReason,
			Confidence: outcome.Confidence, AgreementScore: outcome.AgreementScore,
			SuggestedStopLoss: outcome.SuggestedStopLoss, SuggestedTakeProfit: outcome.SuggestedTakeProfit,
		}})
	}
	return nil
}
