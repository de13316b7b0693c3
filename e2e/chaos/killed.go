package main

// The server is killed at random points, with Idempotency-Keys and a day's budget.

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// keyed is a question with an Idempotency-Key.
type keyed struct {
	pair string // also its key
	id   string // of its answer; empty: not answered yet
}

// killed asks a server many questions, kills it at a random call to a provider, starts it
// again with the same file, and asks every question again.
func (c *chaos) killed() {
	kills := c.size(25, 5)
	file, p := c.scratch(), c.providers(10*time.Millisecond, noFault) // so that runs are under way at any time
	var left atomic.Int64                                             // calls until the kill
	reached := make(chan struct{}, 1)
	p.arrived = func() {
		if left.Add(-1) == 0 {
			reached <- struct{}{}
		}
	}
	billed := func() int64 {
		high, _ := reportedCost(p.about(""), nil)
		return micro(high)
	}

	var all []*keyed
	var low, high int64 // bounds of the spent budget, in millionths of a USD
	lost, replays, anew := 0, 0, 0
	for round := range kills + 1 {
		s := c.serve(p, file, "")
		now := c.checkBudget(s, fmt.Sprint("after kill ", round), low, high)
		left.Store(0)
		before := billed()
		found, more, booked := c.askAgain(p, s, round, all)
		replays, anew = replays+found, anew+more
		spent := c.checkBudget(s, fmt.Sprint("asked again after kill ", round), now+booked, now+billed()-before+int64(more))
		if round == kills {
			c.must(s.end())
			c.thalas(file, "check")
			break
		}

		// 16 callers ask until the server is killed.
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

// askAgain asks every question once more. A question that was answered must get that
// answer, without a call to a provider. The others must get an answer at once. Of these,
// found counts those whose run was stored before the kill, and anew the rest; booked is the
// cost of the rest, in millionths of a USD.
func (c *chaos) askAgain(p *providers, s *server, round int, all []*keyed) (found, anew int, booked int64) {
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
