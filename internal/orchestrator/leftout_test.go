package orchestrator_test

// Providers that their breakers leave out: the result says so, and no decision is lost.

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// guarded gives a model a breaker, which has seen the error so often that it leaves the
// provider out.
func (m *model) guarded(seen *provider.Error) *model {
	if m.Breaker == nil {
		m.Breaker = provider.NewBreaker()
	}
	for seen != nil {
		permit, left := m.Breaker.Acquire(true)
		if left != nil {
			break
		}
		permit.Record(seen)
	}
	return m
}

var (
	isBroken  = &provider.Error{Kind: signal.FailureProvider, Retryable: true}
	isRefused = &provider.Error{Kind: signal.FailureAuthentication, Message: "c refused the key"}
	mustWait  = &provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: 40 * time.Second}
	noCredit  = &provider.Error{Kind: signal.FailureRateLimit, Message: "c has no credit"}
)

func TestLeftOutIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := plays("c", buys(.9).costing(1, 1, 1)).guarded(isRefused)
		result := ask(t, over(t, orchestrator.Options{}, plays("a", buys(.9)), plays("b", holds(.4)), out), question(t))
		want := []signal.Failure{{Provider: "c", Error: signal.FailureLeftOut, Message: "not asked for another 30s: c refused the key", Model: "c-1",
			Reason: signal.LeftOutKeyRefused, Until: new(time.Now().UTC().Add(30 * time.Second))}}
		if diff := cmp.Diff(want, result.Failures); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
		if result.Status != signal.Degraded || result.TotalProviders != 3 || result.ParticipatingProviders != 2 || out.asked.Load() != 0 {
			t.Errorf("%s, %d of %d providers, asked %d times", result.Status, result.ParticipatingProviders, result.TotalProviders, out.asked.Load())
		}
		if result.OverheadMS > result.TotalLatencyMS {
			t.Errorf("overhead %v ms of %v ms", result.OverheadMS, result.TotalLatencyMS)
		}
	})
}

func TestLeavingOutNeverCostsADecision(t *testing.T) {
	s := time.Second
	tests := []struct {
		name       string
		quorum     int
		third      turn
		seen       *provider.Error // what its breaker has seen
		second     turn
		asked      int32 // how often the third provider is asked
		decides    bool
		retryAfter time.Duration
		retryable  bool
		spares     bool // nobody is asked, because the quorum can't be reached
	}{
		{"the quorum stands without it", 2, buys(.9), isBroken, buys(.8), 0, true, 0, false, false},
		{"the quorum needs it from the start", 3, buys(.9), isBroken, buys(.8), 1, true, 0, false, false},
		{"the quorum needs it after another failed", 2, buys(.9), isBroken, fails(signal.FailureRefusal, "no").in(3 * s), 1, true, 0, false, false},
		{"a refused key is tried for the quorum", 3, buys(.9), isRefused, buys(.8), 1, true, 0, false, false},
		{"but not against its own wait", 3, buys(.9), mustWait, buys(.8), 0, false, 40 * s, true, true},
		{"nor without credit", 3, buys(.9), noCredit, buys(.8), 0, false, 0, false, true},
		{"it is asked and fails", 3, fails(signal.FailureRefusal, "no"), isBroken, buys(.8), 1, false, 0, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				third := plays("c", test.third).guarded(test.seen)
				first := plays("a", buys(.9))
				o := over(t, orchestrator.Options{MinProviders: test.quorum}, first, plays("b", test.second), third)
				result, err := o.GenerateConsensusSignal(t.Context(), question(t))
				if n := first.asked.Load(); test.spares && n != 0 || !test.spares && n != 1 {
					t.Errorf("the first provider was asked %d times; spared: %t", n, test.spares)
				}
				if (err == nil) != test.decides || third.asked.Load() != test.asked {
					t.Fatalf("error %v, asked %d times; want a decision: %t, asked %d times", err, third.asked.Load(), test.decides, test.asked)
				}
				if test.decides {
					if test.asked > 0 && third.Breaker.State() != provider.BreakerClosed {
						t.Errorf("its vote did not let it in: %s", third.Breaker.State())
					}
					if n := len(result.Responses) + len(result.Failures); n != 3 {
						t.Errorf("%d votes and failures of 3 providers", n)
					}
					return
				}
				var undecided *orchestrator.Error
				if !errors.As(err, &undecided) || !errors.Is(err, orchestrator.ErrInsufficientResponses) {
					t.Fatalf("error %v", err)
				}
				if undecided.RetryAfter != test.retryAfter || undecided.Retryable() != test.retryable {
					t.Errorf("again after %v, retryable %t; want %v, %t", undecided.RetryAfter, undecided.Retryable(), test.retryAfter, test.retryable)
				}
			})
		})
	}
}

// A provider is not asked if the quorum can't be reached even with it.
func TestNobodyIsAskedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := plays("c", buys(.9)).guarded(isBroken)
		o := over(t, orchestrator.Options{MinProviders: 4}, plays("a", buys(.9)), plays("b", buys(.9)), out, plays("d", buys(.9)).guarded(mustWait))
		_, err := o.GenerateConsensusSignal(t.Context(), question(t))
		var undecided *orchestrator.Error
		if !errors.As(err, &undecided) || out.asked.Load() != 0 {
			t.Fatalf("error %v, asked %d times", err, out.asked.Load())
		}
		want := map[string]string{"a": "not_needed", "b": "not_needed", "c": "left_out", "d": "left_out"}
		if diff := cmp.Diff(want, outcomes(nil, undecided.Failures)); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}

// Requests with a short timeout can neither open the breakers nor keep them open.
func TestShortQuestionsLeaveNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := plays("a", buys(.9).in(7*time.Second)).guarded(nil)
		o := over(t, orchestrator.Options{Timeout: 20 * time.Second}, slow)
		hasty := question(t, func(r *orchestrator.Request) { r.Timeout = 5 * time.Second })
		for range 20 {
			if _, err := o.GenerateConsensusSignal(t.Context(), hasty); !errors.Is(err, orchestrator.ErrInsufficientResponses) {
				t.Fatalf("error %v", err)
			}
		}
		if state := slow.Breaker.State(); state != provider.BreakerClosed {
			t.Fatalf("state %s after 20 impatient questions", state)
		}
		slow.guarded(isBroken)
		time.Sleep(5 * time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = o.GenerateConsensusSignal(t.Context(), hasty) // the provider is asked for the quorum, but the breaker does not count the timeout
		}()
		synctest.Wait()
		ask(t, o, question(t, func(r *orchestrator.Request) { r.Timeout = 18 * time.Second })) // 90 % of the configured time
		<-done
		if state := slow.Breaker.State(); state != provider.BreakerClosed {
			t.Errorf("state %s after a patient question", state)
		}
	})
}

// chance is a provider whose attempts fail at random, but in the same way in every run of the
// test.
type chance struct {
	name  string
	share float64 // of the attempts that fail
	mu    sync.Mutex
	tries map[string]int // by question
}

func (c *chance) Name() string                { return c.name }
func (c *chance) Model() string               { return c.name }
func (c *chance) Check(context.Context) error { return nil }

func (c *chance) Ask(_ context.Context, prompt provider.Prompt) (provider.Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries[prompt.User]++
	if c.fails(prompt.User, c.tries[prompt.User]) {
		return provider.Answer{}, &provider.Error{Kind: signal.FailureProvider, Status: 500, Retryable: true}
	}
	return buys(.9).answer, nil
}

func (c *chance) fails(question string, try int) bool {
	hash := fnv.New64a()
	fmt.Fprint(hash, c.name, try, question)
	const spread = 0x9E3779B97F4A7C15 // the high bits of FNV are alike for similar texts
	return float64((hash.Sum64()*spread)>>11)/(1<<53) < c.share
}

// Every question that would be answered without breakers is answered with them, for every
// share of failing attempts.
func TestBreakersNeverMakeItWorse(t *testing.T) {
	const questions, quorum = 1500, 2
	for _, attempts := range []int{1, 3} {
		for _, share := range []float64{.1, .3, .5, .7} {
			t.Run(fmt.Sprintf("%v fail, %d attempts", share, attempts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					registry := &provider.Registry{}
					var all []*chance
					for _, name := range []string{"a", "b", "c", "d"} {
						c := &chance{name: name, share: share, tries: map[string]int{}}
						all = append(all, c)
						if err := registry.Register(provider.Entry{Provider: c, Breaker: provider.NewBreaker()}); err != nil {
							t.Fatal(err)
						}
					}
					o := orchestrator.New(registry, orchestrator.Options{MinProviders: quorum, MaxAttempts: attempts})
					answered := make([]bool, questions)
					var group sync.WaitGroup
					for i := range questions {
						group.Go(func() {
							_, err := o.GenerateConsensusSignal(t.Context(), numbered(t, i))
							answered[i] = err == nil
						})
						time.Sleep(50 * time.Millisecond)
					}
					group.Wait()
					without, with := 0, 0
					for i := range questions {
						r := numbered(t, i)
						prompt := provider.NewPrompt(r.Pair, r.Timeframe, r.CurrentPrice, r.MarketData).User
						votes := 0
						for _, c := range all {
							for try := range attempts {
								if !c.fails(prompt, try+1) {
									votes++
									break
								}
							}
						}
						if votes >= quorum {
							without++
						}
						if answered[i] {
							with++
						}
						if votes >= quorum && !answered[i] {
							t.Errorf("question %d has %d votes without breakers, and no answer with them", i, votes)
						}
					}
					t.Logf("%d of %d answered, %d without breakers", with, questions, without)
					if attempts == 3 && share <= .3 && with*1000 < questions*999 {
						t.Errorf("%d of %d answered, want 99.9 %%", with, questions)
					}
				})
			})
		}
	}
}

func numbered(t testing.TB, i int) orchestrator.Request {
	return question(t, func(r *orchestrator.Request) { r.CurrentPrice = signal.NumberOf(float64(i + 1)) })
}
