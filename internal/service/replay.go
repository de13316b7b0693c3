package service

// Replay: stored votes under another policy. Nobody is asked, nothing is paid and
// nothing is written.

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
	DecidedEarly bool      `json:"decided_early"` // votes that were not waited for are missing from Now too
	Was          Verdict   `json:"was"`
	Now          Verdict   `json:"now"`
}

// Replayed is what another policy would have made of some runs.
type Replayed struct {
	Simulated     bool     `json:"simulated"`      // the votes came from the built-in simulator
	Runs          int      `json:"runs"`           // replayed
	Changed       int      `json:"changed"`        // of them, with another decision
	PolicyAssumed int      `json:"policy_assumed"` // of them, by gates of now: theirs were not kept and the request left one out
	Items         []Change `json:"items"`          // those that changed, newest first; never nil

	Next string `json:"-"` // the cursor of the runs that follow; empty: none do
}

// Replay decides stored runs of a series anew, newest first: at most q.Limit of
// them, where 0 is MaxLimit. A missing pair and a Cursor of another list are signal.FieldErrors.
//
// Under the policy that it was decided under, a run gives the very decision and
// figures that are stored.
func (s *Service) Replay(ctx context.Context, q Query, policy orchestrator.CheckedPolicy) (Replayed, error) {
	replayed := Replayed{Simulated: s.Simulated, Items: []Change{}}
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

func (s *Service) replay(into *Replayed, stored *store.Result, policy orchestrator.CheckedPolicy) error {
	var r run
	if err := json.Unmarshal(stored.Body, &r); err != nil {
		return err
	}
	if len(r.Votes) == 0 || r.Decision == "" { // no votes would be a HOLD
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
