package e2e

// What a process that was killed during runs leaves: its keys and its share of the
// budget are free when the next one has the file, and what was paid is not paid again.

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
)

// budget reads the day's budget, which must be readable.
func (s *server) budget(t *testing.T) (spent, reserved float64) {
	t.Helper()
	var health struct {
		Budget struct {
			Spent    *float64 `json:"spent_usd"`
			Reserved *float64 `json:"reserved_usd"`
		}
	}
	r := s.get(t, "/v1/health")
	if err := json.Unmarshal([]byte(r.body), &health); err != nil || health.Budget.Spent == nil || health.Budget.Reserved == nil {
		t.Fatalf("%v: health %d %s", err, r.status, r.body)
	}
	return *health.Budget.Spent, *health.Budget.Reserved
}

func (s *server) askUnder(ctx context.Context, key string) reply {
	return s.do(ctx, http.MethodPost, "/v1/consensus", about("BTC/USDT"), "Idempotency-Key", key)
}

// Runs that were killed hold neither their keys nor their budget after the restart.
func TestKilledDuringRuns(t *testing.T) {
	t.Parallel()
	const runs, budget = 3, 0.1
	p := gated(t)
	env := append(p.env(), fmt.Sprintf("DAILY_BUDGET_USD=%g", budget), "MAX_ATTEMPTS=2")
	s := startServer(t, storeFile(t), env...)
	release := p.hold()
	lost := make(chan []reply)
	all := func(s *server) []reply {
		return many(runs, func(i int) reply { return s.askUnder(context.Background(), fmt.Sprintf("key-%d", i)) })
	}
	killed := s
	go func() { lost <- all(killed) }()
	p.awaitHeld(t, runs)
	if _, reserved := s.budget(t); 2*reserved <= budget {
		t.Errorf("$%f of $%g are reserved: this test wants more than half", reserved, budget)
	}
	s.kill()
	for _, r := range <-lost {
		if r.err == nil {
			t.Errorf("it was answered: %d %s", r.status, r.body)
		}
	}
	release()

	s = startServer(t, s.file, env...)
	if spent, reserved := s.budget(t); spent != 0 || reserved != 0 {
		t.Errorf("after the restart $%f are spent and $%f reserved, want nothing", spent, reserved)
	}
	cost := 0.0
	for _, r := range all(s) { // at once: what was reserved leaves no room for all of them
		cost += resultOf(t, r).TotalCostUSD
	}
	if spent, reserved := s.budget(t); spent < cost || reserved != 0 {
		t.Errorf("$%f are spent and $%f reserved, want at least $%f and nothing", spent, reserved, cost)
	}
	s.terminate(t, sigterm)
}

// Killed under load, again and again, and asked again at once: each key has one answer,
// which was paid once, whether the process was killed before it was given or after.
func TestKilledWithKeysUnderLoad(t *testing.T) {
	t.Parallel()
	p := gated(t)
	env := append(p.env(), "DAILY_BUDGET_USD=1000")
	file := storeFile(t)
	answered := map[string]string{} // key → id of its answer; every key that was ever asked
	for round := range 4 {
		s := startServer(t, file, env...)
		var mu sync.Mutex // guards given and asked
		given, asked := map[string]string{}, []string{}
		enough, reached := 20+rand.IntN(100), make(chan struct{})
		var clients sync.WaitGroup
		for client := range 32 {
			clients.Go(func() {
				for i := 0; ; i++ {
					key := fmt.Sprintf("%d-%d-%d", round, client, i)
					mu.Lock()
					asked = append(asked, key)
					mu.Unlock()
					r := s.askUnder(context.Background(), key)
					if r.err != nil {
						return // it was killed
					}
					var c result
					if err := json.Unmarshal([]byte(r.body), &c); err != nil || r.status != http.StatusOK {
						t.Errorf("%d %s", r.status, r.body)
						return
					}
					mu.Lock()
					if given[key] = c.ID; len(given) == enough {
						close(reached)
					}
					mu.Unlock()
				}
			})
		}
		select {
		case <-reached:
		case <-s.done:
			t.Error("it ends by itself")
		}
		s.kill()
		clients.Wait()

		s = startServer(t, file, env...)
		if _, reserved := s.budget(t); reserved != 0 {
			t.Errorf("$%f are reserved by nobody", reserved)
		}
		found := 0
		for i, r := range many(len(asked), func(i int) reply { return s.askUnder(t.Context(), asked[i]) }) {
			id, replayed := given[asked[i]], r.header.Get("Idempotency-Replayed") == "true"
			c := resultOf(t, r) // not "in flight"
			if id != "" && (c.ID != id || !replayed) {
				t.Errorf("the key %s was answered by %s, and is by %s (replayed: %t)", asked[i], id, c.ID, replayed)
			}
			if id == "" && replayed {
				found++
			}
			answered[asked[i]] = c.ID
		}
		t.Logf("%d keys, %d answered before the kill, %d more found in the file", len(asked), len(given), found)
		s.terminate(t, sigterm)
	}
	if stored := exported(t, file); len(stored) != len(answered) {
		t.Errorf("%d results are stored for %d keys", len(stored), len(answered))
	}
}
