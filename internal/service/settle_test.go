package service_test

// Settling that meets trouble: venues that fail, stores that are slow, and callers who go.

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/market"
	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// settlingStore is a store whose outcomes are written slowly. It counts the notes of what
// is not settled.
type settlingStore struct {
	*faulty
	takes time.Duration
	notes int
}

func (s *settlingStore) AddOutcomes(ctx context.Context, settlements []store.Settlement) (int, error) {
	if err := pause(ctx, s.takes); err != nil {
		return 0, err
	}
	return s.faulty.AddOutcomes(ctx, settlements)
}

func (s *settlingStore) NoteUnsettled(ctx context.Context, notes []store.Unsettled) error {
	s.notes += len(notes)
	return s.faulty.NoteUnsettled(ctx, notes)
}

// settledOf gives how many results are settled.
func settledOf(t *testing.T, s fixture) (settled int) {
	t.Helper()
	board, err := s.Scoreboard(t.Context(), service.ScoreQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range board.Boards {
		settled += b.Settled
	}
	return settled
}

// Two processes settle once an hour together. A venue that has no candles of one series
// leaves that one for the next hour.
func TestSettlingHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(20 * time.Minute) // from the beginning of an hour
		first := newService(t, service.Options{}, &voter{name: "a"})
		defer first.store.Close()
		second := serviceOver(t, service.Options{}, first.store)
		answer := ask(t, first, question()).Consensus // which is due in the second hour
		candles := map[string][]signal.Candle{}
		for i, name := range []string{"ETH/USDT", "SOL/USDT"} {
			like := *answer
			var err error
			if like.Pair, err = signal.ParsePair(name); err != nil {
				t.Fatal(err)
			}
			candles[name] = due(t, first, &like, 3-i, 1)
		}
		asked, down := map[string]int{}, errDown
		candlesOf := func(_ context.Context, series market.Series, _ time.Time) ([]signal.Candle, string, error) {
			name := series.Pair.String()
			if asked[name]++; name == "ETH/USDT" && down != nil {
				return nil, "", down
			}
			return candles[name], "venue", nil
		}
		for _, want := range []struct {
			settled int
			asked   map[string]int
		}{
			{2, map[string]int{"ETH/USDT": 1, "SOL/USDT": 1}},
			{5, map[string]int{"ETH/USDT": 2, "SOL/USDT": 1, "BTC/USDT": 1}},
		} {
			for range 8 {
				for _, s := range []fixture{first, second} {
					if err := s.SettleHourly(t.Context(), candlesOf); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(5 * time.Minute)
			}
			if got := settledOf(t, first); got != want.settled {
				t.Errorf("%d settled, want %d", got, want.settled)
			}
			if diff := cmp.Diff(want.asked, asked); diff != "" {
				t.Errorf("venue asked (-want +got):\n%s", diff)
			}
			down = nil
			time.Sleep(20 * time.Minute)
		}
	})
}

// A venue gives the candles of the first window and fails then: what is settled counts.
func TestAVenueFailsHalfway(t *testing.T) {
	n := &notebook{}
	s := newService(t, service.Options{Meter: n, RoundTripCost: 0.003}, &voter{name: "a"})
	candles := due(t, s, ask(t, s, question()).Consensus, 3, 3)
	n.lines = nil
	err := s.Settle(t.Context(), service.SettleQuery{}, func(_ context.Context, _ market.Series, from time.Time) ([]signal.Candle, string, error) {
		if from.After(candles[0].Time) {
			return nil, "", errDown
		}
		return candles[:3], "venue", nil
	}, func(done service.Settled) error {
		if done.Settled != 1 || done.Pending != 2 || !errors.Is(done.Failed, errDown) {
			t.Errorf("told %+v", done)
		}
		return nil
	})
	if err != nil || settledOf(t, s) != 1 || !slices.Equal(n.lines, []string{"1 settled, 1 of 1 right, +0.0170"}) {
		t.Errorf("%v, %d settled, metered %q", err, settledOf(t, s), n.lines)
	}
}

// What can't be settled for a reason of its own is noted once, and read back each time that
// its pair is gone through.
func TestFinalReasonsAreNotedOnce(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"})
	noting := &settlingStore{faulty: s.store}
	s.Store = noting
	late := *ask(t, s, question()).Consensus
	result, err := s.Store.Result(t.Context(), late.ID)
	if err != nil {
		t.Fatal(err)
	}
	late.ID, late.CandleTime = idAt(time.Now(), 1), late.CandleTime.Add(-time.Hour)
	if result.Body, err = json.Marshal(late); err != nil {
		t.Fatal(err)
	}
	result.ID, result.Position, result.Outcome = late.ID, store.PositionKey(late.CandleTime, late.ID), nil
	if _, err := s.Store.Add(t.Context(), []*store.Result{&result}); err != nil { // as versions without outcomes stored it
		t.Fatal(err)
	}
	for range 3 {
		found := 0
		err := s.Settle(t.Context(), service.SettleQuery{Pair: late.Pair, To: late.CandleTime.Add(time.Second)}, func(context.Context, market.Series, time.Time) ([]signal.Candle, string, error) {
			return nil, "venue", nil
		}, func(done service.Settled) error {
			found += done.Unresolved[outcome.Late]
			return nil
		})
		if err != nil || found != 1 || noting.notes != 1 {
			t.Errorf("%d late, noted %d times, %v", found, noting.notes, err)
		}
	}
}

// Outcomes are written though the caller has gone, and never later than its deadline.
func TestSettlingEndsWithItsTime(t *testing.T) {
	for _, tt := range []struct {
		name               string
		write, time, leave time.Duration // time 0: no deadline; leave 0: the caller stays
		settled            bool
	}{
		{"in time", 3 * time.Second, 5 * time.Second, 0, true},
		{"too slow for the deadline", time.Minute, 5 * time.Second, 0, false},
		{"the caller goes", 20 * time.Second, 0, time.Second, true},
		{"too slow", time.Minute, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, service.Options{}, &voter{name: "a"})
				defer s.store.Close()
				s.Store = &settlingStore{faulty: s.store, takes: tt.write}
				pair := question().Pair
				candles := due(t, s, ask(t, s, question()).Consensus, 1, 1)
				ctx, cancel := context.WithCancel(t.Context())
				if tt.time > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), tt.time)
				}
				defer cancel()
				if tt.leave > 0 {
					time.AfterFunc(tt.leave, cancel)
				}
				err := s.SettleFrom(ctx, market.Series{Pair: pair, Timeframe: "5m"}, candles, "venue")
				if tt.settled != (err == nil) || !tt.settled && !errors.Is(err, service.ErrStore) {
					t.Errorf("error %v", err)
				}
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					t.Error("it ended after the deadline")
				}
				if got := settledOf(t, s) == 1; got != tt.settled {
					t.Errorf("settled: %v", got)
				}
			})
		})
	}
}
