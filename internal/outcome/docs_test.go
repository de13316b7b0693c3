package outcome

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"thalas/internal/signal"
)

// TestDocsExamples holds the worked examples of docs/outcomes.md against the code.
func TestDocsExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/outcomes.md")
	if err != nil {
		t.Fatal(err)
	}
	says := func(format string, values ...any) {
		t.Helper()
		if text := fmt.Sprintf(format, values...); !strings.Contains(string(page), text) {
			t.Errorf("docs/outcomes.md does not say %q", text)
		}
	}

	o := Outcome{Decision: signal.Buy}
	o.judge(&signal.Consensus{}, 50010, 50010, 50310, 0.003)
	says("50310/50010 − 1 = %.7f; the class is `%s`", *o.Move, *o.Class)
	says("earns 0.0059988 − 0.003 = %.7f", *o.NetReturn)

	low, high := wilson(168.0/310, 97, z95)
	says("the hit rate is %.3f, and its interval reaches from %.3f to %.3f", 168.0/310, low, high)
	says("hits %.3f", *(&tally{directional: 310, sums: Sums{sumBuys: 190, sumBet: 0.52 * 310}}).chance())
	says("the break-even is %.3f", *breakEven(&tally{sums: Sums{sumMoves: 0.0061, sumCosts: 0.003}}))

	blocks := map[int64]block{}
	for i, sum := range []float64{.010, -.004, .006, -.012, .020, -.008, .003, .001, -.009, .005} {
		blocks[int64(i)] = block{[]float64{2, 1, 3, 2, 4, 1, 2, 1, 2, 2}[i], sum}
	}
	e := newClusteredMean(blocks).estimate()
	says("The mean is .012/20 = %.4f", *e.Mean)
	says("its interval −%.4f to %.4f", -*e.Low, *e.High)

	sums := Sums{}
	for i := range 120 {
		sums.add(windowPrefix, int64(i), 1)
	}
	sums.add(cellPrefix, 80, 120)
	sums.add(cellHitsPrefix, 80, 72)
	fit := NewFit(sums)
	p, low, high := fit.At(0.8)
	says("a = %.4f, a probability of %.3f, and an interval of %.3f to %.3f", fit.A, p, low, high)
}
