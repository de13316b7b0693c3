package browsertest

// What the servers of the tests have stored. The real service asks made-up voters, settles
// and counts, by a clock that runs through weeks at once (synctest).

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// roundTripCost is ROUND_TRIP_COST of everything here.
const roundTripCost = .003

// world is a filled store.
type world struct {
	file    string
	now     time.Time         // when it was filled
	named   map[string]string // ids of the results that the tests look at
	watched []service.Watched
	all     []*series
}

// usual has 500 results, big 10,000.
var usual, big = filled("usual", fillUsual), filled("big", fillBig)

// filled gives a store that is filled when a test first needs it.
func filled(name string, fill func(*filling)) func(*testing.T) *world {
	var once sync.Once
	w := &world{named: map[string]string{}}
	return func(t *testing.T) *world {
		once.Do(func() {
			w.file, w.now = filepath.Join(folder, name+".db"), time.Now().UTC().Truncate(time.Second)
			defer func(began time.Time) { t.Logf("the %s store is filled in %.1f s", name, time.Since(began).Seconds()) }(time.Now())
			synctest.Test(t, func(t *testing.T) {
				db, err := bolt.Open(w.file, bolt.Options{})
				if err != nil {
					t.Fatal(err)
				}
				f := &filling{asker: asker{t, db, map[string]said{}, 0}, world: w, last: w.now.Add(-4 * time.Minute)}
				fill(f)
				f.run()
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
		if t.Failed() || w.file == "" {
			t.FailNow()
		}
		return w
	}
}

// asker asks made-up voters by the real service.
type asker struct {
	*testing.T
	store  store.Store
	says   map[string]said // by voter
	budget float64         // USD a day; 0: none
}

// voter is one of them.
type voter struct {
	model
	says map[string]said
}

func (v voter) Name() string                                 { return v.provider }
func (v voter) Model() string                                { return v.name }
func (v voter) Check(context.Context) error                  { return nil }
func (v voter) WorstCaseUSD(provider.Prompt) (float64, bool) { return 2 * v.usd, true }

func (v voter) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	says := v.says[v.provider]
	select {
	case <-time.After(says.after):
		return says.Answer, says.err
	case <-ctx.Done():
		return provider.Answer{}, provider.AsError(ctx.Err())
	}
}

// of gives the service of some voters.
func (a *asker) of(models []model, simulated bool) *service.Service {
	registry := &provider.Registry{}
	for _, m := range models {
		if err := registry.Register(provider.Entry{Provider: voter{m, a.says}, Weight: &m.weight, Breaker: provider.NewBreaker()}); err != nil {
			a.Fatal(err)
		}
	}
	return service.New(service.Options{
		Registry: registry, Store: a.store, Simulated: simulated, MinProviders: 1, RoundTripCost: roundTripCost, DailyBudgetUSD: a.budget,
		Orchestrator: orchestrator.New(registry, orchestrator.Options{MinProviders: 1, MaxAttempts: 1, Timeout: 20 * time.Second, Simulated: simulated}),
	})
}

// ask asks about candle i with the number of candles before it, and gives the id of the
// result; empty if there is no decision.
func (a *asker) ask(s *service.Service, of *series, i, candles int, votes []said, policy orchestrator.Policy) string {
	for _, v := range votes {
		a.says[v.voter] = v
	}
	q := of.question(i, candles)
	q.Policy = policy
	answer, err := s.Ask(a.Context(), q)
	if err != nil {
		if undecided := new(orchestrator.Error); !errors.As(err, &undecided) {
			a.Fatalf("%s: %v", of, err)
		}
		return ""
	}
	return answer.Consensus.ID
}

// filling fills a store: steps, each at its time.
type filling struct {
	asker
	*world
	last  time.Time // no candle closes after it: asking about all series takes minutes
	steps []step
}

type step struct {
	at time.Time
	do func()
}

// about plans a question about candle i, asked four seconds after its close.
func (f *filling) about(s *service.Service, of *series, i, candles int, votes []said, policy orchestrator.Policy, name string) {
	if !slices.Contains(f.all, of) {
		f.all = append(f.all, of)
	}
	f.steps = append(f.steps, step{of.candles[i].Time.Add(of.Timeframe.Duration() + 4*time.Second), func() {
		if id := f.ask(s, of, i, candles, votes, policy); name != "" {
			f.named[name] = id
		}
	}})
}

// run makes the steps in the order of their times, and settles each 200 steps and in the end.
func (f *filling) run() {
	slices.SortStableFunc(f.steps, func(a, b step) int { return a.at.Compare(b.at) })
	s := f.of(models, false)
	for i, step := range f.steps {
		time.Sleep(time.Until(step.at))
		step.do()
		if i%200 == 0 {
			f.settle(s)
		}
	}
	time.Sleep(time.Until(f.now))
	f.settle(s)
}

func (f *filling) settle(s *service.Service) {
	err := s.Settle(f.Context(), service.SettleQuery{Whole: true}, func(_ context.Context, of market.Series, _ time.Time) ([]signal.Candle, string, error) {
		for _, s := range f.all {
			if s.Series == of {
				missing := s.candles[len(s.candles)*2/3].Time // one candle, as venues have it
				return slices.DeleteFunc(slices.Clone(s.candles), func(c signal.Candle) bool {
					return c.Time.Equal(missing) || c.Time.Add(of.Timeframe.Duration()).After(time.Now())
				}), "kraken", nil
			}
		}
		return nil, "", errors.New("no such series")
	}, func(service.Settled) error { return nil })
	if err != nil {
		f.Fatal(err)
	}
}

// dozen are twelve models with long names.
func dozen() (many []model) {
	for i := range 12 {
		many = append(many, model{fmt.Sprintf("provider%02d", i+1), fmt.Sprintf("a-model-with-a-rather-long-name-%d-2026-11", i+1), 1 - float64(i)/20, .5, .002})
	}
	many[11].provider = "a-provider-with-a-name-of-forty-letters-"
	return many
}

func gates(confidence, agreement float64) orchestrator.Policy {
	return orchestrator.Policy{MinConfidence: &confidence, MinAgreement: &agreement}
}

func fillUsual(f *filling) {
	f.budget = 100
	s, policy := f.of(models, false), gates(.6, .5)
	plan := func(of *series, last int) {
		for i := len(of.candles) - last; i < len(of.candles); i++ {
			votes := of.votes(i, models)
			if of.random.IntN(12) == 0 {
				votes[2].after = time.Minute // grok is too late
			}
			name := ""
			switch {
			case i == len(of.candles)-1:
				name = "pending"
			case i == len(of.candles)-12:
				name = "settled"
			}
			if of.Timeframe != "1h" || of.Pair.String() != "BTC/USDT" {
				name = ""
			}
			f.about(s, of, i, 120, votes, policy, name)
		}
	}
	btc := newSeries("BTC/USDT", "1h", 50010, 1, 520, f.last, 11)
	plan(btc, 380)
	eth := newSeries("ETH/USDT", "1h", 2710.35, 2, 260, f.last, 12)
	plan(eth, 60)
	plan(newSeries("SPX/USD", "1d", 6120.4, 2, 200, f.last, 13), 40)
	plan(newSeries("PEPE/USDT", "5m", .00001234, 10, 160, f.last.Add(-3*time.Hour), 14), 22)

	// The odd ones, each a series of its own.
	question := "Will " + hostile + " reach $100k? " + strings.Repeat("before the end of the year ", 10)
	odd := newSeries(question[:300], "1d", .62, 3, 130, f.last, 15)
	votes := odd.votes(129, models[:2])
	votes[0].Reasoning = (hostile + strings.Repeat(" The probability of this question moved with the volume of the market.", 80))[:4000]
	votes[1].Reasoning = hostile
	f.about(f.of(models[:2], false), odd, 129, 0, votes, policy, "hostile")

	one := newSeries("SOL/USDT", "4h", 181.2, 2, 130, f.last, 16)
	alone := f.of(append([]model{{provider: "mistral", name: "mistral-large"}}, models...), false)
	for range 2 { // the first run finds what the second leaves out
		votes := append(one.votes(129, models), said{voter: "mistral"})
		for at, err := range map[int]*provider.Error{
			1: {Kind: signal.FailureProvider, Message: "HTTP 503: the model is busy", Retryable: true},
			3: {Kind: signal.FailureAuthentication, Message: "HTTP 401: the key is wrong or was withdrawn; set OPENAI_API_KEY"},
			4: {Kind: signal.FailureRateLimit, Message: "HTTP 402: the account has no credit; add some at the provider"},
		} {
			votes[at].err = err
		}
		votes[2].after = time.Minute
		f.about(alone, one, 129, 120, votes, orchestrator.Policy{}, "one")
	}

	twelve := newSeries("LINK/USDT", "1h", 18.21, 3, 130, f.last, 17)
	many := dozen()
	votes = twelve.votes(120, many)
	votes[3].Usage.CostUSD = nil
	f.about(f.of(many, false), twelve, 120, 120, votes, orchestrator.Policy{}, "twelve")

	held := newSeries("ADA/USDT", "1h", .7312, 4, 130, f.last, 18)
	votes = held.votes(129, models)
	for i, d := range []signal.Decision{signal.Buy, signal.Buy, signal.Sell, signal.Buy} {
		votes[i].Decision, votes[i].StopLoss, votes[i].TakeProfit = d, nil, nil
	}
	f.about(s, held, 129, 120, votes, gates(.9, .5), "held")

	simulated := f.of(models, true)
	for i := 126; i < 130; i++ {
		f.about(simulated, held, i, 120, held.votes(i, models), policy, "simulated")
	}
	f.steps = append(f.steps, step{f.now.Add(-time.Minute), func() { f.importOlder(f.named["settled"]) }})
	xrp, _ := signal.ParsePair("XRP/USDT")
	f.watched = []service.Watched{{Pair: btc.Pair, Timeframe: "1h"}, {Pair: eth.Pair, Timeframe: "1h"}, {Pair: held.Pair, Timeframe: "1h"},
		{Pair: xrp, Timeframe: "1h", Failed: &service.SeriesError{At: f.now.Add(-20 * time.Minute), Error: "venue_refused", Message: "kraken answered 403 and is left alone; name another venue"}}}
}

// importOlder stores a result as an earlier version exported it: without a probability, and
// without what the models saw.
func (f *filling) importOlder(id string) {
	stored, err := f.store.Result(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	var c signal.Consensus
	if err := json.Unmarshal(stored.Body, &c); err != nil {
		f.Fatal(err)
	}
	c.ID, c.Probability = id[:len(id)-4]+"0000", nil
	c.Pair, _ = signal.ParsePair("DOGE/USDT")
	line, err := json.Marshal(c)
	if err == nil {
		_, err = f.of(models, false).Import(f.Context(), [][]byte{line})
	}
	if err != nil {
		f.Fatal(err)
	}
	f.named["imported"] = c.ID
}

// fillBig has what a page is rarely tested with: 40 series, 10,000 outcomes, names of 300
// characters, twelve long reasonings, and a run whose providers all failed.
func fillBig(f *filling) {
	s, policy := f.of(models, false), gates(.6, .5)
	for n := range 38 {
		of := newSeries(fmt.Sprintf("COIN%02d/USDT", n), "1h", 3.5*float64(n+1), 4, 274, f.last, uint64(100+n))
		for i := range of.candles {
			f.about(s, of, i, 0, of.votes(i, models), policy, "")
		}
	}
	long := newSeries(strings.Repeat("Will it rain tomorrow? ", 13)[:298]+"?", "1d", .31, 3, 130, f.last, 51)
	many := dozen()
	votes := long.votes(129, many)
	for i := range votes {
		votes[i].Reasoning = strings.Repeat("The price is far from its mean, and the volume does not confirm it. ", 60)[:4000]
	}
	votes[5].Reasoning = strings.Repeat("W", 4000)
	f.about(f.of(many, false), long, 129, 120, votes, policy, "long")
	unbroken := newSeries(strings.Repeat("W", 300), "1d", .5, 3, 130, f.last, 52)
	f.about(s, unbroken, 129, 0, unbroken.votes(129, models), policy, "unbroken")

	failed := newSeries("DOT/USDT", "1h", 4.2, 3, 130, f.last, 53)
	votes = failed.votes(129, models)
	for i := range votes {
		votes[i].err = &provider.Error{Kind: signal.FailureProvider, Message: "HTTP 503: the model is busy", Retryable: true}
	}
	f.about(s, failed, 129, 0, votes, policy, "")
	f.watched = []service.Watched{{Pair: failed.Pair, Timeframe: "1h"}}
}
