package outcome

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

// madeUpVote is the consensus of four made-up models about one window, and whether it was
// right; HOLDs are left out.
//
// Each window has a quality of its own: the chance that a model is right about it, 57 % on
// average. The models' errors are correlated (0.7), since they saw the same market. What a
// model states is nearly constant, far too high, and knows a little of the quality.
func madeUpVote(random *rand.Rand) (confidence float64, right, directional bool) {
	quality := 0.57 + float64(0.04*random.NormFloat64())
	common := random.NormFloat64()
	rises := random.IntN(2) == 0
	votes := make([]signal.Vote, 4)
	for i, weight := range [...]float64{1, 0.9, 0.8, 0.7} {
		latent := float64(math.Sqrt(0.7)*common) + float64(math.Sqrt(0.3)*random.NormFloat64())
		isRight := 0.5*math.Erfc(latent/math.Sqrt2) < quality // uniform, and correlated between models
		decision := signal.Buy
		if isRight != rises {
			decision = signal.Sell
		}
		stated := min(0.98, max(0.5, 0.85+float64(0.8*(quality-0.57))+float64(0.05*random.NormFloat64())))
		votes[i] = signal.Vote{Provider: string(rune('a' + i)), Decision: decision, Confidence: stated, Weight: weight}
	}
	outcome := consensus.Aggregate(votes, consensus.Policy{})
	return outcome.Confidence, (outcome.RawDecision == signal.Buy) == rises, outcome.RawDecision != signal.Hold
}

// madeUpSums gives the sums of so many independent windows.
func madeUpSums(random *rand.Rand, windows int) Sums {
	sums := Sums{}
	for n := 0; n < windows; {
		confidence, right, directional := madeUpVote(random)
		if !directional {
			continue
		}
		cell := cellOf(confidence)
		sums.add(windowPrefix, int64(n), 1)
		sums.add(cellPrefix, cell, 1)
		sums.add(cellSumPrefix, cell, confidence)
		if right {
			sums.add(cellHitsPrefix, cell, 1)
		}
		n++
	}
	return sums
}

// TestMadeUpVoters compares what can be said from a stated confidence with the best that
// anybody could say: how often it is right in 300,000 windows. The figures of
// docs/outcomes.md are those that it prints with -v.
func TestMadeUpVoters(t *testing.T) {
	truth := tallyOf(madeUpSums(rand.New(rand.NewPCG(1, 1)), 300_000))
	t.Logf("hit rate %.3f, stated %.3f", truth.hits/truth.directional, truth.stated/truth.directional)
	// excess gives the mean squared and the mean absolute distance from the truth.
	excess := func(p func(stated float64) float64) (squared, absolute float64) {
		for _, c := range truth.cells {
			if c.n > 0 {
				d := p(c.stated/c.n) - c.hits/c.n
				squared += d * d * c.n / truth.directional
				absolute += math.Abs(d) * c.n / truth.directional
			}
		}
		return squared, absolute
	}
	stated, statedError := excess(func(c float64) float64 { return c })
	coin, coinError := excess(func(float64) float64 { return 0.5 })
	t.Logf("%-18s %8s %8s", "", "Brier", "error")
	t.Logf("%-18s %8.4f %8.3f", "stated confidence", stated, statedError)
	t.Logf("%-18s %8.4f %8.3f", "constant 1/2", coin, coinError)
	previous := coin
	for _, size := range []struct{ windows, times int }{{100, 200}, {1_000, 50}, {10_000, 10}} {
		var squared, absolute float64
		for seed := range size.times {
			fit := NewFit(madeUpSums(rand.New(rand.NewPCG(2, uint64(seed))), size.windows))
			s, a := excess(func(c float64) float64 { p, _, _ := fit.At(c); return p })
			squared += s / float64(size.times)
			absolute += a / float64(size.times)
		}
		t.Logf("%-18s %8.4f %8.3f", fmt.Sprintf("%d windows", size.windows), squared, absolute)
		if squared >= previous {
			t.Errorf("%d windows: excess Brier score %.5f, not below %.5f: more outcomes must tell more", size.windows, squared, previous)
		}
		previous = squared
	}
	if stated < 10*previous {
		t.Errorf("the stated confidence scores %.4f above the truth: these voters are not the overconfident ones they should be", stated)
	}
}
