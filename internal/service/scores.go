package service

// Reading what became of results: one outcome, lists of them, the scoreboard, and the
// probability that goes with a new decision.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"thalas/internal/outcome"
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// OutcomeOf gives the JSON of what became of a stored result.
func OutcomeOf(result *store.Result) (json.RawMessage, error) {
	if len(result.Outcome) > 0 {
		return result.Outcome, nil
	}
	var c signal.Consensus
	if err := json.Unmarshal(result.Body, &c); err != nil {
		return nil, err
	}
	return json.Marshal(outcome.Of(&c, result.Imported))
}

// WithOutcome gives the JSON of a stored result with what became of it as its last member.
func WithOutcome(result *store.Result) (json.RawMessage, error) {
	o, err := OutcomeOf(result)
	if err != nil {
		return nil, err
	}
	return WithMember(result.Body, "outcome", o), nil
}

// WithMember gives the JSON of an object that is not empty with one more member at its end.
func WithMember(object []byte, name string, value json.RawMessage) []byte {
	object = bytes.TrimRight(object, " \r\n\t")
	whole := make([]byte, 0, len(object)+len(value)+len(name)+len(`,"":}`))
	whole = append(whole, object[:len(object)-1]...)
	whole = append(whole, `,"`+name+`":`...)
	return append(append(whole, value...), '}')
}

// Outcomes are a part of a list of outcomes.
type Outcomes struct {
	Items []json.RawMessage // each an [outcome.Outcome]; never nil
	Next  string            // the cursor of the next part; empty: this is the last one
}

// Limits of lists of outcomes and of scoreboards, in days.
const (
	MaxOutcomeDays = 92  // of a list without a pair, which is read day by day
	MaxScoreDays   = 400 // of a scoreboard
	scoreDays      = 365 // of a scoreboard that names no days, and of a probability
	// latestAnswer is the most days between the window of a result and its answer for which
	// a list without a pair finds it.
	latestAnswer = 7
)

func notAfter() signal.FieldErrors {
	return signal.FieldErrors{{Field: "to", Message: "is not after from: both are UTC days, and to is the day after the last one"}}
}

// Outcomes lists what became of results, the newest first: those that are settled and those
// that are unresolved. q.From and q.To are UTC days; a result belongs to the day on which
// its window begins. Without a pair it lists those of all pairs, of q.Timeframe alone if
// that is set, and without q.From those of today.
//
// Its error is [signal.FieldErrors] for days that can't be listed and for a Cursor of
// another list.
func (s *Service) Outcomes(ctx context.Context, q Query) (Outcomes, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	first, last := q.From.UTC().Truncate(day), q.To.UTC().Truncate(day)
	if !q.To.IsZero() && !q.From.IsZero() && !first.Before(last) {
		return Outcomes{}, notAfter()
	}
	if q.Cursor != "" && !store.IsPosition(q.Cursor) {
		return Outcomes{}, wrongCursor(q.Cursor)
	}
	if !q.Pair.IsZero() {
		step := cmp.Or(q.Timeframe, signal.DefaultTimeframe).Duration()
		if !q.From.IsZero() {
			q.From = first.Add(-step)
		}
		if !q.To.IsZero() {
			q.To = last.Add(-step)
		}
		return s.outcomes(ctx, q, func(known) bool { return true }, s.History)
	}
	today := time.Now().UTC().Truncate(day)
	if q.From.IsZero() {
		first = today
		if !q.To.IsZero() {
			first = last.Add(-day)
		}
	}
	if q.To.IsZero() {
		last = today.Add(day)
	}
	if last.Sub(first) > MaxOutcomeDays*day {
		return Outcomes{}, signal.FieldErrors{{Field: "from", Message: fmt.Sprintf("is over %d days before the end, and without a pair the days are read one by one: name a pair, or fewer days", MaxOutcomeDays)}}
	}
	newest := last.Add((latestAnswer - 1) * day)
	if today.Before(newest) {
		newest = today
	}
	return s.outcomes(ctx, q, func(o known) bool {
		return !o.From.Before(first) && o.From.Before(last) && (q.Timeframe == "" || o.Timeframe == q.Timeframe)
	}, func(ctx context.Context, part Query) (store.Page, error) { return s.ofDays(ctx, first, newest, part) })
}

// ofDays reads results that were made on the days from newest back to first. Their positions
// are made of the day in place of the candle.
func (s *Service) ofDays(ctx context.Context, first, newest time.Time, q Query) (store.Page, error) {
	at, before := newest, ""
	if of := candleOf(q.Cursor).Truncate(day); q.Cursor != "" && !of.After(newest) {
		at, before = of, store.IDOf(q.Cursor)
	}
	for ; !at.Before(first); at, before = at.Add(-day), "" {
		page, err := s.History(ctx, Query{From: at, To: at.Add(day), Cursor: before, Limit: q.Limit})
		for i := range page.Results {
			page.Results[i].Position = store.PositionKey(at, page.Results[i].ID)
			page.Next = page.Results[i].Position // the days before may have more
		}
		if err != nil || page.Next != "" {
			return page, err
		}
	}
	return store.Page{}, nil
}

// known is what a list of outcomes has to know of each.
type known struct {
	Status    outcome.Status   `json:"status"`
	Timeframe signal.Timeframe `json:"timeframe"`
	From      time.Time        `json:"from"`
}

// outcomes reads pages of results until it has q.Limit outcomes that belong to the list.
func (s *Service) outcomes(ctx context.Context, q Query, belongs func(known) bool, read func(context.Context, Query) (store.Page, error)) (Outcomes, error) {
	list := Outcomes{Items: []json.RawMessage{}}
	limit := q.Limit
	q.Limit = max(limit, DefaultLimit) // many of the results that are read may not belong to the list
	for {
		page, err := read(ctx, q)
		if err != nil {
			return list, err
		}
		for i := range page.Results {
			result := &page.Results[i]
			o, err := OutcomeOf(result)
			if err != nil {
				return list, fmt.Errorf("the stored result %s can't be read: %w", result.ID, err)
			}
			var is known
			if err := json.Unmarshal(o, &is); err != nil {
				return list, fmt.Errorf("the outcome of the stored result %s can't be read: %w", result.ID, err)
			}
			if is.Status == outcome.Pending || !belongs(is) {
				continue
			}
			list.Items = append(list.Items, o)
			if len(list.Items) == limit {
				if i+1 < len(page.Results) || page.Next != "" {
					list.Next = result.Position
				}
				return list, nil
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return list, nil
		}
	}
}

// ScoreQuery selects what a scoreboard counts.
type ScoreQuery struct {
	Timeframe     signal.Timeframe // empty: a board for each that has results
	Pair          signal.Pair      // zero: all pairs
	From, To      time.Time        // UTC days, From ≤ day < To; zero: the 365 days to the end of today
	PromptVersion string           // empty: the current one
}

// Scoreboard scores the consensus and every provider. Its error is [signal.FieldErrors] for
// days that can't be counted.
func (s *Service) Scoreboard(ctx context.Context, q ScoreQuery) (*outcome.Scoreboard, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if q.PromptVersion == "" {
		q.PromptVersion = provider.PromptVersion()
	}
	if q.To = q.To.UTC().Truncate(day); q.To.IsZero() {
		q.To = time.Now().UTC().Truncate(day).Add(day)
	}
	if q.From = q.From.UTC().Truncate(day); q.From.IsZero() {
		q.From = q.To.Add(-scoreDays * day)
	}
	switch days := q.To.Sub(q.From) / day; {
	case days < 1:
		return nil, notAfter()
	case days > MaxScoreDays:
		return nil, signal.FieldErrors{{Field: "from", Message: fmt.Sprintf("is %d days before to: at most %d are counted", days, MaxScoreDays)}}
	}
	board := &outcome.Scoreboard{
		From: q.From.Format(time.DateOnly), To: q.To.Format(time.DateOnly), PromptVersion: q.PromptVersion, Simulated: s.Simulated, Boards: []outcome.Board{},
	}
	for _, timeframe := range timeframesOf(q.Timeframe) {
		sums, err := s.sums(ctx, timeframe, q)
		if err != nil {
			return nil, unreachable("to read the scores", err)
		}
		unresolved, pending, err := s.countUnsettled(ctx, timeframe, q)
		if err != nil {
			return nil, unreachable("to read what is not settled", err)
		}
		if q.Timeframe != "" || len(sums) > 0 || len(unresolved) > 0 || pending > 0 {
			board.Boards = append(board.Boards, outcome.NewBoard(timeframe, sums, unresolved, pending))
		}
	}
	return board, nil
}

func (s *Service) sums(ctx context.Context, timeframe signal.Timeframe, q ScoreQuery) (map[outcome.Voter]outcome.Sums, error) {
	stored, err := s.Store.Sums(ctx, store.ScoresKey(string(timeframe), q.PromptVersion, s.Simulated), q.Pair.String(), q.From.Format(time.DateOnly), q.To.Add(-day).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	sums := make(map[outcome.Voter]outcome.Sums, len(stored))
	for voter, counters := range stored {
		sums[outcome.ParseVoter(voter)] = counters
	}
	return sums, nil
}

func (s *Service) countUnsettled(ctx context.Context, timeframe signal.Timeframe, q ScoreQuery) (unresolved map[outcome.Reason]int, pending int, err error) {
	unresolved = map[outcome.Reason]int{}
	scores, step := store.ScoresKey(string(timeframe), q.PromptVersion, s.Simulated), timeframe.Duration()
	for _, hopeless := range []bool{false, true} {
		open, err := s.Store.ListUnsettled(ctx, store.UnsettledKey(string(timeframe), hopeless, s.Simulated), q.From.Add(-step), q.To.Add(-step))
		if err != nil {
			return nil, 0, err
		}
		for _, u := range open {
			switch {
			case u.Scores != scores || !q.Pair.IsZero() && u.Pair != q.Pair.String():
			case u.Reason == "":
				pending++
			default:
				unresolved[outcome.Reason(u.Reason)]++
			}
		}
	}
	return unresolved, pending, nil
}

const (
	fitLifetime = 5 * time.Minute // how long a fit is used before it is read again
	// fitRetry is the time after which a read that failed, or did not end with its run, is tried
	// again: a year's scores are hundreds of requests to DynamoDB. It is longer than a read.
	fitRetry = 2 * readTimeout
	fitLimit = time.Hour // how long it is used while it can't be read again
)

// fits are the curves by which decisions get their probability.
type fits struct {
	mu    sync.Mutex
	known map[signal.Timeframe]fitted // guarded by mu
}

type fitted struct {
	outcome.Fit
	at   time.Time // when it was read
	next time.Time // when to read it again
}

// probability begins to read what the probability of a decision is fitted to, unless it is
// known. The function that it returns gives the probability without waiting. The caller
// must call end when the run has ended.
func (s *Service) probability(ctx context.Context, timeframe signal.Timeframe) (of func(raw signal.Decision, confidence float64) *signal.Probability, end func()) {
	f := &s.fits
	f.mu.Lock()
	defer f.mu.Unlock()
	end = func() {}
	if now, known := time.Now(), f.known[timeframe]; !now.Before(known.next) {
		if f.known == nil {
			f.known = map[signal.Timeframe]fitted{}
		}
		known.next = now.Add(fitRetry)
		f.known[timeframe] = known
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		done := make(chan struct{})
		s.runs.Go(func() {
			defer close(done)
			defer cancel()
			s.fit(ctx, timeframe, now)
		})
		if s.Frozen { // what is not read by then would go on in the middle of another request
			end = func() { cancel(); <-done }
		}
	}
	return func(raw signal.Decision, confidence float64) *signal.Probability {
		f.mu.Lock()
		known := f.known[timeframe]
		f.mu.Unlock()
		if time.Since(known.at) > fitLimit {
			return outcome.NoProbability(raw)
		}
		return known.Probability(raw, confidence, known.at)
	}, end
}

// fit reads the scores of a timeframe and fits the curve of the consensus to them.
func (s *Service) fit(ctx context.Context, timeframe signal.Timeframe, now time.Time) {
	today := now.UTC().Truncate(day)
	sums, err := s.sums(ctx, timeframe, ScoreQuery{PromptVersion: provider.PromptVersion(), From: today.Add((1 - scoreDays) * day), To: today.Add(day)})
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			s.log.LogAttrs(ctx, slog.LevelWarn, "Scores not read:", slog.String("timeframe", string(timeframe)), slog.String("error", err.Error()))
		}
		return
	}
	s.fits.mu.Lock()
	defer s.fits.mu.Unlock()
	s.fits.known[timeframe] = fitted{outcome.NewFit(sums[outcome.Consensus]), now, now.Add(fitLifetime)}
}
