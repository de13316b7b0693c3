package service_test

// Providers, stores and questions for the tests.

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// voter is a provider that votes BUY after a while, or fails.
type voter struct {
	name        string
	after       time.Duration
	err         error
	cost, worst float64 // USD; worst 0: no price is known
	asked       atomic.Int32
	checked     atomic.Int32
	checkErr    error
	started     chan struct{} // is told of each call, where set
}

func (v *voter) Name() string  { return v.name }
func (v *voter) Model() string { return v.name + "-1" }

func (v *voter) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	v.asked.Add(1)
	if v.started != nil {
		v.started <- struct{}{}
	}
	select {
	case <-time.After(v.after):
	case <-ctx.Done(): // it was sent, and may be billed
		err := provider.AsError(ctx.Err())
		err.BillUnknown = true
		return provider.Answer{}, err
	}
	if v.err != nil {
		return provider.Answer{}, v.err
	}
	return provider.Answer{
		Ballot: provider.Ballot{Decision: signal.Buy, Confidence: 0.8, Reasoning: "it rises"},
		Usage:  provider.Usage{Known: true, InputTokens: 100, OutputTokens: 10, CostUSD: &v.cost},
	}, nil
}

func (v *voter) Check(context.Context) error {
	v.checked.Add(1)
	return v.checkErr
}

func (v *voter) WorstCaseUSD(provider.Prompt) (float64, bool) { return v.worst, v.worst > 0 }

// faulty is a store that can be switched off, as a whole or for its records.
type faulty struct {
	store.Store
	mu         sync.Mutex
	all, write error
	sums       atomic.Int32 // how often Sums was called
}

func (f *faulty) fail(all, write error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all, f.write = all, write
}

func (f *faulty) down() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all
}

func (f *faulty) Record(ctx context.Context, r *store.Result, c store.Count) error {
	f.mu.Lock()
	err := errors.Join(f.all, f.write)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Store.Record(ctx, r, c)
}

func (f *faulty) Latest(ctx context.Context, series string) (store.Result, error) {
	if err := f.down(); err != nil {
		return store.Result{}, err
	}
	return f.Store.Latest(ctx, series)
}

func (f *faulty) Hours(ctx context.Context, first, last string) ([]store.Hour, error) {
	if err := f.down(); err != nil {
		return nil, err
	}
	return f.Store.Hours(ctx, first, last)
}

func (f *faulty) Claim(ctx context.Context, key string, claim store.Claim) (*store.Claim, error) {
	if err := f.down(); err != nil {
		return nil, err
	}
	return f.Store.Claim(ctx, key, claim)
}

func (f *faulty) Reserve(ctx context.Context, lease store.Lease, limit int64) (store.Sum, error) {
	if err := f.down(); err != nil {
		return store.Sum{}, err
	}
	return f.Store.Reserve(ctx, lease, limit)
}

func (f *faulty) Settle(ctx context.Context, lease store.Lease, cost int64) error {
	if err := f.down(); err != nil {
		return err
	}
	return f.Store.Settle(ctx, lease, cost)
}

func (f *faulty) Sums(ctx context.Context, scores, pair, first, last string) (map[string]map[string]float64, error) {
	f.sums.Add(1)
	if err := f.down(); err != nil {
		return nil, err
	}
	return f.Store.Sums(ctx, scores, pair, first, last)
}

func (f *faulty) Spending(ctx context.Context, key string) (store.Sum, error) {
	if err := f.down(); err != nil {
		return store.Sum{}, err
	}
	return f.Store.Spending(ctx, key)
}

var errDown = errors.New("planted: the store is down")

type fixture struct {
	*service.Service
	store *faulty
}

// newService builds a service over a real store and the given providers.
func newService(t testing.TB, options service.Options, voters ...*voter) fixture {
	t.Helper()
	file, err := bolt.Open(filepath.Join(t.TempDir(), "thalas.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return serviceOver(t, options, &faulty{Store: file}, voters...)
}

func serviceOver(t testing.TB, options service.Options, s *faulty, voters ...*voter) fixture {
	t.Helper()
	options.Registry = &provider.Registry{}
	for _, v := range voters {
		if err := options.Registry.Register(provider.Entry{Provider: v, Breaker: provider.NewBreaker()}); err != nil {
			t.Fatal(err)
		}
	}
	options.Store = s
	options.MinProviders = max(options.MinProviders, 1)
	options.Orchestrator = orchestrator.New(options.Registry, orchestrator.Options{MaxAttempts: 1})
	return fixture{service.New(options), s}
}

func question() service.Question {
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		panic(err)
	}
	var data signal.MarketData
	data.Set("rsi", signal.NumberOf(65.5))
	return service.Question{
		Request: orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: signal.NumberOf(50000), MarketData: data},
		Caller:  "caller", Payload: "payload",
	}
}

func keyed(key string) service.Question {
	q := question()
	q.IdempotencyKey = key
	return q
}

func ask(t *testing.T, s fixture, q service.Question) service.Answer {
	t.Helper()
	answer, err := s.Ask(t.Context(), q)
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return answer
}

func codes(c *signal.Consensus) []signal.WarningCode {
	var codes []signal.WarningCode
	for _, w := range c.Warnings {
		codes = append(codes, w.Code)
	}
	return codes
}
