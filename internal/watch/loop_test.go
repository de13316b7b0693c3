package watch

// The loop, in virtual time.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// askers answers each occasion once and at once, and records the time. An occasion that
// contains a key of trouble fails as often as its value says.
type asker struct {
	mu      sync.Mutex
	began   time.Time
	asked   []string // after how long, and what about
	trouble map[string]int
	err     error // of the trouble
	takes   time.Duration
	settles time.Duration // how long settling takes
}

func (a *asker) SettleFrom(ctx context.Context, _ market.Series, _ []signal.Candle, _ string) error {
	return RealClock{}.Sleep(ctx, a.settles)
}

func (a *asker) AskOnce(ctx context.Context, occasion string, gather service.Gather) (service.Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, fmt.Sprintf("%s %s", time.Since(a.began), strings.TrimPrefix(occasion, "schedule#")))
	time.Sleep(a.takes)
	request, err := gather(ctx)
	if err != nil {
		return service.Answer{}, err
	}
	for what := range a.trouble {
		if a.trouble[what] > 0 && strings.Contains(occasion, what) {
			a.trouble[what]--
			if a.err == errUnstored {
				return service.Answer{Consensus: &signal.Consensus{Pair: request.Pair, Decision: signal.Hold}}, nil
			}
			return service.Answer{}, a.err
		}
	}
	return service.Answer{Consensus: &signal.Consensus{Pair: request.Pair, Decision: signal.Hold}, Body: []byte("{}")}, nil
}

// errUnstored means an answer that could not be stored.
var errUnstored = errors.New("planted: not stored")

// loop runs the loop for a while, from 04:59:50 of some day on, and gives the questions.
func loop(t *testing.T, list string, a *asker, venue *candles, length time.Duration) (asked []string, told int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins at midnight. Sleep until shortly before the minute changes.
		time.Sleep(4*time.Hour + 59*time.Minute + 50*time.Second)
		a.began = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		w := New(Options{Asker: a, Check: func(orchestrator.Policy) error { return nil }, Timeout: time.Second,
			Candles: func(...string) (market.CandleSource, error) { return venue, nil }})
		err := w.Loop(ctx, parse(t, list), Loop{Clock: RealClock{}, Delay: DefaultDelay, Tell: func(Summary, time.Time) { told++ }})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the loop ended by %v", err)
		}
	})
	return a.asked, told
}

func TestLoopAsksAboutEachCandleAsItCloses(t *testing.T) {
	asked, told := loop(t, `{"pairs": ["BTC/USDT"], "timeframes": ["1m", "5m"]}`, &asker{}, &candles{}, 2*time.Minute+20*time.Second)
	want := []string{ // what has closed at the start, then each candle 5 s after it closes
		"0s BTC/USDT#1m#2000-01-01T04:58:00Z", "0s BTC/USDT#5m#2000-01-01T04:50:00Z",
		"15s BTC/USDT#1m#2000-01-01T04:59:00Z", "15s BTC/USDT#5m#2000-01-01T04:55:00Z",
		"1m15s BTC/USDT#1m#2000-01-01T05:00:00Z", "2m15s BTC/USDT#1m#2000-01-01T05:01:00Z",
	}
	if diff := cmp.Diff(want, sorted(asked)); diff != "" || told != 4 {
		t.Errorf("told %d times (-want +got):\n%s", told, diff)
	}
}

func TestLoopTriesAnOpenCandleAgain(t *testing.T) {
	passing := &market.Error{Kind: market.ErrUnavailable, Message: "planted"}
	lasting := &market.Error{Kind: market.ErrUnsupported, Message: "planted"}
	patient := &market.Error{Kind: market.ErrRateLimited, RetryAfter: 25 * time.Second, Message: "planted"}
	tests := []struct {
		name    string
		trouble int
		err     error
		want    []string
	}{
		{"that passes", 2, passing, []string{"0s 04:58", "10s 04:58", "15s 04:59", "1m15s 05:00"}},
		{"that stays", 9, passing, []string{"0s 04:58", "10s 04:58", "15s 04:59", "25s 04:59", "45s 04:59", "1m15s 05:00", "1m25s 05:00"}},
		{"that needs time", 2, patient, []string{"0s 04:58", "15s 04:59", "40s 04:59", "1m15s 05:00"}},
		{"that another process is at", 7, service.ErrInFlight, []string{"0s 04:58", "10s 04:58", "15s 04:59", "25s 04:59", "35s 04:59", "45s 04:59", "55s 04:59", "1m5s 04:59", "1m15s 05:00"}},
		{"whose answer is not stored at first", 2, errUnstored, []string{"0s 04:58", "10s 04:58", "15s 04:59", "1m15s 05:00"}},
		{"that no wait helps", 9, lasting, []string{"0s 04:58", "15s 04:59", "1m15s 05:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &asker{trouble: map[string]int{"BTC": tt.trouble}, err: tt.err}
			asked, _ := loop(t, `{"pairs": ["BTC/USDT"], "timeframes": ["1m"]}`, a, &candles{}, 90*time.Second)
			for i := range asked {
				asked[i] = strings.NewReplacer("BTC/USDT#1m#2000-01-01T", "", ":00Z", "").Replace(asked[i])
			}
			if diff := cmp.Diff(tt.want, asked); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoopWaitsForALateCandle(t *testing.T) {
	venue := &candles{trouble: map[string]error{"BTC/USDT 1m": errLate}}
	asked, _ := loop(t, `{"pairs": ["BTC/USDT"], "timeframes": ["1m"]}`, &asker{}, venue, 20*time.Second)
	if len(asked) != 3 || venue.fetched.Load() != 3 {
		t.Errorf("asked %v", asked)
	}
}

func TestLoopGoesOnWithTheNewestCandle(t *testing.T) {
	asked, _ := loop(t, `{"pairs": ["BTC/USDT"], "timeframes": ["1m"]}`, &asker{takes: 150 * time.Second}, &candles{}, 160*time.Second)
	want := []string{"0s BTC/USDT#1m#2000-01-01T04:58:00Z", "2m30s BTC/USDT#1m#2000-01-01T05:01:00Z"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("after a round that took 150 s (-want +got):\n%s", diff)
	}
}

func TestLoopEndsByAMistake(t *testing.T) {
	f := newFixture(t, nil)
	err := f.Loop(t.Context(), parse(t, `{"pairs": ["BTC/USDT"], "venue": "nowhere"}`), Loop{Clock: RealClock{}})
	var mistakes signal.FieldErrors
	if !errors.As(err, &mistakes) {
		t.Errorf("error %v", err)
	}
}

// jumping is a clock that is set, or whose machine is suspended. Its timers notice neither.
type jumping struct {
	RealClock
	began time.Time
	jumps map[time.Duration]time.Duration // after how long, by how much
}

func (j jumping) Now() time.Time {
	now := time.Now()
	wall := now.Round(0) // a clock on the wall, without the count of the timers
	for after, by := range j.jumps {
		if now.Sub(j.began) >= after {
			wall = wall.Add(by)
		}
	}
	return wall
}

func TestLoopFollowsTheClockOnTheWall(t *testing.T) {
	tests := []struct {
		name  string
		jumps map[time.Duration]time.Duration
		want  []string
	}{
		{"a machine that slept", map[time.Duration]time.Duration{time.Minute: 59*time.Minute + 30*time.Second},
			[]string{"0s 03:00", "15s 04:00", "1m15s 05:00", "1h0m45s 06:00"}},
		{"a clock that was a day ahead for a while", map[time.Duration]time.Duration{time.Minute: 24 * time.Hour, 2 * time.Minute: -24 * time.Hour},
			[]string{"0s 03:00", "15s 04:00", "1m15s next day 04:00", "1h0m15s 05:00"}},
		{"a clock that is set back over a close", map[time.Duration]time.Duration{20 * time.Second: -time.Minute},
			[]string{"0s 03:00", "15s 04:00", "1m15s 04:00", "1h1m15s 05:00"}}, // the store has the answer of 15s
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &asker{}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(4*time.Hour + 59*time.Minute + 50*time.Second)
				a.began = time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour+2*time.Minute)
				defer cancel()
				w := New(Options{Asker: a, Check: func(orchestrator.Policy) error { return nil }, Timeout: time.Second,
					Candles: func(...string) (market.CandleSource, error) { return &candles{}, nil }})
				_ = w.Loop(ctx, parse(t, `{"pairs": ["BTC/USDT"], "timeframes": ["1h"]}`), Loop{Clock: jumping{began: a.began, jumps: tt.jumps}, Delay: DefaultDelay})
			})
			for i := range a.asked {
				a.asked[i] = strings.NewReplacer("BTC/USDT#1h#2000-01-01T", "", "BTC/USDT#1h#2000-01-02T", "next day ", ":00Z", "").Replace(a.asked[i])
			}
			if diff := cmp.Diff(tt.want, a.asked); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// sorted orders questions that were asked at the same time.
func sorted(asked []string) []string {
	for i := 1; i < len(asked); i++ {
		at, _, _ := strings.Cut(asked[i], " ")
		before, _, _ := strings.Cut(asked[i-1], " ")
		if at == before && asked[i] < asked[i-1] {
			asked[i], asked[i-1] = asked[i-1], asked[i]
		}
	}
	return asked
}
