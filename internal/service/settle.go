package service

// Settling: stored results are held against the candles that came after them.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"thalas/internal/market"
	"thalas/internal/outcome"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// settleBatch is how many results are settled by one write.
	settleBatch = 200
	// candlesAhead is how many candles behind the first open result a venue is asked for:
	// no venue gives fewer in one answer.
	candlesAhead = 200
	// triesFor is how long after the end of its window a result that candles could not
	// settle is tried again by itself. [Service.Settle] tries any.
	triesFor = 2 * day
)

// SettleQuery selects the results to settle. The zero SettleQuery is all that wait for
// candles.
type SettleQuery struct {
	Pair      signal.Pair      // zero: all pairs
	Timeframe signal.Timeframe // empty: all timeframes
	From, To  time.Time        // candle times, From ≤ t < To; zero: no bound
	DryRun    bool             // nothing is stored
	Recent    bool             // leave out what was tried in vain for longer than two days
	Whole     bool             // CandlesOf gives all candles there are, whatever time it is asked for
	Progress  func(Settled)    // called after some results of a series, with what was done of it so far; may be nil
}

// Settled says what became of the results of a series that had no final outcome.
type Settled struct {
	market.Series
	Simulated  bool
	Source     string // where the candles are from
	Settled    int
	Pending    int                    // their window has not ended, or its newest candles are not known yet
	Unresolved map[outcome.Reason]int // candles could not settle them
	Failed     error                  // why the venue gave no candles; nil otherwise
	// Of what was settled, for metrics.
	Directional, Hits int     // raw BUY and SELL decisions, and how many of them were right
	NetReturn         float64 // the sum over all
}

// CandlesOf gives candles that cover the time from an open result on, and where they are
// from.
type CandlesOf func(ctx context.Context, series market.Series, from time.Time) (candles []signal.Candle, source string, err error)

// FromVenue gives the candles of a venue: those around from, as far as one answer reaches.
func FromVenue(source market.CandleSource) CandlesOf {
	return func(ctx context.Context, series market.Series, from time.Time) ([]signal.Candle, string, error) {
		last := series.Timeframe.LastClosed(time.Now())
		if ahead := from.Add(candlesAhead * series.Timeframe.Duration()); ahead.Before(last) {
			last = ahead
		}
		fetched, err := source.Candles(ctx, series, last)
		return fetched.Candles, fetched.Venue, err
	}
}

// Settle settles what is open by candles that it asks for, and tells how each series went.
// Its error is that of the store or of tell, or an [*outcome.CandleError]; then what was
// told is settled. A venue that gives no candles fails its series alone.
func (s *Service) Settle(ctx context.Context, q SettleQuery, candlesOf CandlesOf, tell func(Settled) error) error {
	for _, timeframe := range timeframesOf(q.Timeframe) {
		for _, simulated := range []bool{false, true} {
			open, err := s.open(ctx, q, timeframe, simulated)
			if err != nil {
				return err
			}
			var pairs []string // in the order in which they come first
			of := map[string][]store.Unsettled{}
			for _, u := range open {
				if of[u.Pair] == nil {
					pairs = append(pairs, u.Pair)
				}
				of[u.Pair] = append(of[u.Pair], u)
			}
			for _, text := range pairs {
				pair, err := signal.ParseMarket(text)
				if err != nil {
					continue // it is no pair of this version
				}
				series := market.Series{Pair: pair, Timeframe: timeframe}
				done, err := s.settleSeries(ctx, series, simulated, of[text], candlesOf, q)
				if err != nil {
					return err
				}
				if err := tell(done); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// SettleFrom settles the results of a series that are due by candles that are at hand, one
// or more, the oldest first. It is what a round does with the candles that it has fetched
// anyway.
func (s *Service) SettleFrom(ctx context.Context, series market.Series, candles []signal.Candle, source string) error {
	q := SettleQuery{Pair: series.Pair, Timeframe: series.Timeframe, From: candles[0].Time.Add(-series.Timeframe.Duration()), Recent: true, Whole: true}
	open, err := s.waiting(ctx, q, series.Timeframe, s.Simulated)
	if err != nil || len(open) == 0 {
		return err
	}
	_, err = s.settleSeries(ctx, series, s.Simulated, open, func(context.Context, market.Series, time.Time) ([]signal.Candle, string, error) {
		return candles, source, nil
	}, q)
	return err
}

// SettleHourly is [Service.Settle] of what is due, unless some process has done it within
// this hour.
func (s *Service) SettleHourly(ctx context.Context, candlesOf CandlesOf) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	next := now.Truncate(time.Hour).Add(time.Hour)
	claim := store.Claim{Owner: id.String(), Payload: "settle", Until: next, ExpiresAt: next.Add(time.Hour)}
	switch _, err := s.Store.Claim(ctx, "idem#settle#"+now.Format("2006-01-02T15"), claim); {
	case errors.Is(err, store.ErrHeld):
		return nil
	case err != nil:
		return unreachable("to see whether this hour's results are settled", err)
	}
	return s.Settle(ctx, SettleQuery{Recent: true}, candlesOf, func(done Settled) error {
		if done.Failed != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "No candles to settle by:", slog.String("series", done.String()), slog.String("error", done.Failed.Error()))
		}
		return nil
	})
}

// open gives the results to settle. Where a pair is named these are all of its series that
// have no final outcome, those too that were stored before there were outcomes.
func (s *Service) open(ctx context.Context, q SettleQuery, timeframe signal.Timeframe, simulated bool) ([]store.Unsettled, error) {
	if q.Pair.IsZero() {
		return s.waiting(ctx, q, timeframe, simulated)
	}
	var open []store.Unsettled
	r := store.Range{From: q.From, To: q.To, Limit: MaxLimit}
	for {
		page, err := s.Store.Series(ctx, store.SeriesKey(q.Pair.String(), string(timeframe), simulated), r)
		if err != nil {
			return nil, unreachable("to read what is to be settled", err)
		}
		for i := range page.Results {
			result := &page.Results[i]
			var known struct {
				Status outcome.Status
				Reason string
			}
			if _ = json.Unmarshal(result.Outcome, &known); known.Status != outcome.Settled {
				open = append(open, store.Unsettled{ID: result.ID, Position: result.Position, Pair: q.Pair.String(), Reason: known.Reason})
			}
		}
		if r.Before = page.Next; r.Before == "" {
			slices.Reverse(open) // the oldest first
			return open, nil
		}
	}
}

// waiting gives the results that candles can settle and whose window has ended.
func (s *Service) waiting(ctx context.Context, q SettleQuery, timeframe signal.Timeframe, simulated bool) ([]store.Unsettled, error) {
	step := timeframe.Duration()
	due := time.Now().Add(-4*step + time.Second) // the open times of candles whose window has ended are before it
	if q.To.IsZero() || due.Before(q.To) {
		q.To = due
	}
	open, err := s.Store.ListUnsettled(ctx, store.UnsettledKey(string(timeframe), false, simulated), q.From, q.To)
	if err != nil {
		return nil, unreachable("to read what is to be settled", err)
	}
	return slices.DeleteFunc(open, func(u store.Unsettled) bool {
		if !q.Pair.IsZero() && u.Pair != q.Pair.String() {
			return true
		}
		return q.Recent && u.Reason != "" && candleOf(u.Position).Before(due.Add(-triesFor))
	}), nil
}

// candleOf gives the candle of a result, which stands in its position.
func candleOf(position string) time.Time {
	candle, _, _ := strings.Cut(position, "#")
	at, _ := time.Parse(time.RFC3339, candle)
	return at
}

func timeframesOf(one signal.Timeframe) []signal.Timeframe {
	if one == "" {
		return signal.Timeframes()
	}
	return []signal.Timeframe{one}
}

// settleSeries settles results of one series, the oldest first. Candles are asked for as
// often as it takes to cover all of them.
func (s *Service) settleSeries(ctx context.Context, series market.Series, simulated bool, open []store.Unsettled, candlesOf CandlesOf, q SettleQuery) (done Settled, err error) {
	done = Settled{Series: series, Simulated: simulated, Unresolved: map[outcome.Reason]int{}}
	defer func() { // what is settled stays so, however the rest goes
		if !q.DryRun && done.Settled > 0 {
			s.Meter.Settled(done.Settled, done.Directional, done.Hits, done.NetReturn)
			s.log.LogAttrs(ctx, slog.LevelInfo, "Results settled:", slog.String("series", series.String()), slog.String("source", done.Source), slog.Int("settled", done.Settled))
		}
	}()
	step := series.Timeframe.Duration()
	for len(open) > 0 {
		now := time.Now()
		list, source, err := candlesOf(ctx, series, candleOf(open[0].Position).Add(step))
		if err != nil {
			done.Failed = err
			done.Pending += len(open)
			return done, ctx.Err()
		}
		candles, err := outcome.NewCandles(series.Timeframe, list, now)
		if err != nil {
			return done, fmt.Errorf("the candles of %s from %s: %w", series, source, err)
		}
		covered := len(open) // results that these candles can say something about
		if newest := newestOf(list); !q.Whole && !newest.IsZero() {
			for covered = 1; covered < len(open) && !candleOf(open[covered].Position).Add(3*step).After(newest); covered++ {
			}
			if newest.Add(step).After(series.Timeframe.LastClosed(now)) { // there are no later ones
				covered = len(open)
			}
		}
		done.Source = source
		terms := outcome.Terms{Cost: s.RoundTripCost, Source: source, Now: now}
		for batch := range slices.Chunk(open[:covered], settleBatch) {
			if done, err = s.settleBatch(ctx, done, batch, candles, terms, q.DryRun); err != nil {
				return done, err
			}
			if q.Progress != nil {
				q.Progress(done)
			}
		}
		open = open[covered:]
	}
	return done, nil
}

func newestOf(candles []signal.Candle) (newest time.Time) {
	for i := range candles {
		if candles[i].Time.After(newest) {
			newest = candles[i].Time
		}
	}
	return newest
}

// settleBatch settles some results and stores what became of them. It adds what is stored
// to before.
func (s *Service) settleBatch(ctx context.Context, before Settled, open []store.Unsettled, candles outcome.Candles, terms outcome.Terms, dryRun bool) (Settled, error) {
	done := before
	done.Unresolved = maps.Clone(before.Unresolved)
	var settlements []store.Settlement
	var notes []store.Unsettled
	for _, u := range open {
		stored, err := s.Store.Result(ctx, u.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has expired
		}
		if err != nil {
			return before, unreachable("to read a result that is to be settled", err)
		}
		var c signal.Consensus
		if err := json.Unmarshal(stored.Body, &c); err != nil {
			return before, fmt.Errorf("the stored result %s can't be settled: %w", u.ID, err)
		}
		o := outcome.Settle(&c, stored.Imported, candles, terms)
		switch o.Status {
		case outcome.Settled:
			done.Settled++
			done.NetReturn += *o.NetReturn
			if o.RawDecision != signal.Hold {
				done.Directional++
				if *o.RawRight {
					done.Hits++
				}
			}
			settlement, err := s.settlement(&c, &o)
			if err != nil {
				return before, err
			}
			settlements = append(settlements, settlement)
		case outcome.Unresolved:
			done.Unresolved[*o.Reason]++
			if string(*o.Reason) != u.Reason {
				note, err := unsettled(&c, o)
				if err != nil {
					return before, err
				}
				notes = append(notes, *note)
			}
		default:
			done.Pending++
		}
	}
	if dryRun {
		return done, nil
	}
	ctx, cancel := writeContext(ctx, importTimeout)
	defer cancel()
	if _, err := s.Store.AddOutcomes(ctx, settlements); err != nil {
		return before, unreachable("to store what became of results", err)
	}
	if len(notes) > 0 {
		if err := s.Store.NoteUnsettled(ctx, notes); err != nil {
			return done, unreachable("to store why results are not settled", err)
		}
	}
	return done, nil
}

// unsettled is a result without a final outcome, as it stands on the store's list.
func unsettled(c *signal.Consensus, o outcome.Outcome) (*store.Unsettled, error) {
	u := &store.Unsettled{
		ID: c.ID, Group: store.UnsettledKey(string(c.Timeframe), o.Reason != nil && o.Reason.IsFinal(), c.Simulated),
		Position: store.PositionKey(c.CandleTime, c.ID), Pair: c.Pair.String(),
	}
	u.Scores = store.ScoresKey(string(c.Timeframe), c.PromptVersion, c.Simulated)
	if c.SharedFrom != nil { // the result whose votes were shared counts; this one is on no board
		u.Scores += "#shared"
	}
	if o.Reason == nil {
		return u, nil
	}
	u.Reason = string(*o.Reason)
	var err error
	u.Outcome, err = json.Marshal(o)
	return u, err
}

// settlement is a final outcome and what it adds to the sums.
func (s *Service) settlement(c *signal.Consensus, o *outcome.Outcome) (store.Settlement, error) {
	u, err := unsettled(c, outcome.Of(c, o.Imported))
	if err != nil {
		return store.Settlement{}, err
	}
	if u.Outcome, err = json.Marshal(o); err != nil {
		return store.Settlement{}, err
	}
	settlement := store.Settlement{Unsettled: *u, Day: o.Day(), Sums: map[string]map[string]float64{}, ExpiresAt: expiry(time.Now(), s.MetricsRetention)}
	for voter, sums := range o.Sums(c) {
		settlement.Sums[voter.String()] = sums
	}
	return settlement, nil
}
