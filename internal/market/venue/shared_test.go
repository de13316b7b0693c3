package venue_test

// One fetch for many callers.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/market/venuetest"
	"thalas/internal/signal"
)

// slow is a source that takes a minute, and counts.
type slow struct {
	asked, ended atomic.Int32
	err          error
	late         time.Duration // how long before the time asked for its newest candle opened
}

func (s *slow) Name() string { return "slow" }

func (s *slow) Candles(ctx context.Context, _ market.Series, last time.Time) (market.Fetched, error) {
	s.asked.Add(1)
	defer s.ended.Add(1)
	select {
	case <-time.After(time.Minute):
		return market.Fetched{Venue: s.Name(), Candles: []signal.Candle{{Time: last.Add(-s.late)}}}, s.err
	case <-ctx.Done():
		return market.Fetched{}, ctx.Err()
	}
}

func TestSharedAsksOnce(t *testing.T) {
	server, c := chain(t)
	shared := venue.NewShared(c)
	s := series(t, "BTC/USD", "5m")
	last := s.Timeframe.LastClosed(now)
	server.Script("kraken", venuetest.Busy)
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			f, err := shared.Candles(t.Context(), s, last)
			if err != nil || f.Venue != "coinbase" || len(f.Failed) != 1 {
				t.Errorf("candles of %q after %v, %v", f.Venue, f.Failed, err)
				return
			}
			sound(t, f.Candles, s, last)
			clear(f.Candles) // one's own
		})
	}
	callers.Wait()
	if k, b := len(server.Requests("kraken")), len(server.Requests("coinbase")); k != 1 || b != 1 {
		t.Errorf("%d and %d requests for 50 callers, want one each", k, b)
	}
	if _, err := shared.Candles(t.Context(), s, last.Add(-s.Timeframe.Duration())); err != nil {
		t.Error(err)
	}
	if n := len(server.Requests("kraken")); n != 2 {
		t.Errorf("%d requests: another time is another question", n)
	}
	if shared.Name() != c.Name() {
		t.Errorf("name %q", shared.Name())
	}
}

func TestSharedCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slow{}
		shared := venue.NewShared(source)
		s := series(t, "BTC/USD", "5m")
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() { // it began the fetch, and leaves the others with it
			_, err := shared.Candles(impatient, s, now)
			if failed(t, err, market.ErrUnavailable); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		callers.Go(func() {
			if f, err := shared.Candles(t.Context(), s, now); err != nil || len(f.Candles) != 1 {
				t.Errorf("%v, %v", f.Candles, err)
			}
		})
		callers.Wait()
		if source.asked.Load() != 1 {
			t.Errorf("asked %d times", source.asked.Load())
		}
	})
}

func TestSharedEndsWithItsLastCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slow{}
		shared := venue.NewShared(source)
		s := series(t, "BTC/USD", "5m")
		for round := range int32(3) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := shared.Candles(ctx, s, now)
			cancel()
			failed(t, err, market.ErrUnavailable)
			if source.asked.Load() != round+1 || source.ended.Load() != round+1 {
				t.Errorf("asked %d times, ended %d times", source.asked.Load(), source.ended.Load())
			}
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := shared.Candles(over, s, now); !errors.Is(err, context.Canceled) || source.asked.Load() != 3 {
			t.Errorf("%v, asked %d times for nobody", err, source.asked.Load())
		}
	})
}

func TestSharedForgets(t *testing.T) {
	tests := []struct {
		name   string
		source *slow
		asked  int32 // after asking twice
	}{
		{"nothing that is final", &slow{}, 1},
		{"an error", &slow{err: &market.Error{Kind: market.ErrUnavailable, Message: "down"}}, 2},
		{"candles that may go on", &slow{late: 5 * time.Minute}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := venue.NewShared(tt.source)
				for range 2 {
					_, err := shared.Candles(t.Context(), series(t, "BTC/USD", "5m"), now)
					if (err != nil) != (tt.source.err != nil) {
						t.Fatal(err)
					}
				}
				if n := tt.source.asked.Load(); n != tt.asked {
					t.Errorf("asked %d times, want %d", n, tt.asked)
				}
			})
		})
	}
	t.Run("the oldest of many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			source := &slow{}
			shared := venue.NewShared(source)
			s := series(t, "BTC/USD", "5m")
			for i := range 65 {
				_, _ = shared.Candles(t.Context(), s, now.Add(time.Duration(i)*time.Minute))
			}
			_, _ = shared.Candles(t.Context(), s, now.Add(64*time.Minute))
			_, _ = shared.Candles(t.Context(), s, now.Add(time.Minute))
			if n := source.asked.Load(); n != 65 {
				t.Fatalf("asked %d times, want 65", n)
			}
			if _, _ = shared.Candles(t.Context(), s, now); source.asked.Load() != 66 {
				t.Error("the oldest is still remembered")
			}
		})
	})
}

// broken is a source that panics.
type broken struct{}

func (broken) Name() string { return "broken" }

func (broken) Candles(context.Context, market.Series, time.Time) (market.Fetched, error) {
	panic("planted")
}

func TestSharedPanicsWhereItsCallerCanRecover(t *testing.T) {
	shared := venue.NewShared(broken{})
	for range 2 { // it is asked again
		func() {
			defer func() {
				if cause := fmt.Sprint(recover()); !strings.Contains(cause, "planted") || !strings.Contains(cause, "broken.Candles") {
					t.Errorf("panicked with %q, want what and where", cause)
				}
			}()
			_, err := shared.Candles(t.Context(), series(t, "BTC/USD", "5m"), now)
			t.Errorf("candles or an error: %v", err)
		}()
	}
}
