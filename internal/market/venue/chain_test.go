package venue_test

// Which venue is asked, and when again.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/market/venuetest"
)

// chain makes a chain of the default venues of one server.
func chain(t *testing.T) (*venuetest.Server, *venue.Chain) {
	t.Helper()
	server := venuetest.Serve(func() time.Time { return now })
	t.Cleanup(server.Close)
	var sources []market.CandleSource
	for _, name := range venue.Defaults() {
		sources = append(sources, sourceOf(t, server, name))
	}
	return server, venue.NewChain(sources...)
}

func TestChainTakesTheFirst(t *testing.T) {
	server, c := chain(t)
	s := series(t, "BTC/USD", "5m")
	f, err := c.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
	if err != nil || f.Venue != "kraken" || len(f.Failed) != 0 {
		t.Fatalf("%d candles of %q after %v, %v", len(f.Candles), f.Venue, f.Failed, err)
	}
	sound(t, f.Candles, s, s.Timeframe.LastClosed(now))
	if n := len(server.Requests("coinbase")) + len(server.Requests("okx")); n != 0 {
		t.Errorf("%d requests to venues that were not needed", n)
	}
	if c.Name() != "kraken, coinbase, okx" {
		t.Errorf("name %q", c.Name())
	}
}

func TestChainFallsThrough(t *testing.T) {
	for name, fault := range map[string]venuetest.Fault{
		"429": venuetest.RetryAfter(429, 30), "its words for 429": venuetest.Limited, "451": venuetest.Restricted, "403": venuetest.Page(403),
		"500": venuetest.Status(500), "not working": venuetest.Busy, "stale": venuetest.Late(2), "HTML": venuetest.Page(200),
		"malformed": venuetest.UpsideDown, "unknown pair": venuetest.Delisted,
	} {
		t.Run(name, func(t *testing.T) {
			server, c := chain(t)
			server.Always("kraken", fault)
			server.Always("coinbase", fault)
			s := series(t, "BTC/USD", "5m")
			f, err := c.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
			if err != nil || f.Venue != "okx" || len(f.Failed) != 2 || f.Failed[0].Venue != "kraken" || f.Failed[1].Venue != "coinbase" {
				t.Errorf("candles of %q after %v, %v", f.Venue, f.Failed, err)
			}
		})
	}
	t.Run("timeframe", func(t *testing.T) {
		_, c := chain(t)
		s := series(t, "BTC/USD", "2h")
		if f, err := c.Candles(t.Context(), s, s.Timeframe.LastClosed(now)); err != nil || f.Venue != "okx" {
			t.Errorf("candles of %q, %v", f.Venue, err)
		}
	})
}

func TestChainOfFailures(t *testing.T) {
	tests := []struct {
		name                  string
		kraken, coinbase, okx venuetest.Fault
		kind                  market.Kind
		wait                  time.Duration
	}{
		{"no such pair", venuetest.Delisted, venuetest.Delisted, venuetest.Delisted, market.ErrUnsupported, 0},
		{"one has it", venuetest.Delisted, venuetest.Late(3), venuetest.Restricted, market.ErrStaleData, 0},
		{"one may have it soon", venuetest.Restricted, venuetest.Late(3), venuetest.Status(500), market.ErrUnavailable, 0},
		{"the shortest wait", venuetest.RetryAfter(503, 40), venuetest.RetryAfter(429, 20), venuetest.Delisted, market.ErrUnavailable, 20 * time.Second},
		{"one names no wait", venuetest.RetryAfter(503, 40), venuetest.RetryAfter(429, 20), venuetest.Status(500), market.ErrUnavailable, 0},
		{"refused", venuetest.Restricted, venuetest.UpsideDown, venuetest.Restricted, market.ErrRefused, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, c := chain(t)
			server.Always("kraken", tt.kraken)
			server.Always("coinbase", tt.coinbase)
			server.Always("okx", tt.okx)
			s := series(t, "BTC/USD", "5m")
			fetched, err := c.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
			candles := fetched.Candles
			e := failed(t, err, tt.kind)
			if e.RetryAfter != tt.wait || e.Venue != "kraken, coinbase, okx" || candles != nil {
				t.Errorf("wait %s of %q, want %s", e.RetryAfter, e.Venue, tt.wait)
			}
			for _, name := range venue.Defaults() {
				if !strings.Contains(e.Message, name+" gave no candles") {
					t.Errorf("message %q does not say why %s gave none", e.Message, name)
				}
			}
		})
	}
	t.Run("one is left alone for long", func(t *testing.T) {
		server, c := chain(t)
		server.Always("kraken", venuetest.Restricted)
		server.Always("coinbase", venuetest.Status(500))
		server.Always("okx", venuetest.Status(500))
		s := series(t, "BTC/USD", "5m")
		for range 2 { // the second time Kraken is not asked
			_, err := c.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
			if e := failed(t, err, market.ErrUnavailable); e.RetryAfter != 0 {
				t.Errorf("wait %s for venues that name none", e.RetryAfter)
			}
		}
	})
	t.Run("an error of another kind than sources give", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := venue.NewChain(&slow{err: errors.New("broken")}).Candles(t.Context(), series(t, "BTC/USD", "5m"), now)
			if e := failed(t, err, market.ErrUnavailable); e.Venue != "slow" || !strings.Contains(e.Message, "broken") {
				t.Errorf("%+v", e)
			}
		})
	})
	t.Run("no venue", func(t *testing.T) {
		_, err := venue.NewChain().Candles(t.Context(), series(t, "BTC/USD", "5m"), now)
		failed(t, err, market.ErrUnsupported)
	})
}

func TestChainEndsWithItsCaller(t *testing.T) {
	server, c := chain(t)
	server.Always("kraken", venuetest.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := series(t, "BTC/USD", "5m")
	_, err := c.Candles(ctx, s, s.Timeframe.LastClosed(now))
	if failed(t, err, market.ErrUnavailable); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap context.DeadlineExceeded", err)
	}
	if n := len(server.Requests("coinbase")); n != 0 {
		t.Errorf("%d requests after the caller had gone", n)
	}
}
