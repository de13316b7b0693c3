package main

// SIGKILL at random points, with Idempotency-Keys and a day's budget.

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// keyed is a question with an Idempotency-Key, and what is known of it.
type keyed struct {
	pair string // and key
	id   string // of its answer; empty: none has come
}

// killed loads a server, kills it at some call to a provider, starts it anew over the
// same file, and asks everything again.
func (c *chaos) killed() {
	kills := c.size(25, 5)
	file, p := c.scratch(), c.providers(10*time.Millisecond, sound) // so that runs are under way at any time
	var left atomic.Int64                                           // calls until the kill
	reached := make(chan struct{}, 1)
	p.arrived = func() {
		if left.Add(-1) == 0 {
			reached <- struct{}{}
		}
	}
	billed := func() int64 {
		high, _ := told(p.about(""), nil)
		return micro(high)
	}

	var all []*keyed
	var low, high int64 // millionths of a USD that must be spent
	lost, replays, anew := 0, 0, 0
	for round := range kills + 1 {
		s := c.serve(p, file, "")
		now := c.holdMoney(s, fmt.Sprint("after kill ", round), low, high)
		left.Store(0)
		before := billed()
		found, more, booked := c.again(p, s, round, all)
		replays, anew = replays+found, anew+more
		spent := c.holdMoney(s, fmt.Sprint("asked again after kill ", round), now+booked, now+billed()-before+int64(more))
		if round == kills {
			c.must(s.end())
			c.thalas(file, "check")
			break
		}

		// 16 callers ask until the server is gone.
		before, booked = billed(), 0
		var mu sync.Mutex // guards all, booked and lost
		left.Store(1 + c.chance("kill", round).Int64N(400))
		var callers sync.WaitGroup
		for range 16 {
			callers.Go(func() {
				for {
					mu.Lock()
					q := &keyed{pair: pairOf(len(all))}
					all = append(all, q)
					mu.Unlock()
					a := s.ask(q.pair, 2, 25, q.pair)
					mu.Lock()
					if a.err != nil {
						lost++
						mu.Unlock()
						return
					}
					q.id = a.ID
					booked += micro(a.TotalCostUSD)
					mu.Unlock()
					for _, what := range a.broken(p.about(q.pair), 2) {
						c.failf("%s: %s: %s", q.pair, what, &a)
					}
				}
			})
		}
		select {
		case <-reached:
		case <-c.ctx.Done():
		case <-time.After(guard):
			c.failf("round %d: the providers are not asked", round)
		}
		s.Kill()
		callers.Wait()
		low, high = spent+booked, spent+billed()-before+int64(len(all)) // each run is rounded up
	}
	c.row(kills, len(all), len(all)-lost, lost, replays, anew, 0, "$0")
}

// again asks every question once more. One with an answer gets that answer and nobody is
// called; one without gets an answer at once: found was stored before the kill, anew was
// not, and booked is what the latter cost, in millionths of a USD.
func (c *chaos) again(p *providers, s *server, round int, all []*keyed) (found, anew int, booked int64) {
	var mu sync.Mutex // guards the results
	c.parallel(len(all), 16, func(i int) {
		q := all[i]
		before := len(p.about(q.pair))
		a := s.ask(q.pair, 2, 25, q.pair)
		calls := len(p.about(q.pair)) - before
		switch {
		case a.status != 200:
			c.failf("after kill %d: %s can't be asked: %s", round, q.pair, &a)
		case q.id != "" && (a.ID != q.id || !a.isReplay() || calls > 0):
			c.failf("after kill %d: %s was answered with %s, and again after %d calls with %s", round, q.pair, q.id, calls, &a)
		case q.id != "":
		case a.isReplay() != (calls == 0):
			c.failf("after kill %d: %s got %d calls and the answer %s", round, q.pair, calls, &a)
		default:
			mu.Lock()
			defer mu.Unlock()
			q.id = a.ID
			if a.isReplay() {
				found++
				return
			}
			anew++
			booked += micro(a.TotalCostUSD)
		}
	})
	return found, anew, booked
}
