package main

// Attempts fail by chance, and arithmetic tells how many runs must reach the quorum.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"thalas/internal/simulator"
)

// passing are faults of one attempt that say nothing about the next one.
var passing = []simulator.Fault{"server_error", "unavailable", "html_502", "reset", "cut_body"}

// defaultAttempts is the default of MAX_ATTEMPTS.
const defaultAttempts = 3

// mistaken is the probability with which chance alone may break a bound.
const mistaken = 1e-9

// random asks many questions at the same time while attempts fail independently, and
// compares the share that is answered with the share without a breaker.
func (c *chaos) random() {
	const quorum = 2
	questions := c.size(5000, 1000)
	for _, rate := range []float64{0.1, 0.3, 0.5} {
		for _, most := range []int{1, defaultAttempts} {
			setting := strconv.Itoa(most)
			env := []string{"MAX_ATTEMPTS=" + setting}
			if most == defaultAttempts { // not set, so that the default is tested
				setting, env = setting+", the default", nil
			}
			p := c.providers(0, func(provider, pair string, n int) simulator.Fault {
				return drawn(c.chance(provider, pair, n), rate, passing)
			})
			s := c.serve(p, c.scratch(), "", env...)
			var decided atomic.Int64
			c.parallel(questions, 200, func(i int) {
				a := s.ask(pairOf(i), quorum, 30, "")
				for _, what := range a.broken(p.about(pairOf(i)), quorum) {
					c.failf("question %d: %s: %s", i, what, &a)
				}
				if a.status == 200 {
					decided.Add(1)
				}
			})
			c.must(s.end())
			answered := int(decided.Load())
			// A run misses its quorum of two if at most one provider answers.
			lost, n := math.Pow(rate, float64(most)), float64(len(simulator.Providers))
			share := 1 - math.Pow(lost, n) - n*(1-lost)*math.Pow(lost, n-1)
			if least := atLeast(questions, share, mistaken); answered < least {
				c.failf("%v of the attempts fail, %d are made: %d of %d questions are answered, want at least %d", rate, most, answered, questions, least)
			}
			c.row(fmt.Sprintf("%.0f %%", 100*rate), setting, questions, fmt.Sprintf("%.2f %%", 100*float64(answered)/float64(questions)), fmt.Sprintf("%.3f %%", 100*share))
		}
	}
}

// drawn returns one of the faults at a rate, else none.
func drawn(chance *rand.Rand, rate float64, of []simulator.Fault) simulator.Fault {
	if chance.Float64() >= rate {
		return simulator.OK
	}
	return of[chance.IntN(len(of))]
}

// atLeast returns the largest k such that fewer than k successes in n trials are at most
// as likely as rarer. Each trial succeeds with the probability share.
func atLeast(n int, share, rarer float64) int {
	logFactorial := func(x int) float64 { value, _ := math.Lgamma(float64(x) + 1); return value }
	sum := 0.0
	for k := range n {
		choose := logFactorial(n) - logFactorial(k) - logFactorial(n-k)
		if sum += math.Exp(choose + float64(k)*math.Log(share) + float64(n-k)*math.Log1p(-share)); sum > rarer {
			return k
		}
	}
	return n
}
