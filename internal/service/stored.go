package service

// Stored results: reading them back, and deciding their votes again under another policy.
// No model is asked and nothing is paid for.

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

// readTimeout bounds a read of the store.
const readTimeout = 5 * time.Second

// Show gives the stored result of an id, or [ErrNotFound].
func (s *Service) Show(ctx context.Context, id string) (store.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := s.Store.Result(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return result, &Error{kind: ErrNotFound, Message: fmt.Sprintf("There is no consensus %q, or it is no longer kept.", id)}
	}
	return result, unreachable("to read the consensus", err)
}

// Latest gives the newest result of a series by candle. It gives [ErrNoSignal] if there
// is none, and [ErrStale] if its votes were made longer than maxAge ago; a maxAge of 0 is any age.
func (s *Service) Latest(ctx context.Context, pair signal.Pair, timeframe signal.Timeframe, maxAge time.Duration) (store.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := s.Store.Latest(ctx, store.SeriesKey(pair.String(), string(timeframe), s.Simulated))
	switch age := time.Since(VotesAt(&result)); {
	case errors.Is(err, store.ErrNotFound):
		message := fmt.Sprintf("There is no consensus for %s %s yet. Ask for one by POST /v1/consensus.", pair, timeframe)
		if _, wrong := signal.ParsePair(pair.String()); wrong != nil {
			message = fmt.Sprintf("There is no consensus for %s %s yet. It is read as free text, which the compatibility route takes, since the %s.", pair, timeframe, wrong)
		}
		return result, &Error{kind: ErrNoSignal, Message: message}
	case err != nil:
		return result, unreachable("to read the latest consensus", err)
	case maxAge > 0 && age > maxAge:
		return store.Result{}, &Error{kind: ErrStale, Message: fmt.Sprintf("The newest consensus for %s %s is %s old, older than the %s asked for.", pair, timeframe, age.Round(time.Second), maxAge)}
	}
	return result, nil
}

// VotesAt is when the votes of a result were made: earlier than the result if another run
// made them.
func VotesAt(result *store.Result) time.Time {
	var made struct {
		VotesAt time.Time `json:"votes_at"`
	}
	if err := json.Unmarshal(result.Body, &made); err != nil || made.VotesAt.IsZero() { // it was stored before this was kept
		return result.CreatedAt
	}
	return made.VotesAt
}

// Query selects stored results: with a pair those of a series, without a pair those of a
// UTC day, which is the day of From, or today if From is zero.
type Query struct {
	Pair      signal.Pair      // or the free text of the compatibility route
	Timeframe signal.Timeframe // empty: signal.DefaultTimeframe
	From      time.Time        // with a pair the earliest candle, without one the earliest time of an answer; zero: no bound
	To        time.Time        // the same times are before it; zero: no bound
	Cursor    string           // Next of the page before
	Limit     int              // 1…MaxLimit; 0: DefaultLimit
}

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// History lists stored results, newest first. Its error is [signal.FieldErrors] if the
// Cursor is not of this list.
func (s *Service) History(ctx context.Context, q Query) (store.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Timeframe == "" {
		q.Timeframe = signal.DefaultTimeframe
	}
	r := store.Range{From: q.From, To: q.To, Before: q.Cursor, Limit: q.Limit}
	var page store.Page
	var err error
	if q.Pair.IsZero() {
		day := q.From
		if day.IsZero() {
			day = time.Now()
		}
		page, err = s.Store.Day(ctx, store.DayKey(day, s.Simulated), r)
	} else {
		page, err = s.Store.Series(ctx, store.SeriesKey(q.Pair.String(), string(q.Timeframe), s.Simulated), r)
	}
	if errors.Is(err, store.ErrCursor) {
		return page, wrongCursor(q.Cursor)
	}
	return page, unreachable("to read the history", err)
}

func wrongCursor(cursor string) signal.FieldErrors {
	return signal.FieldErrors{{Field: "cursor", Message: "is not a next_cursor of this list: leave it out to begin anew", Value: cursor}}
}

// Verdict is the part of a result that a policy makes.
type Verdict struct {
	Decision            signal.Decision    `json:"decision"`
	RawDecision         signal.Decision    `json:"raw_decision"`
	HoldReason          *signal.HoldReason `json:"hold_reason"` // nil unless Decision is HOLD
	Confidence          float64            `json:"confidence"`
	AgreementScore      float64            `json:"agreement_score"`
	SuggestedStopLoss   *float64           `json:"suggested_stop_loss"`
	SuggestedTakeProfit *float64           `json:"suggested_take_profit"`

	// They are nil unless one run was asked for by its id.
	WeightedVotes *signal.Tally[float64] `json:"weighted_votes,omitempty"`
	Explanation   *signal.Explanation    `json:"explanation,omitempty"`
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
	Items         []Change `json:"items"`          // the changed runs, newest first, or the one that was asked for; never nil

	Next string `json:"-"` // the cursor of the next page; empty: there is none
}

// Replay decides stored runs of a series again, newest first. It replays at most q.Limit
// runs; 0 is MaxLimit. Its error is [signal.FieldErrors] for a missing pair and a Cursor of
// another list.
//
// Replayed under its own policy, a run gives exactly the decision and figures that are
// stored.
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
		change, err := s.replay(&replayed, &page.Results[i], policy)
		if err != nil {
			return replayed, err
		}
		if change.Now.Decision != change.Was.Decision {
			change.Was.WeightedVotes, change.Was.Explanation, change.Now.WeightedVotes, change.Now.Explanation = nil, nil, nil, nil
			replayed.Items = append(replayed.Items, change)
		}
	}
	replayed.Changed, replayed.Next = len(replayed.Items), page.Next
	return replayed, nil
}

// ReplayOne decides one stored run again, whether or not that changes its decision. It gives
// [ErrNotFound] for an unknown id.
func (s *Service) ReplayOne(ctx context.Context, id string, policy orchestrator.CheckedPolicy) (Replayed, error) {
	replayed := Replayed{Items: []Change{}}
	stored, err := s.Show(ctx, id)
	if err != nil {
		return replayed, err
	}
	change, err := s.replay(&replayed, &stored, policy)
	if err != nil {
		return replayed, err
	}
	if change.Now.Decision != change.Was.Decision {
		replayed.Changed = 1
	}
	replayed.Items = append(replayed.Items, change)
	return replayed, nil
}

// run is the part of a stored result that a replay needs.
type run struct {
	Verdict
	Simulated    bool           `json:"simulated"`
	CandleTime   time.Time      `json:"candle_time"`
	CurrentPrice float64        `json:"current_price"`
	Votes        []signal.Vote  `json:"provider_responses"`
	DecidedEarly bool           `json:"decided_early"`
	Policy       *signal.Policy `json:"policy"`
}

// replay decides one run again, and counts it.
func (s *Service) replay(into *Replayed, stored *store.Result, policy orchestrator.CheckedPolicy) (Change, error) {
	var r run
	err := json.Unmarshal(stored.Body, &r)
	if err == nil && (len(r.Votes) == 0 || r.Decision == "") { // without votes the outcome would be a HOLD
		err = errors.New("it has no votes or no decision")
	}
	if err != nil {
		return Change{}, fmt.Errorf("the stored result %s can't be replayed: %w", stored.ID, err)
	}
	outcome, assumed := s.Orchestrator.Replay(r.Votes, r.CurrentPrice, r.Policy, policy)
	if assumed {
		into.PolicyAssumed++
	}
	into.Runs++
	into.Simulated = r.Simulated
	return Change{ID: stored.ID, CandleTime: r.CandleTime, DecidedEarly: r.DecidedEarly, Was: r.Verdict, Now: Verdict{
		Decision: outcome.Decision, RawDecision: outcome.RawDecision, HoldReason: outcome.HoldReason,
		Confidence: outcome.Confidence, AgreementScore: outcome.AgreementScore,
		SuggestedStopLoss: outcome.SuggestedStopLoss, SuggestedTakeProfit: outcome.SuggestedTakeProfit,
		WeightedVotes: &outcome.WeightedVotes, Explanation: &outcome.Explanation,
	}}, nil
}
