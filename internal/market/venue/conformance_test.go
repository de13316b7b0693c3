package venue_test

// One suite that every venue passes, against a server that speaks its format.

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/market/venuetest"
	"thalas/internal/signal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is a moment at which every timeframe up to an hour has an open candle.
var now = time.Date(2026, 11, 24, 5, 2, 30, 0, time.UTC)

func pairOf(t testing.TB, text string) signal.Pair {
	t.Helper()
	p, err := signal.ParsePair(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func series(t testing.TB, pair string, timeframe signal.Timeframe) market.Series {
	return market.Series{Pair: pairOf(t, pair), Timeframe: timeframe}
}

// serve starts a server whose clock stands at now, and makes a venue's source of it.
func serve(t *testing.T, name string) (*venuetest.Server, market.CandleSource) {
	t.Helper()
	server := venuetest.Serve(func() time.Time { return now })
	t.Cleanup(server.Close)
	return server, sourceOf(t, server, name)
}

func sourceOf(t *testing.T, server *venuetest.Server, name string) market.CandleSource {
	t.Helper()
	source, err := venue.New(name, server.BaseURL(name), server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// candlesOf gives candles that a source must have.
func candlesOf(t *testing.T, source market.CandleSource, s market.Series, last time.Time) []signal.Candle {
	t.Helper()
	fetched, err := source.Candles(t.Context(), s, last)
	if err != nil {
		t.Fatal(err)
	}
	return fetched.Candles
}

// each runs a test for every venue.
func each(t *testing.T, test func(t *testing.T, name string)) {
	for _, name := range venue.Names() {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

// failed gives err as the *market.Error of that kind that it must be.
func failed(t *testing.T, err error, kind market.Kind) *market.Error {
	t.Helper()
	var e *market.Error
	if !errors.As(err, &e) || !errors.Is(err, kind) {
		t.Fatalf("error = %v (%T), want a *market.Error of kind %s", err, err, kind)
	}
	if e.Message == "" || strings.Contains(e.Message, "%!") {
		t.Errorf("message %q", e.Message)
	}
	return e
}

// sound holds candles against what CandleSource promises.
func sound(t testing.TB, candles []signal.Candle, s market.Series, last time.Time) {
	t.Helper()
	if len(candles) == 0 || len(candles) > signal.MaxCandles {
		t.Fatalf("%d candles", len(candles))
	}
	for i, c := range candles {
		switch {
		case !s.Timeframe.Open(c.Time).Equal(c.Time):
			t.Fatalf("candle %d opens at %s, off the grid", i, c.Time)
		case c.Time.After(last):
			t.Fatalf("candle %d opens at %s, after %s", i, c.Time, last)
		case i > 0 && !c.Time.After(candles[i-1].Time):
			t.Fatalf("candle %d opens at %s, not after the one before", i, c.Time)
		case c.Low.Float64() <= 0 || c.Low.Float64() > min(c.Open.Float64(), c.Close.Float64()) || c.High.Float64() < max(c.Open.Float64(), c.Close.Float64()):
			t.Fatalf("candle %d contradicts itself: %+v", i, c)
		case !c.Volume.IsKnown() || c.Volume.Float64() < 0:
			t.Fatalf("candle %d has the volume %s", i, c.Volume)
		}
	}
	if newest := candles[len(candles)-1].Time; market.IsStale(newest, last, s.Timeframe) {
		t.Fatalf("the newest opened at %s: stale at %s", newest, last)
	}
}

// has are the timeframes that each venue has.
var has = map[string]string{
	"kraken":    "1m 5m 15m 30m 1h 4h 1d",
	"coinbase":  "1m 5m 15m 1h 6h 1d",
	"okx":       "1m 3m 5m 15m 30m 1h 2h 4h 6h 12h 1d 3d 1w",
	"binance":   "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w",
	"binanceus": "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w",
}

func TestTimeframes(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		server, source := serve(t, name)
		for _, timeframe := range signal.Timeframes() {
			asked := len(server.Requests(name))
			s := series(t, "BTC/USD", timeframe)
			last := timeframe.LastClosed(now)
			fetched, err := source.Candles(t.Context(), s, last)
			candles := fetched.Candles
			if !slices.Contains(strings.Fields(has[name]), string(timeframe)) {
				if e := failed(t, err, market.ErrUnsupported); !strings.Contains(e.Message, has[name]) || len(server.Requests(name)) != asked {
					t.Errorf("%s: want an error without a request that names what there is: %s", timeframe, e)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", timeframe, err)
				continue
			}
			sound(t, candles, s, last)
			newest := candles[len(candles)-1].Time
			missing := int(newest.Sub(candles[0].Time)/timeframe.Duration()) + 1 - len(candles)
			if !newest.Equal(last) || len(candles) < 250 || missing != 0 {
				t.Errorf("%s: %d candles up to %s, %d missing; want at least 250 up to %s", timeframe, len(candles), newest, missing, last)
			}
		}
	})
}

// Every venue has the same made-up market, so every adapter must give the same
// digits: a column that is read as another would show here.
func TestAllVenuesAgree(t *testing.T) {
	var want []signal.Candle
	each(t, func(t *testing.T, name string) {
		_, source := serve(t, name)
		candles := candlesOf(t, source, series(t, "ETH/EUR", "5m"), signal.Timeframe("5m").LastClosed(now))
		candles = candles[len(candles)-250:]
		if want == nil {
			want = candles
		}
		if diff := cmp.Diff(want, candles, cmpopts.EquateComparable(signal.Number{})); diff != "" {
			t.Errorf("other candles than the first venue's (-want +got):\n%s", diff)
		}
	})
}

// A late event gets the candles of its own time, not those of the moment.
func TestLateEvent(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		_, source := serve(t, name)
		s := series(t, "BTC/USD", "5m")
		last := s.Timeframe.LastClosed(now.Add(-3 * time.Hour))
		candles := candlesOf(t, source, s, last)
		sound(t, candles, s, last)
		if newest := candles[len(candles)-1].Time; !newest.Equal(last) || len(candles) < 250 {
			t.Errorf("%d candles up to %s, want at least 250 up to %s", len(candles), newest, last)
		}
	})
}

// A clock that runs ahead of the venue's must not make a candle closed that is
// still open there.
func TestOpenByTheVenue(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		_, source := serve(t, name)
		s := series(t, "BTC/USD", "5m")
		open := s.Timeframe.Open(now)
		candles := candlesOf(t, source, s, open)
		sound(t, candles, s, open.Add(-s.Timeframe.Duration()))
	})
}

func TestOddAnswers(t *testing.T) {
	tests := []struct {
		name  string
		fault venuetest.Fault
		kind  market.Kind // empty: the venue's candles
		says  string
		fewer bool // but not all of them
	}{
		{"reversed", venuetest.Reversed, "", "", false},
		{"in no order", venuetest.Shuffled, "", "", false},
		{"every row twice", venuetest.Twice, "", "", false},
		{"numbers with other quotes", venuetest.OtherQuotes, "", "", false},
		{"gaps", venuetest.Gaps, "", "", true},
		{"one closed candle late", venuetest.Late(1), "", "", true},
		{"two closed candles late", venuetest.Late(2), market.ErrStaleData, "04:45", false},
		{"empty", venuetest.Empty, market.ErrStaleData, "no closed candle", false},
		{"two candles of one time", venuetest.Conflicting, market.ErrMalformed, "two different", false},
		{"high below low", venuetest.UpsideDown, market.ErrMalformed, "do not lie between", false},
		{"price below 0", venuetest.Negative, market.ErrMalformed, "not above 0", false},
		{"a word for a price", venuetest.NoNumber, market.ErrMalformed, "close is not a number", false},
		{"one candle off the grid", venuetest.Between, market.ErrMalformed, "begin between", false},
		{"another grid", venuetest.OffGrid, market.ErrUnsupported, "other times than ours", false},
		{"HTML page", venuetest.Page(200), market.ErrMalformed, "HTML page", false},
		{"cut off", venuetest.CutOff, market.ErrMalformed, "not whole JSON", false},
		{"too long", venuetest.Huge, market.ErrMalformed, "1 MiB", false},
		{"other JSON", venuetest.Status(200), market.ErrMalformed, "", false},
		{"429", venuetest.RetryAfter(429, 30), market.ErrRateLimited, "30s", false},
		{"418", venuetest.RetryAfter(418, 120), market.ErrRateLimited, "2m0s", false},
		{"its own words for too many", venuetest.Limited, market.ErrRateLimited, "", false},
		{"451", venuetest.Restricted, market.ErrRefused, "451", false},
		{"403 page", venuetest.Page(403), market.ErrRefused, "HTML page", false},
		{"500", venuetest.Status(500), market.ErrUnavailable, "500", false},
		{"502 page", venuetest.Page(502), market.ErrUnavailable, "HTML page", false},
		{"503 with a wait", venuetest.RetryAfter(503, 7), market.ErrUnavailable, "", false},
		{"its own words for closed", venuetest.Busy, market.ErrUnavailable, "", false},
		{"unknown pair", venuetest.Delisted, market.ErrUnsupported, "check the pair", false},
		{"404 page", venuetest.Page(404), market.ErrUnavailable, "_BASE_URL", false},
		{"redirect", venuetest.Status(302), market.ErrUnavailable, "_BASE_URL", false},
	}
	each(t, func(t *testing.T, name string) {
		server, source := serve(t, name)
		s := series(t, "BTC/USD", "5m")
		last := s.Timeframe.LastClosed(now)
		want := candlesOf(t, source, s, last)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				server.Script(name, tt.fault)
				fetched, err := sourceOf(t, server, name).Candles(t.Context(), s, last)
				candles := fetched.Candles
				if tt.kind == "" {
					if err != nil {
						t.Fatal(err)
					}
					sound(t, candles, s, last)
					for _, c := range candles {
						if !c.Time.Before(want[0].Time) && !slices.Contains(want, c) {
							t.Fatalf("%+v is not one of the venue's candles", c)
						}
					}
					if !tt.fewer && len(candles) != len(want) {
						t.Errorf("%d candles, want %d", len(candles), len(want))
					}
					return
				}
				e := failed(t, err, tt.kind)
				if !strings.Contains(e.Message, tt.says) || !strings.HasPrefix(e.Message, name+" gave no candles of BTC/USD 5m: ") || len(e.Message) > 500 {
					t.Errorf("message %q, want a short one that begins with the venue and says %q", e.Message, tt.says)
				}
				if e.Venue != name || candles != nil {
					t.Errorf("venue %q with %d candles", e.Venue, len(candles))
				}
			})
		}
	})
}

func TestRetryAfter(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		server, _ := serve(t, name)
		s := series(t, "BTC/USD", "5m")
		for _, tt := range []struct {
			status, seconds int
			want            time.Duration
		}{{429, 30, 30 * time.Second}, {503, 7, 7 * time.Second}, {429, 1_000_000, 24 * time.Hour}, {429, -1, 0}} {
			server.Script(name, venuetest.RetryAfter(tt.status, tt.seconds))
			_, err := sourceOf(t, server, name).Candles(t.Context(), s, s.Timeframe.LastClosed(now))
			var e *market.Error
			if !errors.As(err, &e) || e.RetryAfter != tt.want || e.Status != tt.status {
				t.Errorf("%d after %d: error = %+v, want a wait of %s", tt.status, tt.seconds, err, tt.want)
			}
		}
	})
}

func TestPairs(t *testing.T) {
	const none = "" // no request
	tests := []struct {
		pair string
		want map[string]string // a part of the request, by venue
		kind market.Kind       // of the venues with none
	}{
		{"BTC/USDT", map[string]string{"kraken": "pair=XBTUSDT", "coinbase": "/products/BTC-USDT/", "okx": "instId=BTC-USDT&", "binance": "symbol=BTCUSDT", "binanceus": "symbol=BTCUSDT"}, ""},
		{"DOGE/EUR", map[string]string{"kraken": "pair=XDGEUR", "coinbase": "/products/DOGE-EUR/", "okx": "instId=DOGE-EUR&", "binance": "symbol=DOGEEUR", "binanceus": "symbol=DOGEEUR"}, ""},
		{"ETH/BTC", map[string]string{"kraken": "pair=ETHXBT", "coinbase": "/products/ETH-BTC/", "okx": "instId=ETH-BTC&", "binance": "symbol=ETHBTC", "binanceus": "symbol=ETHBTC"}, ""},
		{"BTC/USDT:USDT", map[string]string{"okx": "instId=BTC-USDT-SWAP"}, market.ErrUnsupported},
		{"BTC/USD:BTC", map[string]string{"okx": "instId=BTC-USD-SWAP"}, market.ErrUnsupported},
		{"BTC/USDC:USDC", map[string]string{"okx": "instId=BTC-USDC-SWAP"}, market.ErrUnsupported},
		{"BTC/USD:ETH", nil, market.ErrUnsupported},
		{"BTC/USD:USD", nil, market.ErrUnsupported},  // okx has the name for the one settled in BTC
		{"BTC/USDT:BTC", nil, market.ErrUnsupported}, // and for the one settled in USDT
	}
	each(t, func(t *testing.T, name string) {
		for _, tt := range tests {
			server, source := serve(t, name)
			s := series(t, tt.pair, "5m")
			last := s.Timeframe.LastClosed(now)
			fetched, err := source.Candles(t.Context(), s, last)
			candles := fetched.Candles
			if tt.want[name] == none {
				if e := failed(t, err, tt.kind); len(server.Requests(name)) > 0 || !strings.Contains(e.Message, tt.pair) {
					t.Errorf("%s: want an error without a request: %v", tt.pair, e)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", tt.pair, err)
				continue
			}
			sound(t, candles, s, last)
			if requests := server.Requests(name); len(requests) != 1 || !strings.Contains(requests[0], tt.want[name]) {
				t.Errorf("%s: requests %q, want one with %q", tt.pair, requests, tt.want[name])
			}
		}
	})
}

// A question of a prediction market has no candles.
func TestNoPair(t *testing.T) {
	question, err := signal.ParseMarket("Will Bitcoin reach $100k?")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, name string) {
		server, source := serve(t, name)
		for _, s := range []market.Series{{Pair: question, Timeframe: "5m"}, {Timeframe: "5m"}, {Pair: pairOf(t, "BTC/USD")}} {
			_, err := source.Candles(t.Context(), s, signal.Timeframe("5m").LastClosed(now))
			failed(t, err, market.ErrUnsupported)
		}
		_, err := source.Candles(t.Context(), series(t, "BTC/USD", "5m"), now)
		failed(t, err, market.ErrUnsupported) // now is not on the grid
		if n := len(server.Requests(name)); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestOtherPair(t *testing.T) {
	server, source := serve(t, "kraken")
	server.Script("kraken", venuetest.OtherPair)
	s := series(t, "BTC/USD", "5m")
	_, err := source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
	if e := failed(t, err, market.ErrMalformed); !strings.Contains(e.Message, "NOTXXBTZUSD") {
		t.Error(e)
	}
}

func TestContext(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		server, source := serve(t, name)
		server.Always(name, venuetest.Hang)
		s := series(t, "BTC/USD", "5m")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := source.Candles(ctx, s, s.Timeframe.LastClosed(now))
		if failed(t, err, market.ErrUnavailable); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not wrap context.DeadlineExceeded", err)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = source.Candles(cancelled, s, s.Timeframe.LastClosed(now))
		if failed(t, err, market.ErrUnavailable); !errors.Is(err, context.Canceled) {
			t.Errorf("%v does not wrap context.Canceled", err)
		}
	})
}

// The body of an error is read too, so that the connection serves the next call.
func TestConnectionIsReused(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		server := venuetest.Serve(func() time.Time { return now })
		defer server.Close()
		counted := &dials{transport: server.Client().Transport.(*http.Transport).Clone()}
		counted.count()
		defer counted.transport.CloseIdleConnections()
		source, err := venue.New(name, server.BaseURL(name), &http.Client{Transport: counted.transport})
		if err != nil {
			t.Fatal(err)
		}
		s := series(t, "BTC/USD", "5m")
		for _, fault := range []venuetest.Fault{venuetest.No, venuetest.Page(502), venuetest.Busy, venuetest.NoNumber, venuetest.Limited} {
			server.Script(name, fault)
			_, _ = source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
		}
		if n := counted.made.Load(); n != 1 {
			t.Errorf("%d connections for 5 calls", n)
		}
	})
}
