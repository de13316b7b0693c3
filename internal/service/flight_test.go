package service_test

// Sharing votes: each case of docs/sharing.md.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/store/storetest"
)

// notes are [store.Notes] in memory, for processes of one bubble. They can be switched off.
type notes struct {
	mu    sync.Mutex
	notes map[string]store.Note
	down  bool
	ahead time.Duration // how much the clock of those who read is ahead of the writers'
	reads int
}

// present gives a note unless it has expired.
func (n *notes) present(key string) store.Note {
	if note := n.notes[key]; time.Now().Add(n.ahead).Before(note.ExpiresAt) {
		return note
	}
	return store.Note{}
}

func (n *notes) Note(_ context.Context, key string) (store.Note, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reads++
	if n.down {
		return store.Note{}, errDown
	}
	return n.present(key), nil
}

func (n *notes) Replace(_ context.Context, key, old string, note store.Note) (store.Note, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return store.Note{}, errDown
	}
	if err := note.Validate(key); err != nil {
		return store.Note{}, err
	}
	switch current := n.present(key); {
	case current.Version == note.Version || old != "" && n.notes[key].Version == old:
	case current.Version != old:
		return current, store.ErrHeld
	}
	if n.notes == nil {
		n.notes = map[string]store.Note{}
	}
	n.notes[key] = note
	return note, nil
}

// The notes of these tests keep the contract that those in DynamoDB keep.
func TestNotes(t *testing.T) { storetest.Notes(t, &notes{}) }

// sharing runs a test in virtual time, with a number of processes over one store and, if
// there are several, common notes. All ask the same providers.
func sharing(t *testing.T, processes int, voters []*voter, test func(t *testing.T, n *notes, s ...fixture)) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		options := service.Options{ShareVotes: service.ShareCaller}
		if processes > 1 {
			options.Notes = n
		}
		all := []fixture{newService(t, options, voters...)}
		defer all[0].store.Close()
		for len(all) < processes {
			all = append(all, serviceOver(t, options, all[0].store, voters...))
		}
		test(t, n, all...)
		for _, s := range all {
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// asked is what came of one question.
type asked struct {
	service.Answer
	err error
}

// askAtOnce asks the questions at the same time, spread over the processes.
func askAtOnce(t *testing.T, s []fixture, questions ...service.Question) []asked {
	outcomes := make([]asked, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() { outcomes[i].Answer, outcomes[i].err = s[i%len(s)].Ask(t.Context(), q) })
	}
	all.Wait()
	return outcomes
}

func same(n int, change func(i int, q *service.Question)) []service.Question {
	all := make([]service.Question, n)
	for i := range all {
		all[i] = question()
		if change != nil {
			change(i, &all[i])
		}
	}
	return all
}

func TestEqualQuestionsAreAskedOnce(t *testing.T) {
	for name, processes := range map[string]int{"100 racers on the file store": 1, "4 processes": 4} {
		t.Run(name, func(t *testing.T) {
			a, b := &voter{name: "a", after: time.Second, cost: 0.5}, &voter{name: "b", after: 2 * time.Second, cost: 0.25}
			sharing(t, processes, []*voter{a, b}, func(t *testing.T, n *notes, s ...fixture) {
				weights := func(i int, q *service.Question) { q.Weights = map[string]float64{"a": float64(i) / 100} }
				from, misses := "", 0
				for i, o := range askAtOnce(t, s, same(100, weights)...) {
					if o.err != nil {
						t.Fatal(o.err)
					}
					c := o.Consensus
					if c.Responses[0].Weight != float64(i)/100 || c.WeightedVotes.Buy != float64(i)/100*0.8+0.8 {
						t.Errorf("question %d was decided by the weight %v", i, c.Responses[0].Weight)
					}
					if c.Cache == signal.CacheMiss {
						misses, from = misses+1, c.ID
					} else if c.Cache != signal.CacheCoalesced || c.TotalCostUSD != 0 || c.TotalTokens != 0 || *c.Responses[0].CostUSD != 0.5 || o.Body == nil {
						t.Errorf("question %d: %+v", i, c)
					}
				}
				if a.asked.Load() != 1 || b.asked.Load() != 1 || misses != 1 {
					t.Errorf("asked %d and %d times, %d led", a.asked.Load(), b.asked.Load(), misses)
				}
				m, err := s[0].Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{})
				if err != nil || m.TotalRequests != 100 || m.Shared != (service.SharedMetrics{Coalesced: 99, SavedUSD: 99 * 0.75}) || m.Providers[0].Requests != 1 || m.CostUSD != 0.75 {
					t.Errorf("metrics %+v, %v", m.Sums, err)
				}
				page, err := s[0].History(t.Context(), service.Query{Pair: question().Pair, Limit: 100})
				if err != nil || len(page.Results) != 100 {
					t.Errorf("%d results, %v", len(page.Results), err)
				}
				if _, err := s[0].Show(t.Context(), from); err != nil {
					t.Error(err)
				}
				if most := 3 * 10; n.reads > most { // one poll a process, whoever waits
					t.Errorf("%d reads of notes, want at most %d", n.reads, most)
				}
			})
		})
	}
}

// The leader's time is over before its provider answers, and that of all others is not: they
// ask once more together. The one whose run ends with its caller asks alone.
func TestAFailedQuorumIsAskedForOnceMore(t *testing.T) {
	for _, processes := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d processes", processes), func(t *testing.T) {
			a := &voter{name: "a", after: 2 * time.Second}
			sharing(t, processes, []*voter{a}, func(t *testing.T, _ *notes, s ...fixture) {
				leader := question()
				leader.Timeout = time.Second
				var led sync.WaitGroup
				led.Go(func() {
					if _, err := s[0].Ask(t.Context(), leader); !errors.Is(err, orchestrator.ErrInsufficientResponses) {
						t.Errorf("the leader: %v", err)
					}
				})
				synctest.Wait()
				for i, o := range askAtOnce(t, s, same(101, func(i int, q *service.Question) { q.Cancelable = i == 100 })...) {
					if o.err != nil || o.Consensus.SharedFrom == nil != (o.Consensus.Cache == signal.CacheMiss) || i == 100 && o.Consensus.SharedFrom != nil {
						t.Fatalf("question %d: %+v, %v", i, o.Consensus, o.err)
					}
				}
				led.Wait()
				if n := a.asked.Load(); n != 1+1+1 {
					t.Errorf("asked %d times, want 3", n)
				}
			})
		})
	}
}

// What waiting requests get whose leader comes to nothing.
func TestALeaderComesToNothing(t *testing.T) {
	refused := &provider.Error{Kind: signal.FailureRefusal, Message: "no"}
	for _, tt := range []struct {
		name       string
		voter      *voter
		leader     func(*service.Question)
		processes  int
		want       error
		asked      int32
		wantLeader error
	}{
		{name: "all providers fail", voter: &voter{name: "a", after: time.Second, err: refused}, want: orchestrator.ErrInsufficientResponses, asked: 1, wantLeader: orchestrator.ErrInsufficientResponses},
		{name: "all providers fail for another process", processes: 2, voter: &voter{name: "a", after: time.Second, err: refused}, want: orchestrator.ErrInsufficientResponses, asked: 1, wantLeader: orchestrator.ErrInsufficientResponses},
		{name: "its time is longer", voter: &voter{name: "a", after: 28 * time.Second}, leader: func(q *service.Question) { q.Timeout = 30 * time.Second }, want: service.ErrStillAsked, asked: 1},
		{name: "its time is longer in another process", processes: 2, voter: &voter{name: "a", after: 28 * time.Second}, leader: func(q *service.Question) { q.Timeout = 30 * time.Second }, want: service.ErrStillAsked, asked: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sharing(t, max(tt.processes, 1), []*voter{tt.voter}, func(t *testing.T, _ *notes, s ...fixture) {
				q := question()
				if tt.leader != nil {
					tt.leader(&q)
				}
				var led sync.WaitGroup
				led.Go(func() {
					if _, err := s[0].Ask(t.Context(), q); !errors.Is(err, tt.wantLeader) {
						t.Errorf("the leader: %v, want %v", err, tt.wantLeader)
					}
				})
				synctest.Wait()
				for i, o := range askAtOnce(t, s, same(8, nil)...) {
					if !errors.Is(o.err, tt.want) {
						t.Errorf("question %d: %v, want %v", i, o.err, tt.want)
					}
				}
				led.Wait()
				if n := tt.voter.asked.Load(); n != tt.asked {
					t.Errorf("asked %d times, want %d", n, tt.asked)
				}
			})
		})
	}
}

// The leader is refused before it asks anybody. The others ask once more, together.
func TestALeaderIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const others = 8
		var calls atomic.Int32
		a := &voter{name: "a"}
		s := newService(t, service.Options{ShareVotes: service.ShareAll, Prepare: func(context.Context) error {
			// Each request fetches the keys before it looks for others, and again before its run.
			if n := calls.Add(1); n == 1 || n > 2 && n <= 2+others {
				return nil
			}
			time.Sleep(time.Second)
			return errors.New("planted: no keys")
		}}, a)
		defer s.store.Close()
		var led sync.WaitGroup
		led.Go(func() { _, _ = s.Ask(t.Context(), question()) })
		synctest.Wait()
		for i, o := range askAtOnce(t, []fixture{s}, same(others, nil)...) {
			if !errors.Is(o.err, service.ErrKeys) {
				t.Errorf("question %d: %v", i, o.err)
			}
		}
		led.Wait()
		if runs := calls.Load() - 1 - others; runs != 2 || a.asked.Load() != 0 {
			t.Errorf("%d runs were tried, want 2", runs)
		}
	})
}

// A provider without credit can't be asked, so the leader can't reach its quorum and asks
// nobody. Those that need fewer votes ask together.
func TestALeaderCanAskNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		a, b := &voter{name: "a", err: &provider.Error{Kind: signal.FailureRateLimit, Message: "a has no credit"}}, &voter{name: "b", after: time.Second}
		s := newService(t, service.Options{ShareVotes: service.ShareAll, Prepare: func(context.Context) error {
			if calls.Add(1) == 4 { // the second of the leader, when it begins its run
				time.Sleep(time.Second)
			}
			return nil
		}}, a, b)
		defer s.store.Close()
		ask(t, s, question())
		leader := question()
		leader.MinProviders = 2
		var led sync.WaitGroup
		led.Go(func() {
			if _, err := s.Ask(t.Context(), leader); !errors.Is(err, orchestrator.ErrInsufficientResponses) {
				t.Errorf("the leader: %v", err)
			}
		})
		synctest.Wait()
		for i, o := range askAtOnce(t, []fixture{s}, same(16, func(i int, q *service.Question) { q.MinProviders = 1 + i%2 })...) {
			if i%2 == 0 && o.err != nil || i%2 == 1 && !errors.Is(o.err, orchestrator.ErrInsufficientResponses) {
				t.Errorf("question %d: %v", i, o.err)
			}
		}
		led.Wait()
		if a.asked.Load() != 1 || b.asked.Load() != 2 {
			t.Errorf("asked %d and %d times, want once more the one that can be asked", a.asked.Load(), b.asked.Load())
		}
	})
}

// A leader of another process that never ends its flight is taken over after its time, by
// the own clock of those who wait: once.
func TestAKilledLeaderIsTakenOver(t *testing.T) {
	a := &voter{name: "a", after: time.Second}
	sharing(t, 4, []*voter{a}, func(t *testing.T, n *notes, s ...fixture) {
		q := question()
		q.Timeout = 5 * time.Second
		killed, kill := context.WithCancel(t.Context())
		stuck := &notes{}
		dead := serviceOver(t, service.Options{ShareVotes: service.ShareCaller, Notes: stuck}, s[0].store, &voter{name: "a", after: 4 * time.Second})
		q.IdempotencyKey = "" // its run ends in its own process, and tells nobody
		var ended sync.WaitGroup
		ended.Go(func() { _, _ = dead.Ask(killed, q) })
		synctest.Wait()
		stuck.mu.Lock()
		n.notes = map[string]store.Note{}
		for key, note := range stuck.notes { // the others see what it wrote, and nothing after
			n.notes[key] = note
		}
		stuck.mu.Unlock()
		begun := time.Now()
		for i, o := range askAtOnce(t, s, same(40, nil)...) {
			if o.err != nil {
				t.Fatalf("question %d: %v", i, o.err)
			}
		}
		if took := time.Since(begun); a.asked.Load() != 1 || took < 7*time.Second || took > 10*time.Second {
			t.Errorf("asked %d times after %s", a.asked.Load(), took)
		}
		kill()
		ended.Wait()
	})
}

func TestCallersWhoGo(t *testing.T) {
	a := &voter{name: "a", after: 2 * time.Second}
	sharing(t, 1, []*voter{a}, func(t *testing.T, _ *notes, s ...fixture) {
		leader, leave := context.WithCancel(t.Context())
		waiter, leaveToo := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { _, _ = s[0].Ask(leader, question()) })
		synctest.Wait()
		all.Go(func() {
			begun := time.Now()
			if _, err := s[0].Ask(waiter, question()); !errors.Is(err, service.ErrStillAsked) || time.Since(begun) != time.Second {
				t.Errorf("the one who left: %v after %s", err, time.Since(begun))
			}
		})
		all.Go(func() {
			answer, err := s[0].Ask(waiter, keyed("k"))
			if err != nil || answer.Consensus.Cache != signal.CacheCoalesced {
				t.Errorf("the one who left, and may come back with its Idempotency-Key: %+v, %v", answer.Consensus, err)
			}
		})
		all.Go(func() {
			if o := askAtOnce(t, s, question())[0]; o.err != nil || o.Consensus.Cache != signal.CacheCoalesced {
				t.Errorf("the one who stayed: %+v, %v", o.Consensus, o.err)
			}
		})
		time.Sleep(time.Second)
		leave()
		leaveToo()
		all.Wait()
		if n := a.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// The progress of the leader panics. Its votes are lost, and nobody waits for them for ever.
func TestALeaderPanics(t *testing.T) {
	for _, processes := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d processes", processes), func(t *testing.T) {
			sharing(t, processes, []*voter{{name: "a", after: 2 * time.Second}}, func(t *testing.T, _ *notes, s ...fixture) {
				q := question()
				q.Progress = func(p orchestrator.Progress) {
					if p.Vote != nil {
						panic("planted")
					}
				}
				var led sync.WaitGroup
				led.Go(func() {
					defer func() {
						if recover() == nil {
							t.Error("the leader's panic is hidden")
						}
					}()
					_, _ = s[0].Ask(t.Context(), q)
				})
				synctest.Wait()
				for i, o := range askAtOnce(t, s, same(8, nil)...) {
					if !errors.Is(o.err, service.ErrStillAsked) {
						t.Errorf("question %d: %+v, %v", i, o.Consensus, o.err)
					}
				}
				led.Wait()
				if o := askAtOnce(t, s, question())[0]; o.err != nil {
					t.Errorf("the next one: %v", o.err)
				}
			})
		})
	}
}

// Without Coordination each process asks for itself, also when it fails while others wait.
func TestSharingWithoutCoordination(t *testing.T) {
	for name, when := range map[string]time.Duration{"from the start": 0, "while others wait": time.Second} {
		t.Run(name, func(t *testing.T) {
			a := &voter{name: "a", after: 10 * time.Second}
			sharing(t, 2, []*voter{a}, func(t *testing.T, n *notes, s ...fixture) {
				time.AfterFunc(when, func() {
					n.mu.Lock()
					n.down = true
					n.mu.Unlock()
				})
				if when == 0 {
					synctest.Wait()
				}
				for i, o := range askAtOnce(t, s, same(20, nil)...) {
					if o.err != nil {
						t.Errorf("question %d: %v", i, o.err)
					}
				}
				if n := a.asked.Load(); n != 2 {
					t.Errorf("asked %d times, want once a process", n)
				}
			})
		})
	}
}

// A clock that is 30 s ahead or behind ends no flight early.
func TestClocksMayDiffer(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ahead": 30 * time.Second, "behind": -30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			a := &voter{name: "a", after: 24 * time.Second}
			sharing(t, 4, []*voter{a}, func(t *testing.T, n *notes, s ...fixture) {
				n.ahead = ahead
				for i, o := range askAtOnce(t, s, same(20, nil)...) {
					if o.err != nil {
						t.Errorf("question %d: %v", i, o.err)
					}
				}
				if n := a.asked.Load(); n != 1 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

func TestVotesThatAreThere(t *testing.T) {
	for _, processes := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d processes", processes), func(t *testing.T) {
			a, b := &voter{name: "a", after: time.Second}, &voter{name: "b", err: &provider.Error{Kind: signal.FailureRefusal, Message: "no"}}
			sharing(t, processes, []*voter{a, b}, func(t *testing.T, _ *notes, s ...fixture) {
				other := s[len(s)-1]
				time.Sleep(time.Until(time.Now().Truncate(5 * time.Minute).Add(5 * time.Minute))) // to the begin of a candle
				first := ask(t, s[0], question()).Consensus
				time.Sleep(30 * time.Second)
				for _, tt := range []struct {
					name   string
					change func(*service.Question)
					want   signal.Cache
				}{
					{"old enough", func(q *service.Question) { q.MaxAge = 30 * time.Second }, signal.CacheHit},
					{"of another caller, who is the same without keys", func(q *service.Question) { q.MaxAge, q.Caller = 35*time.Second, "x" }, signal.CacheHit},
					{"with no-cache", func(q *service.Question) { q.MaxAge, q.NoCache = time.Minute, true }, signal.CacheMiss},
					{"too old", func(q *service.Question) { q.MaxAge = 20 * time.Second }, signal.CacheMiss},
					{"not asked for", func(*service.Question) {}, signal.CacheMiss},
				} {
					q := question()
					tt.change(&q)
					c := ask(t, other, q).Consensus
					if c.Cache != tt.want || tt.want == signal.CacheHit && (*c.SharedFrom != first.ID || !c.VotesAt.Equal(first.VotesAt)) {
						t.Errorf("%s: %s from %v", tt.name, c.Cache, c.SharedFrom)
					}
				}
				calls := a.asked.Load()
				q := question()
				q.MaxAge, q.MinProviders = time.Minute, 2
				if _, err := other.Ask(t.Context(), q); !errors.Is(err, orchestrator.ErrInsufficientResponses) || a.asked.Load() != calls+1 {
					t.Errorf("too few votes for a higher quorum: %v after %d calls", err, a.asked.Load()-calls)
				}
				time.Sleep(5 * time.Minute) // the next candle
				q = question()
				q.MaxAge = time.Hour
				if c := ask(t, other, q).Consensus; c.Cache != signal.CacheMiss {
					t.Errorf("votes about another candle: %s", c.Cache)
				}
			})
		})
	}
}

// Without tables a process keeps the newest 512 votes for max_age.
func TestTheNewestVotesAreKept(t *testing.T) {
	const kept = 512
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{ShareVotes: service.ShareAll, MaxConcurrentRuns: kept}, &voter{name: "a"})
		defer s.store.Close()
		about := func(i int) service.Question {
			q := question()
			q.CurrentPrice, q.MaxAge = signal.NumberOf(float64(i)), time.Minute
			return q
		}
		ask(t, s, about(1))
		time.Sleep(time.Second)
		for i, o := range askAtOnce(t, []fixture{s}, same(kept, func(i int, q *service.Question) { *q = about(2 + i) })...) {
			if o.err != nil {
				t.Fatalf("question %d: %v", i, o.err)
			}
		}
		for _, tt := range []struct {
			price int
			want  signal.Cache
		}{{2, signal.CacheHit}, {1 + kept, signal.CacheHit}, {1, signal.CacheMiss}} {
			if c := ask(t, s, about(tt.price)).Consensus; c.Cache != tt.want {
				t.Errorf("question %d: %s, want %s", tt.price, c.Cache, tt.want)
			}
		}
	})
}

func TestWhoShares(t *testing.T) {
	for _, tt := range []struct {
		name    string
		share   string
		callers int
		change  func(i int, q *service.Question)
		asked   int32
	}{
		{"one caller", service.ShareCaller, 2, nil, 1},
		{"two callers", service.ShareCaller, 2, func(i int, q *service.Question) { q.Caller = fmt.Sprint(i % 2) }, 2},
		{"two callers that share", service.ShareAll, 2, func(i int, q *service.Question) { q.Caller = fmt.Sprint(i % 2) }, 1},
		{"no keys", service.ShareCaller, 0, func(i int, q *service.Question) { q.Caller = fmt.Sprint(i % 2) }, 1},
		{"off", service.ShareOff, 0, nil, 8},
		{"no-cache", service.ShareAll, 0, func(i int, q *service.Question) { q.NoCache = i < 3 }, 4},
		{"ends with its caller", service.ShareAll, 0, func(_ int, q *service.Question) { q.Cancelable = true }, 8},
		{"other weights, decided early", service.ShareAll, 0, func(i int, q *service.Question) {
			q.Wait, q.Weights = orchestrator.WaitDecided, map[string]float64{"a": float64(i % 2)}
		}, 2},
		{"with Idempotency-Keys", service.ShareAll, 0, func(i int, q *service.Question) { q.IdempotencyKey = fmt.Sprint(i) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a", after: time.Second}
				s := newService(t, service.Options{ShareVotes: tt.share, Callers: tt.callers}, a)
				defer s.store.Close()
				for _, o := range askAtOnce(t, []fixture{s}, same(8, tt.change)...) {
					if o.err != nil {
						t.Error(o.err)
					}
				}
				if n := a.asked.Load(); n != tt.asked {
					t.Errorf("asked %d times, want %d", n, tt.asked)
				}
			})
		})
	}
}

// What is asked by the clock is of a caller of its own; without keys all are one.
func TestTheScheduleShares(t *testing.T) {
	for callers, want := range map[int]int32{0: 1, 2: 2} {
		t.Run(fmt.Sprintf("%d callers", callers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &voter{name: "a", after: time.Second}
				s := newService(t, service.Options{ShareVotes: service.ShareCaller, Callers: callers}, a)
				defer s.store.Close()
				var led sync.WaitGroup
				led.Go(func() { ask(t, s, question()) })
				synctest.Wait()
				answer, err := s.AskOnce(t.Context(), "occasion", func(context.Context) (orchestrator.Request, error) { return question().Request, nil })
				led.Wait()
				if n := a.asked.Load(); err != nil || n != want || answer.Consensus.SharedFrom != nil != (want == 1) {
					t.Errorf("asked %d times, want %d: %+v, %v", n, want, answer.Consensus, err)
				}
			})
		})
	}
}

// Requests that wait hold neither slots nor their bodies, and there are at most four for each
// slot.
func TestWaitingIsBounded(t *testing.T) {
	a := &voter{name: "a", after: 10 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{ShareVotes: service.ShareAll, MaxConcurrentRuns: 2}, a)
		defer s.store.Close()
		var busy, held atomic.Int32
		bodies := make(chan weak.Pointer[signal.Candle], 20)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				q := question()
				q.MarketData.Candles = make([]signal.Candle, 100)
				for i := range q.MarketData.Candles {
					n := signal.NumberOf(float64(1 + i))
					q.MarketData.Candles[i] = signal.Candle{Open: n, High: n, Low: n, Close: n}
				}
				bodies <- weak.Make(&q.MarketData.Candles[0])
				_, err := s.Ask(t.Context(), q)
				if errors.Is(err, service.ErrBusy) {
					busy.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		runtime.GC()
		for range 20 {
			if (<-bodies).Value() != nil {
				held.Add(1)
			}
		}
		if held.Load() > 2 {
			t.Errorf("%d bodies are held, want that of the leader", held.Load())
		}
		all.Wait()
		if busy.Load() != 20-1-8 || a.asked.Load() != 1 {
			t.Errorf("%d refused, %d asked", busy.Load(), a.asked.Load())
		}
	})
}
