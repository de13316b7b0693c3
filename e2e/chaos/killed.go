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
	pair string
	id   string // of its answer; empty: none has come
}

// killed loads a server, kills it at some call to a provider, starts it anew over the
// same file, and asks everything again.
func (c *chaos) killed() (string, error) {
	kills := 25
	if c.short {
		kills = 5
	}
	file, err := c.scratch()
	if err != nil {
		return "", err
	}
	p := newProviders(sound)
	defer p.close()
	p.latency = 10 * time.Millisecond // so that runs are under way at any time
	var left atomic.Int64             // calls until the kill
	reached := make(chan struct{}, 1)
	p.arrived = func() {
		if left.Add(-1) == 0 {
			reached <- struct{}{}
		}
	}

	var all []*keyed
	var spent, booked, billed int64 // millionths of a USD: at the last look; since then answered, and billed by providers
	replays, anew, lost := 0, 0, 0
	for round := range kills + 1 {
		s, err := c.start(p, file, "")
		if err != nil {
			return "", fmt.Errorf("after kill %d: %w", round, err)
		}
		now := c.holdMoney(s, fmt.Sprint("after kill ", round), spent+booked, spent+billed)
		left.Store(0)
		before := p.billed()
		answered := c.again(p, s, round, all)
		replays, anew = replays+answered.replays, anew+answered.anew
		spent = c.holdMoney(s, fmt.Sprint("asked again after kill ", round), now+answered.booked, now+p.billed()-before+int64(answered.anew))
		if round == kills {
			if err := s.end(); err != nil {
				return "", err
			}
			c.checkFile(file)
			break
		}

		// 16 callers ask until the server is gone.
		before, booked = p.billed(), 0
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
					a := s.ask(question(q.pair, 2, "25"), q.pair)
					mu.Lock()
					if a.err != nil {
						lost++
						mu.Unlock()
						return
					}
					for _, what := range a.broken(p.about(q.pair), 2) {
						c.failf("%s: %s: %s", q.pair, what, &a)
					}
					q.id = a.ID
					booked += micro(a.TotalCostUSD)
					mu.Unlock()
				}
			})
		}
		select {
		case <-reached:
		case <-time.After(guard):
			c.failf("round %d: the providers are not asked", round)
		}
		s.kill()
		callers.Wait()
		billed = p.billed() - before + int64(len(all)) // each run is rounded up
	}
	return fmt.Sprintf(`| SIGKILLs | questions | answered before | cut off by a kill | of those found answered at the restart | asked anew, at once | paid twice after an answer | reserved after a restart |
|---|---|---|---|---|---|---|---|
| %d | %d | %d | %d | %d | %d | 0 | $0 |
`, kills, len(all), len(all)-lost, lost, replays, anew), nil
}

// asked counts what became of questions without an answer that were asked again.
type asked struct {
	replays, anew int
	booked        int64 // millionths of a USD, of those that were asked anew
}

// again asks every question once more. One with an answer gets that answer and nobody
// is called; one without gets an answer at once.
func (c *chaos) again(p *providers, s *server, round int, all []*keyed) (counted asked) {
	var mu sync.Mutex // guards counted
	c.parallel(len(all), 16, func(i int) {
		q := all[i]
		before := len(p.about(q.pair))
		a := s.ask(question(q.pair, 2, "25"), q.pair)
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
				counted.replays++
				return
			}
			counted.anew++
			counted.booked += micro(a.TotalCostUSD)
		}
	})
	return counted
}

// billed sums what the answers to all calls told, in millionths of a USD.
func (p *providers) billed() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.anyUnderway() {
		p.ended.Wait()
	}
	usd := 0.0
	for _, calls := range p.calls {
		for _, made := range calls {
			usd += made.usd
		}
	}
	return micro(usd)
}

func (p *providers) anyUnderway() bool {
	for _, n := range p.underway {
		if n > 0 {
			return true
		}
	}
	return false
}
