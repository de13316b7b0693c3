package watch

// Rounds over the real service and store.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// model votes BUY, or fails. If it is paused, it reports that it was asked, and waits for
// permission to answer.
type model struct {
	err    atomic.Pointer[provider.Error]
	asked  atomic.Int32
	paused chan chan struct{}
}

func (m *model) Name() string                                 { return "anthropic" }
func (m *model) Model() string                                { return "model-1" }
func (m *model) Check(context.Context) error                  { return nil }
func (m *model) WorstCaseUSD(provider.Prompt) (float64, bool) { return 0.5, true }

func (m *model) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	m.asked.Add(1)
	if m.paused != nil {
		goOn := make(chan struct{})
		m.paused <- goOn
		<-goOn
	}
	if err := m.err.Load(); err != nil {
		return provider.Answer{}, err
	}
	cost := 0.25
	return provider.Answer{Ballot: provider.Ballot{Decision: signal.Buy, Confidence: 0.8, Reasoning: "it rises"},
		Usage: provider.Usage{Known: true, InputTokens: 100, OutputTokens: 10, CostUSD: &cost}}, nil
}

// candles is a venue that has every candle up to the wanted one, except for the series in
// trouble.
type candles struct {
	fetched atomic.Int32
	mu      sync.Mutex
	trouble map[string]error // by series; errLate: the newest candle is not there yet
}

var errLate = errors.New("planted: late")

func (c *candles) Name() string { return "kraken" }

func (c *candles) Candles(_ context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	c.fetched.Add(1)
	c.mu.Lock()
	trouble := c.trouble[series.String()]
	c.mu.Unlock()
	newest := last
	switch trouble {
	case nil:
	case errLate:
		newest = last.Add(-series.Timeframe.Duration())
	case errPanic:
		panic("planted")
	default:
		return market.Fetched{}, trouble
	}
	list := make([]signal.Candle, 250)
	for i := range list {
		price := signal.NumberOf(50000 + float64(i%7))
		list[i] = signal.Candle{Time: newest.Add(time.Duration(i-249) * series.Timeframe.Duration()), Open: price, High: price, Low: price, Close: price, Volume: signal.NumberOf(1)}
	}
	return market.Fetched{Venue: c.Name(), Candles: list}, nil
}

var errPanic = errors.New("planted: panic")

// fixture is a Watcher over a real service.
type fixture struct {
	*Watcher
	model *model
	venue *candles
	store store.Store
}

func newFixture(t *testing.T, change func(*Options, *service.Options)) fixture {
	t.Helper()
	file, err := bolt.Open(filepath.Join(t.TempDir(), "thalas.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	f := fixture{model: &model{}, venue: &candles{trouble: map[string]error{}}, store: file}
	registry := &provider.Registry{}
	if err := registry.Register(provider.Entry{Provider: f.model}); err != nil {
		t.Fatal(err)
	}
	asks := service.Options{Registry: registry, Store: file, MinProviders: 1, Orchestrator: orchestrator.New(registry, orchestrator.Options{MaxAttempts: 1})}
	o := Options{
		Check: func(p orchestrator.Policy) error { _, err := asks.Orchestrator.CheckPolicy(p); return err }, Timeout: 25 * time.Second, Reserve: 3 * time.Second,
		Candles: func(venues ...string) (market.CandleSource, error) {
			if len(venues) > 0 && venues[0] != "kraken" {
				return nil, fmt.Errorf("venue %q is not known", venues[0])
			}
			return f.venue, nil
		},
	}
	if change != nil {
		change(&o, &asks)
	}
	o.Asker = service.New(asks)
	f.Watcher = New(o)
	return f
}

const twoSeries = `{"pairs": ["BTC/USDT", "ETH/USDT"], "timeframes": ["5m"], "min_confidence": 0.9}`

var scheduled = time.Date(2026, 11, 23, 5, 1, 0, 0, time.UTC)

func (f fixture) roundOf(t *testing.T, ctx context.Context, list string) Summary {
	t.Helper()
	s, err := f.Round(ctx, scheduled, parse(t, list))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f fixture) stored(t *testing.T, series string) []store.Result {
	t.Helper()
	page, err := f.store.Series(t.Context(), series, store.Range{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return page.Results
}

// brief gives the outcome of each series in a word.
func brief(s Summary) []string {
	list := make([]string, len(s.Series))
	for i, o := range s.Series {
		list[i] = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", o.Pair, o.Timeframe, o.Status, o.Error))
	}
	return list
}

func TestACandleIsAskedAboutOnce(t *testing.T) {
	f := newFixture(t, nil)
	s := f.roundOf(t, t.Context(), twoSeries)
	if diff := cmp.Diff([]string{"BTC/USDT 5m decided", "ETH/USDT 5m decided"}, brief(s)); diff != "" {
		t.Errorf("first round (-want +got):\n%s", diff)
	}
	if s.Decided != 2 || s.CostUSD != 0.5 || s.Err() != nil {
		t.Errorf("first round: %+v", s)
	}
	o := s.Series[0]
	if o.Venue != "kraken" || !o.Stored || o.Decision != signal.Hold || *o.Confidence != 0.8 || !o.CandleTime.Equal(time.Date(2026, 11, 23, 4, 55, 0, 0, time.UTC)) {
		t.Errorf("outcome %+v", o)
	}
	if c := o.Consensus; !c.CandleTime.Equal(o.CandleTime) || c.CurrentPrice != 50000+float64(249%7) || *c.HoldReason != signal.HoldBelowMinConfidence {
		t.Errorf("consensus about the candle %s, price %v, hold reason %v", c.CandleTime, c.CurrentPrice, c.HoldReason)
	}

	asked, fetched := f.model.asked.Load(), f.venue.fetched.Load()
	s = f.roundOf(t, t.Context(), twoSeries)
	if diff := cmp.Diff([]string{"BTC/USDT 5m already_decided", "ETH/USDT 5m already_decided"}, brief(s)); diff != "" {
		t.Errorf("second round (-want +got):\n%s", diff)
	}
	if s.Skipped != 2 || s.CostUSD != 0 || s.Series[0].ID != o.ID || s.Err() != nil {
		t.Errorf("second round: %+v", s)
	}
	if f.model.asked.Load() != asked || f.venue.fetched.Load() != fetched {
		t.Error("the second round asked models or venues")
	}
	if n := len(f.stored(t, "BTC/USDT#5m")); n != 1 {
		t.Errorf("%d results are stored, want 1", n)
	}
}

// full is a store that accepts no results while it is full, as a full disk or a throttled
// table.
type full struct {
	store.Store
	full *atomic.Bool
}

func (f full) Record(ctx context.Context, r *store.Result, c store.Count) error {
	if f.full.Load() {
		return errors.New("planted: full")
	}
	return f.Store.Record(ctx, r, c)
}

// An answer that could not be stored is paid once, however many events follow. This process
// remembers the answer and stores it later. Another process reports that there is none.
func TestACandleWhoseAnswerIsNotStoredIsPaidOnce(t *testing.T) {
	const one = `{"pairs": ["BTC/USDT"]}`
	var isFull atomic.Bool
	isFull.Store(true)
	var shared store.Store
	f := newFixture(t, func(_ *Options, asks *service.Options) {
		shared = full{asks.Store, &isFull}
		asks.Store = shared
	})
	other := newFixture(t, func(_ *Options, asks *service.Options) { asks.Store = shared })
	for i, event := range []struct {
		name   string
		by     fixture
		full   bool
		want   string
		stored bool
	}{
		{"the first event", f, true, "BTC/USDT 5m decided", false},
		{"the next one", f, true, "BTC/USDT 5m already_decided", false},
		{"one of another process", other, true, "BTC/USDT 5m failed not_stored", false},
		{"one when there is room again", f, false, "BTC/USDT 5m already_decided", true},
		{"one of another process then", other, false, "BTC/USDT 5m already_decided", true},
	} {
		isFull.Store(event.full)
		s := event.by.roundOf(t, t.Context(), one)
		if got := brief(s)[0]; got != event.want || s.Series[0].Stored != event.stored || s.Err() != nil || (s.CostUSD != 0) != (i == 0) {
			t.Errorf("%s: %+v, want %s", event.name, s, event.want)
		}
	}
	if n := f.model.asked.Load() + other.model.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestOneSeriesCostsNoOtherAnything(t *testing.T) {
	f := newFixture(t, nil)
	f.venue.trouble = map[string]error{
		"A/USDT 5m": &market.Error{Kind: market.ErrUnavailable, Venue: "kraken", Message: "kraken answered 503"},
		"B/USDT 5m": &market.Error{Kind: market.ErrStaleData, Venue: "kraken", Message: "old"},
		"C/USDT 5m": errLate,
		"D/USDT 5m": errPanic,
	}
	list := `{"pairs": ["A/USDT", "B/USDT", "C/USDT", "D/USDT", "BTC/USDT"]}`
	s := f.roundOf(t, t.Context(), list)
	want := []string{"A/USDT 5m failed unavailable", "B/USDT 5m failed stale_data", "C/USDT 5m no_candle", "D/USDT 5m failed internal_error", "BTC/USDT 5m decided"}
	if diff := cmp.Diff(want, brief(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Decided != 1 || s.Failed != 3 || s.Skipped != 1 || f.model.asked.Load() != 1 {
		t.Errorf("%d asked, %+v", f.model.asked.Load(), s)
	}
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "1 of 5 series are open at 2026-11-23T05:01:00Z and worth another try: A/USDT 5m (unavailable)") {
		t.Errorf("Err is %v", err)
	}

	f.venue.mu.Lock()
	f.venue.trouble = nil
	f.venue.mu.Unlock()
	want = []string{"A/USDT 5m decided", "B/USDT 5m decided", "C/USDT 5m decided", "D/USDT 5m decided", "BTC/USDT 5m already_decided"}
	if diff := cmp.Diff(want, brief(f.roundOf(t, t.Context(), list))); diff != "" {
		t.Errorf("when the venue has recovered (-want +got):\n%s", diff)
	}
}

func TestNoDecisionIsNoSignal(t *testing.T) {
	f := newFixture(t, nil)
	tests := []struct {
		kind      signal.FailureKind
		retryable bool
	}{{signal.FailureAuthentication, false}, {signal.FailureProvider, true}}
	for _, tt := range tests {
		f.model.err.Store(&provider.Error{Kind: tt.kind, Message: "planted", Retryable: tt.retryable})
		s := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT"]}`)
		o := s.Series[0]
		if o.Status != Failed || o.Error != "insufficient_responses" || o.Decision != "" || o.Retryable != tt.retryable || len(o.Failures) != 1 || (s.Err() != nil) != tt.retryable {
			t.Errorf("%s: %+v, Err %v", tt.kind, o, s.Err())
		}
	}
	if n := len(f.stored(t, "BTC/USDT#5m")); n != 0 {
		t.Errorf("%d results are stored", n)
	}
	f.model.err.Store(nil)
	if s := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT"]}`); s.Decided != 1 {
		t.Errorf("afterwards %v", brief(s))
	}
}

func TestABudgetThatIsUsedUpIsNotTriedAgain(t *testing.T) {
	f := newFixture(t, func(_ *Options, s *service.Options) { s.DailyBudgetUSD = 0.4 })
	s := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT"]}`)
	if o := s.Series[0]; o.Error != "daily_budget" || o.Retryable || f.model.asked.Load() != 0 {
		t.Errorf("%+v", o)
	}
}

func TestWhatDoesNotFitIntoTheDeadlineIsSaid(t *testing.T) {
	f := newFixture(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 27*time.Second) // less than a run and the reserve
	defer cancel()
	s := f.roundOf(t, ctx, twoSeries)
	if diff := cmp.Diff([]string{"BTC/USDT 5m not_reached", "ETH/USDT 5m not_reached"}, brief(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.NotReached != 2 || s.Err() == nil || f.model.asked.Load() != 0 {
		t.Errorf("%d asked, %+v", f.model.asked.Load(), s)
	}
	// There is time for a shorter run.
	if s = f.roundOf(t, ctx, `{"pairs": ["BTC/USDT"], "timeout_seconds": 10}`); s.Decided != 1 {
		t.Errorf("with a shorter timeout %v", brief(s))
	}
}

func TestARoundTakesNoMoreThanThereIs(t *testing.T) {
	f := newFixture(t, func(o *Options, s *service.Options) { o.AtOnce, s.MaxConcurrentRuns = 1, 1 })
	if s := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT", "ETH/USDT"], "timeframes": ["5m", "15m", "1h"]}`); s.Decided != 6 {
		t.Errorf("where one run at once is taken: %v", brief(s))
	}
}

// slow is a venue that answers late.
type slow struct {
	candles
	takes time.Duration
}

func (s *slow) Candles(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	time.Sleep(s.takes)
	return s.candles.Candles(ctx, series, last)
}

func TestWhatASlowVenueLeavesNoTimeForIsNotBegun(t *testing.T) {
	for takes, want := range map[time.Duration]Status{time.Second: Decided, 12 * time.Second: NotReached} {
		synctest.Test(t, func(t *testing.T) {
			w := New(Options{Asker: &asker{}, Check: func(orchestrator.Policy) error { return nil }, Timeout: 25 * time.Second, Reserve: 3 * time.Second,
				Candles: func(...string) (market.CandleSource, error) { return &slow{takes: takes}, nil }})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			s, err := w.Round(ctx, time.Now(), parse(t, `{"pairs": ["BTC/USDT"]}`))
			if err != nil || s.Series[0].Status != want {
				t.Errorf("candles after %s of 30 s, where a run may take 25 and 3 are kept: %+v, %v", takes, s, err)
			}
		})
	}
}

// Settling leaves the time that is kept for the answer.
func TestSettlingEndsBeforeTheReserve(t *testing.T) {
	for settles, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Minute: 27 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := New(Options{Asker: &asker{settles: settles}, Check: func(orchestrator.Policy) error { return nil }, Timeout: 20 * time.Second, Reserve: 3 * time.Second,
				Candles: func(...string) (market.CandleSource, error) { return &candles{}, nil }})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			began := time.Now()
			s, err := w.Round(ctx, began, parse(t, `{"pairs": ["BTC/USDT"]}`))
			if took := time.Since(began); err != nil || s.Decided != 1 || took != want {
				t.Errorf("settling takes %s: the round of 30 s took %s, want %s: %+v, %v", settles, took, want, s, err)
			}
		})
	}
}

func TestARoundThatIsEndedSaysSo(t *testing.T) {
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := f.roundOf(t, ctx, twoSeries).Series[0]; o.Status != NotReached || o.Message != "it was not asked about: the round was ended" || f.model.asked.Load() != 0 {
		t.Errorf("%+v", o)
	}
}

func TestTwoAtATimeAskOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.model.paused = make(chan chan struct{})
	first := make(chan Summary)
	go func() {
		s, _ := f.Round(t.Context(), scheduled, parse(t, `{"pairs": ["BTC/USDT"]}`))
		first <- s
	}()
	goOn := <-f.model.paused
	if s := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT"]}`); s.Series[0].Status != InProgress || s.Skipped != 1 {
		t.Errorf("beside it: %v", brief(s))
	}
	close(goOn)
	if s := <-first; s.Decided != 1 || f.model.asked.Load() != 1 {
		t.Errorf("asked %d times, %v", f.model.asked.Load(), brief(s))
	}
}

// A schedule whose clock is ahead of ours asks about a candle that is still open by ours. The
// answer would be about the candle before.
func TestAnEarlyEventWaitsForItsCandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(4*time.Minute + 30*time.Second)
		a := &asker{began: time.Now()}
		w := New(Options{Asker: a, Check: func(orchestrator.Policy) error { return nil }, Timeout: time.Second,
			Candles: func(...string) (market.CandleSource, error) { return &candles{}, nil }})
		if _, err := w.Round(t.Context(), a.began.Add(40*time.Second), parse(t, `{"pairs": ["BTC/USDT"]}`)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"40s BTC/USDT#5m#2000-01-01T00:00:00Z"}, a.asked); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// closed is a store in which no claim is possible.
type closed struct{ store.Store }

func (closed) Claim(context.Context, string, store.Claim) (*store.Claim, error) {
	return nil, errors.New("planted: no table of that name")
}

// The message about an unreachable store shows no internal names. They are only in the log.
func TestTheLogSaysWhyTheStoreIsOutOfReach(t *testing.T) {
	var log strings.Builder
	f := newFixture(t, func(o *Options, s *service.Options) {
		s.Store = closed{s.Store}
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	o := f.roundOf(t, t.Context(), `{"pairs": ["BTC/USDT"]}`).Series[0]
	if o.Error != "store_unreachable" || !o.Retryable || strings.Contains(o.Message, "planted") || !strings.Contains(log.String(), "planted: no table of that name") {
		t.Errorf("%+v, log: %s", o, &log)
	}
}

type counted [4]int

func (c *counted) Round(decided, skipped, failed, notReached int) {
	*c = counted{decided, skipped, failed, notReached}
}

func TestTheCounterIsTold(t *testing.T) {
	var c counted
	f := newFixture(t, func(o *Options, _ *service.Options) { o.Counter = &c })
	f.venue.trouble["A/USDT 5m"], f.venue.trouble["B/USDT 5m"] = errLate, errPanic
	f.roundOf(t, t.Context(), `{"pairs": ["A/USDT", "B/USDT", "C/USDT"]}`)
	if c != (counted{1, 1, 1, 0}) {
		t.Errorf("counted %v", c)
	}
}

func TestListsThatCannotBeWatched(t *testing.T) {
	f := newFixture(t, func(o *Options, _ *service.Options) { o.Shortest = "5m" })
	tests := []struct{ name, list, want string }{
		{"too short", `{"pairs": ["BTC/USDT"], "timeframes": ["1h", "3m", "1m"]}`, "timeframes: has 3m, which is too short for the schedule"},
		{"unknown provider", `{"pairs": ["BTC/USDT"], "provider_weights": {"nobody": 1}}`, "provider_weights.nobody: is no known provider"},
		{"more answers than providers", `{"pairs": ["BTC/USDT"], "min_providers": 2}`, "min_providers: is outside 1…1"},
		{"unknown venue", `{"pairs": ["BTC/USDT"], "venue": "nowhere"}`, `venue: venue "nowhere" is not known`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var mistakes signal.FieldErrors
			if _, err := f.Round(t.Context(), scheduled, parse(t, tt.list)); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := f.Round(t.Context(), time.Now().Add(time.Hour), parse(t, twoSeries)); err == nil || !strings.Contains(err.Error(), "ahead") {
		t.Errorf("a time to come: %v", err)
	}
	if f.model.asked.Load() != 0 {
		t.Error("somebody was asked")
	}
}
