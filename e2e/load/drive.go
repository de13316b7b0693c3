package main

// The two ways to load a server.

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// maxOpen bounds the connections of the open loop. Arrivals beyond it are counted
// as not sent.
const maxOpen = 2048

var errNoConnection = errors.New("not sent, all connections wait for answers")

// script is what a server is asked, as whole requests for its address.
type script struct {
	questions []question
	requests  [][]byte
	next      atomic.Uint64
}

func newScript(questions []question, address string) *script {
	s := &script{questions: questions, requests: make([][]byte, len(questions))}
	for i, q := range questions {
		s.requests[i] = q.to(address)
	}
	return s
}

// take gives the next question; they come round again.
func (s *script) take() (question, []byte) {
	i := (s.next.Add(1) - 1) % uint64(len(s.questions))
	return s.questions[i], s.requests[i]
}

// closedLoop asks on so many connections, on each again once it is answered,
// while more says so. It gives what was counted and how long it took.
func closedLoop(ctx context.Context, address string, s *script, connections int, more func() bool) (*tally, time.Duration) {
	workers := make([]*tally, connections)
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range workers {
		workers[i] = newTally()
		ready.Add(1)
		done.Go(func() {
			c := newConnection(address)
			defer c.close()
			_ = c.open(ctx) // else the first exchange tries again, and its error counts
			ready.Done()
			<-start
			for failed := 0; failed < 20 && ctx.Err() == nil && more(); {
				q, request := s.take()
				sent := time.Now()
				status, body, err := c.exchange(ctx, request)
				workers[i].add(q, status, body, err, time.Since(sent))
				if failed++; err == nil {
					failed = 0
				}
			}
		})
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	took := time.Since(began)
	total := newTally()
	for _, worker := range workers {
		total.merge(worker)
	}
	return total, took
}

// openLoop sends at a fixed rate a second for the length, whatever the answers
// do. Latencies count from the time each question was due.
func openLoop(ctx context.Context, address string, s *script, rate float64, length time.Duration, connections int) (*tally, time.Duration) {
	idle := make(chan *connection, maxOpen)
	opened := 0
	for ; opened < min(connections, maxOpen); opened++ {
		c := newConnection(address)
		_ = c.open(ctx) // else the first exchange tries again, and its error counts
		idle <- c
	}
	total := newTally()
	var mu sync.Mutex // guards total
	var waiting sync.WaitGroup
	clock := newAlarm()
	defer clock.close()
	began := time.Now().Add(10 * time.Millisecond)
	for i := range int(rate * length.Seconds()) {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		clock.sleepUntil(due)
		if ctx.Err() != nil {
			break
		}
		q, request := s.take()
		var c *connection
		select {
		case c = <-idle:
		default:
			if opened == maxOpen {
				mu.Lock()
				total.add(q, 0, nil, errNoConnection, 0)
				mu.Unlock()
				continue
			}
			opened++
			c = newConnection(address)
		}
		waiting.Go(func() {
			late := time.Since(due)
			status, body, err := c.exchange(ctx, request)
			latency := time.Since(due)
			mu.Lock()
			total.late = append(total.late, ms(late))
			total.add(q, status, body, err, latency)
			mu.Unlock()
			idle <- c
		})
	}
	waiting.Wait()
	took := time.Since(began)
	close(idle)
	for c := range idle {
		c.close()
	}
	return total, took
}
