package service_test

// Reservations are leases, and every cost is counted: of killed processes, of stores that
// do not answer, and of attempts whose bill is not known.

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// unsettled is a store of a process that is killed before it settles a run.
type unsettled struct{ *faulty }

func (unsettled) Settle(context.Context, store.Lease, int64) error { return errDown }

// A process that is killed in a run holds its share of the budget until 30 s after the
// run's deadline at the most, and until that deadline at the least.
func TestKilledRunHoldsItsBudgetForALease(t *testing.T) {
	for name, test := range map[string]struct {
		timeout  time.Duration // of the question
		deadline time.Duration // of the caller
		want     time.Duration // until the run's end
	}{
		"the default":           {0, 0, orchestrator.DefaultTimeout},
		"the question's":        {7300 * time.Millisecond, 0, 7300 * time.Millisecond},
		"the caller's deadline": {0, 4 * time.Second, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a", cost: 0.01, worst: 0.06}
				s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
				defer s.store.Close()
				other := serviceOver(t, service.Options{DailyBudgetUSD: 0.1}, s.store, a)
				time.Sleep(10*time.Hour + 3217*time.Millisecond)
				begun := time.Now()

				s.Store = unsettled{s.store}
				q, ctx := question(), t.Context()
				q.Timeout = test.timeout
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				if _, err := s.Ask(ctx, q); err != nil {
					t.Fatal(err)
				}
				held := func(at time.Duration, want int64) {
					t.Helper()
					time.Sleep(time.Until(begun.Add(at)))
					if got := spending(t, other, time.Now()); got != (store.Sum{Reserved: want}) {
						t.Errorf("after %s: %+v, want %d reserved", at, got, want)
					}
				}
				held(test.want, 60_000)
				// Another process learns that it is only reserved.
				_, err := other.Ask(t.Context(), question())
				var refused *service.Error
				if !errors.Is(err, service.ErrDailyBudget) || !errors.As(err, &refused) || refused.RetryAfter > 10*time.Second {
					t.Errorf("while it is held: %v, again after %s", err, refused.RetryAfter)
				}
				held(test.want+20*time.Second, 60_000)
				held(test.want+30*time.Second, 0)
				ask(t, other, question())
			})
		})
	}
}

// A cost that can't be booked is not lost with the lease: it counts in this process,
// and is booked before the next run and at the end.
func TestCostsThatCouldNotBeBooked(t *testing.T) {
	for name, booked := range map[string]func(*testing.T, fixture){
		"before the next run": func(t *testing.T, s fixture) {
			_, err := s.Ask(t.Context(), question())
			if !errors.Is(err, service.ErrDailyBudget) {
				t.Errorf("a run beyond the budget: %v", err)
			}
		},
		"at the end": func(t *testing.T, s fixture) {
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a", cost: 0.05, worst: 0.06}
				s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
				defer s.store.Close()
				s.Store = unsettled{s.store}
				ask(t, s, question())
				if err := s.Wait(t.Context()); err != nil { // in vain: the store is still away
					t.Fatal(err)
				}
				time.Sleep(2 * time.Minute) // the lease has ended
				s.Store = s.store
				if h := s.Health(t.Context(), false).Budget; h == nil || *h.SpentUSD != 0.05 || *h.ReservedUSD != 0 {
					t.Errorf("health before it is booked: %+v", h)
				}
				for range 2 {
					booked(t, s)
					if got := spending(t, s, time.Now()); got != (store.Sum{Spent: 50_000}) {
						t.Errorf("the day's sum is %+v, want 50000 spent", got)
					}
				}
			})
		})
	}
}

// attempts is a provider with a script: what the nth attempt of any run comes to.
type attempts struct {
	voter
	next func() (provider.Answer, error)
}

func (a *attempts) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	answer, err := a.next()
	if answer.Ballot.Decision == "" && err == nil { // it hangs
		<-ctx.Done()
		failed := provider.AsError(ctx.Err())
		failed.BillUnknown = true
		return answer, failed
	}
	return answer, err
}

func voteFor(usage provider.Usage) (provider.Answer, error) {
	return provider.Answer{Ballot: provider.Ballot{Decision: signal.Buy, Confidence: 0.8, Reasoning: "it rises"}, Usage: usage}, nil
}

func usageOf(micro int64) provider.Usage {
	usd := float64(micro) / 1e6
	return provider.Usage{Known: true, InputTokens: 100, OutputTokens: 10, CostUSD: &usd}
}

func failing(retryable, billUnknown bool, usage provider.Usage) error {
	return &provider.Error{Kind: signal.FailureProvider, Message: "planted", Retryable: retryable, BillUnknown: billUnknown, Usage: usage}
}

func withAttempts(t *testing.T, s fixture, maxAttempts int, providers ...*attempts) {
	t.Helper()
	for _, p := range providers {
		if err := s.Registry.Register(provider.Entry{Provider: p}); err != nil {
			t.Fatal(err)
		}
	}
	s.Orchestrator = orchestrator.New(s.Registry, orchestrator.Options{MaxAttempts: maxAttempts})
}

// Each attempt whose bill is not known counts its worst case, for itself.
func TestDailyBudgetCountsEachUnknownBill(t *testing.T) {
	type attempt = func() (provider.Answer, error)
	again := func(billUnknown bool, usage provider.Usage) attempt {
		return func() (provider.Answer, error) { return provider.Answer{}, failing(true, billUnknown, usage) }
	}
	final := func(billUnknown bool) attempt {
		return func() (provider.Answer, error) {
			return provider.Answer{}, failing(false, billUnknown, provider.Usage{})
		}
	}
	vote := func(usage provider.Usage) attempt { return func() (provider.Answer, error) { return voteFor(usage) } }
	hangs := func() (provider.Answer, error) { return provider.Answer{}, nil }
	const worst = 20_000
	for name, test := range map[string]struct {
		script []attempt
		want   int64
	}{
		"a vote":                            {[]attempt{vote(usageOf(1500))}, 1500},
		"a vote without usage":              {[]attempt{vote(provider.Usage{})}, worst},
		"a vote after a cut body":           {[]attempt{again(true, provider.Usage{}), vote(usageOf(1500))}, worst + 1500},
		"a vote without a price":            {[]attempt{vote(provider.Usage{Known: true, InputTokens: 1500})}, worst},
		"a known bill, then no price":       {[]attempt{again(false, usageOf(300)), vote(provider.Usage{Known: true, InputTokens: 1500})}, worst + 300},
		"a vote without usage, after two":   {[]attempt{again(true, provider.Usage{}), again(true, provider.Usage{}), vote(provider.Usage{})}, 3 * worst},
		"a vote after errors with an end":   {[]attempt{again(false, provider.Usage{}), again(false, usageOf(7)), vote(usageOf(1500))}, 1507},
		"three resets":                      {[]attempt{again(true, provider.Usage{}), again(true, provider.Usage{}), again(true, provider.Usage{})}, 3 * worst},
		"a reset, then an error of its own": {[]attempt{again(true, provider.Usage{}), final(false)}, worst},
		"an error of its own":               {[]attempt{final(false)}, 0},
		"a gateway that broke off":          {[]attempt{final(true)}, worst},
		"no answer":                         {[]attempt{hangs}, worst},
		"no answer after a known bill":      {[]attempt{again(false, usageOf(300)), hangs}, 300 + worst},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, service.Options{DailyBudgetUSD: 1})
				defer s.store.Close()
				n := 0
				withAttempts(t, s, 3, &attempts{voter{name: "a", worst: worst / 1e6}, func() (provider.Answer, error) {
					n++
					return test.script[n-1]()
				}})
				_, _ = s.Ask(t.Context(), question())
				if n != len(test.script) {
					t.Errorf("%d attempts, want %d", n, len(test.script))
				}
				if got := spending(t, s, time.Now()); got != (store.Sum{Spent: test.want}) {
					t.Errorf("the day's sum is %+v, want %d spent", got, test.want)
				}
			})
		})
	}
}

// A run without a quorum was paid for by those who voted, too.
func TestDailyBudgetCountsTheVotesOfAFailedRun(t *testing.T) {
	s := newService(t, service.Options{DailyBudgetUSD: 1, MinProviders: 2}, &voter{name: "b", worst: 0.02, err: failing(false, true, provider.Usage{})})
	withAttempts(t, s, 1, &attempts{voter{name: "a", worst: 0.02}, func() (provider.Answer, error) { return voteFor(provider.Usage{}) }})
	q := question()
	q.MinProviders = 2
	if _, err := s.Ask(t.Context(), q); err == nil {
		t.Fatal("one vote of two was a decision")
	}
	if got := spending(t, s, time.Now()); got != (store.Sum{Spent: 40_000}) {
		t.Errorf("the day's sum is %+v, want the worst case of both calls", got)
	}
}

// flaky is a store that is away by chance when a run is reserved or settled.
type flaky struct {
	*faulty
	away func() bool
}

func (f *flaky) Reserve(ctx context.Context, lease store.Lease, limit int64) (store.Sum, error) {
	if f.away() {
		return store.Sum{}, errDown
	}
	return f.faulty.Reserve(ctx, lease, limit)
}

func (f *flaky) Settle(ctx context.Context, lease store.Lease, cost int64) error {
	if f.away() {
		return errDown
	}
	return f.faulty.Settle(ctx, lease, cost)
}

// Whatever happens to runs and to the store, the sums of the days are the true costs and
// the worst cases of the attempts whose bill is not known. The runs go over a midnight.
func TestDaysAddUp(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			s := newService(t, service.Options{DailyBudgetUSD: 1e6, MinProviders: 1})
			defer s.store.Close()
			time.Sleep(24*time.Hour - 20*time.Second)
			first := time.Now()

			var mu sync.Mutex
			random := rand.New(rand.NewPCG(seed, 1)) // guarded by mu
			want := int64(0)                         // guarded by mu
			chance := func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }
			var providers []*attempts
			for name, worst := range map[string]int64{"a": 20_000, "b": 3, "c": 123_457, "d": 0} { // d has no price
				providers = append(providers, &attempts{voter{name: name, worst: float64(worst) / 1e6}, func() (provider.Answer, error) {
					mu.Lock()
					defer mu.Unlock()
					unknown, known := worst, provider.Usage{Known: true}
					if worst > 0 {
						known = usageOf(random.Int64N(worst + 1))
					}
					cost := func() {
						if known.CostUSD != nil {
							want += int64(*known.CostUSD*1e6 + 0.5)
						}
					}
					switch random.IntN(9) {
					case 0, 1:
						cost()
						return voteFor(known)
					case 2:
						want += unknown
						return voteFor(provider.Usage{})
					case 3:
						want += unknown
						return provider.Answer{}, failing(true, true, provider.Usage{})
					case 4:
						cost()
						return provider.Answer{}, failing(true, false, known)
					case 5:
						return provider.Answer{}, failing(true, false, provider.Usage{})
					case 6:
						want += unknown
						return provider.Answer{}, failing(false, true, provider.Usage{})
					case 7:
						return provider.Answer{}, failing(false, false, provider.Usage{})
					default:
						want += unknown
						return provider.Answer{}, nil // it hangs
					}
				}})
			}
			withAttempts(t, s, 3, providers...)
			s.Store = &flaky{s.store, func() bool { return chance(4) == 0 }}

			var runs sync.WaitGroup
			for range 8 {
				runs.Go(func() {
					for range 25 {
						q := question()
						q.Timeout = time.Duration(1+chance(20)) * time.Second
						if _, err := s.Ask(t.Context(), q); err != nil && !errors.Is(err, orchestrator.ErrInsufficientResponses) {
							t.Errorf("ask: %v", err)
						}
						time.Sleep(time.Duration(chance(3000)) * time.Millisecond)
					}
				})
			}
			runs.Wait()
			s.Store = s.store
			if err := s.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute) // until what was not settled has ended
			before, after := spending(t, s, first), spending(t, s, first.Add(time.Hour))
			if before.Spent == 0 || after.Spent == 0 || before.Spent+after.Spent != want || before.Reserved+after.Reserved != 0 {
				t.Errorf("seed %d: the days' sums are %+v and %+v, want %d together", seed, before, after, want)
			}
		})
	}
}

// A run that could not reserve must not settle by what another one holds.
func TestRunWithoutAReservationLeavesThoseOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: 3 * time.Second, cost: 0.01, worst: 0.04}
		s := newService(t, service.Options{DailyBudgetUSD: 1}, a)
		defer s.store.Close()
		var runs sync.WaitGroup
		defer runs.Wait()
		runs.Go(func() { ask(t, s, question()) })
		time.Sleep(time.Second)
		other := serviceOver(t, service.Options{DailyBudgetUSD: 1}, &faulty{Store: s.store.Store}, &voter{name: "a", cost: 0.01, worst: 0.04})
		first := true
		other.Store = &flaky{other.store, func() bool { was := first; first = false; return was }} // away for Reserve alone
		ask(t, other, question())
		if got := spending(t, s, time.Now()); got != (store.Sum{Spent: 10_000, Reserved: 40_000}) {
			t.Errorf("the day's sum is %+v, want 10000 spent and 40000 reserved", got)
		}
	})
}

func TestHealthTellsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &voter{name: "a", after: 2 * time.Second, cost: 0.01, worst: 0.06}
		s := newService(t, service.Options{DailyBudgetUSD: 0.1}, a)
		defer s.store.Close()
		want := func(spent, reserved float64) {
			t.Helper()
			h := s.Health(t.Context(), false)
			if b := h.Budget; b == nil || b.LimitUSD != 0.1 || b.SpentUSD == nil || *b.SpentUSD != spent || b.ReservedUSD == nil || *b.ReservedUSD != reserved || h.Store != "ok" {
				t.Errorf("budget %+v, store %s; want %g spent, %g reserved", b, h.Store, spent, reserved)
			}
		}
		want(0, 0)
		go func() { _, _ = s.Ask(t.Context(), question()) }()
		time.Sleep(time.Second)
		want(0, 0.06)
		time.Sleep(2 * time.Second)
		want(0.01, 0)
		s.store.fail(errDown, nil)
		h := s.Health(t.Context(), false)
		if b := h.Budget; b == nil || b.LimitUSD != 0.1 || b.SpentUSD != nil || b.ReservedUSD != nil || h.Store != "unreachable" || h.Status != service.Degraded {
			t.Errorf("where the store is away: %+v, store %s, %s", b, h.Store, h.Status)
		}
		none := serviceOver(t, service.Options{RequestBudgetUSD: 1}, s.store, a)
		if b := none.Health(t.Context(), false).Budget; b != nil {
			t.Errorf("without a budget: %+v", b)
		}
	})
}
