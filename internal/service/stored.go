package service

// Stored results: reading them back, deciding their votes again under another policy, and
// importing them, as this server or another exported them, under their ids. No model is
// asked and nothing is paid for.

import (
	"cmp"
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
// is none, and [ErrStale] if it was made longer than maxAge ago; a maxAge of 0 is any age.
func (s *Service) Latest(ctx context.Context, pair signal.Pair, timeframe signal.Timeframe, maxAge time.Duration) (store.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := s.Store.Latest(ctx, store.SeriesKey(pair.String(), string(timeframe), s.Simulated))
	switch age := time.Since(result.CreatedAt); {
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
		return page, signal.FieldErrors{{Field: "cursor", Message: "is not a next_cursor of this list: leave it out to begin anew", Value: q.Cursor}}
	}
	return page, unreachable("to read the history", err)
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

// importTimeout bounds the write of one batch.
const importTimeout = 30 * time.Second

// longestRun is the most that lies between the time in a result's id, which is when its
// run began, and its timestamp, which is when the run ended.
const longestRun = time.Hour

// Import stores results, given as the JSON that was answered, byte for byte. It says how
// many were added; a result whose id is stored already is left as it is. No model is
// asked and nothing is counted. Simulated results stay simulated. The retention period
// begins now. If one body is not a whole result, Import gives an error and stores none.
func (s *Service) Import(ctx context.Context, bodies [][]byte) (added int, err error) {
	now := time.Now()
	results := make([]*store.Result, len(bodies))
	for i, body := range bodies {
		c, err := WholeResult(body)
		if err != nil {
			return 0, err
		}
		results[i] = s.recordOf(c, body, now)
	}
	ctx, cancel := context.WithTimeout(ctx, importTimeout)
	defer cancel()
	added, err = s.Store.Add(ctx, results)
	return added, unreachable("to store what is imported", err)
}

// WholeResult parses a stored result, and checks what every result has: one that passes
// can be found, read and replayed like a result of this server. Fields that this version
// does not know are ignored.
func WholeResult(body []byte) (*signal.Consensus, error) {
	var c signal.Consensus
	var other *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, &c); {
	case errors.As(err, &other):
		return nil, fmt.Errorf("%s is of a wrong kind, %s", cmp.Or(other.Field, "it"), other.Value)
	case err != nil:
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	// The texts as they are written, since parsing accepts other forms too.
	var said struct {
		Pair        string `json:"pair"`
		Decision    string `json:"decision"`
		RawDecision string `json:"raw_decision"`
		Votes       []struct {
			Decision string `json:"decision"`
		} `json:"provider_responses"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, err
	}
	votes := signal.Tally[int]{}
	for i := range c.Responses {
		v := &c.Responses[i]
		switch {
		case v.Provider == "":
			return nil, fmt.Errorf("vote %d does not name its provider", i+1)
		case !isDecision(said.Votes[i].Decision):
			return nil, fmt.Errorf("decision %q of %s is none of BUY, SELL, HOLD", said.Votes[i].Decision, v.Provider)
		case !isShare(v.Confidence) || !isShare(v.Weight):
			return nil, fmt.Errorf("confidence %v or weight %v of %s is outside 0…1", v.Confidence, v.Weight, v.Provider)
		}
		votes.Add(v.Decision, 1)
	}
	at := [...]time.Time{c.Timestamp, c.CandleTime, c.ValidUntil}
	for i, name := range [...]string{"timestamp", "candle_time", "valid_until"} {
		if year := at[i].UTC().Year(); at[i].IsZero() || year < 1970 || year > 9999 {
			return nil, fmt.Errorf("%s is missing, or no time of this era", name)
		}
	}
	made := store.MadeAt(c.ID)
	switch {
	case !store.IsID(c.ID):
		return nil, fmt.Errorf("id %q is no id of a result", c.ID)
	case c.Pair.IsZero() || c.Pair.String() != said.Pair:
		return nil, fmt.Errorf("pair %q is missing, or not in its one form", said.Pair)
	case c.Timeframe == "":
		return nil, errors.New("timeframe is missing")
	case !isDecision(said.Decision) || !isDecision(said.RawDecision):
		return nil, fmt.Errorf("decision %q or raw_decision %q is none of BUY, SELL, HOLD", said.Decision, said.RawDecision)
	case c.Status != signal.Complete && c.Status != signal.Degraded:
		return nil, fmt.Errorf("status %q is none of complete, degraded", c.Status)
	case c.CurrentPrice <= 0:
		return nil, errors.New("current_price is not above 0")
	case !isShare(c.Confidence) || !isShare(c.AgreementScore):
		return nil, errors.New("confidence or agreement_score is outside 0…1")
	case len(c.Responses) == 0:
		return nil, errors.New("it has no votes")
	case votes != c.VoteBreakdown || c.ParticipatingProviders != len(c.Responses):
		return nil, errors.New("vote_breakdown or participating_providers are not those of its votes")
	case !c.ValidUntil.Equal(c.CandleTime.Add(2 * c.Timeframe.Duration())):
		return nil, errors.New("valid_until is not two timeframes after candle_time")
	case made.Sub(c.Timestamp).Abs() > longestRun:
		return nil, fmt.Errorf("timestamp is not of the time in its id, %s", made.Format(time.RFC3339))
	}
	return &c, nil
}

func isDecision(text string) bool {
	return text == string(signal.Buy) || text == string(signal.Sell) || text == string(signal.Hold)
}

func isShare(x float64) bool { return x >= 0 && x <= 1 }
