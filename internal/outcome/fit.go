package outcome

// The probability that a BUY or SELL turns out right, fitted to what became of earlier
// ones of the same stated confidence.

import (
	"math"
	"time"

	"thalas/internal/signal"
)

// The standard deviations of the priors: they pull the probability to a coin until
// outcomes speak.
const (
	priorA = 0.2
	priorB = 0.15
)

// Fit is the logistic curve p = σ(A + B·(logit(c) − Mean)) of one voter, c its stated
// confidence. The zero Fit is a coin.
type Fit struct {
	A, B float64
	Mean float64 // of logit(c) over the directional votes
	N    float64 // directional votes
	NEff float64 // independent windows that they are worth

	BreakEven *float64 // hit rate that pays for a round trip, where it can be formed

	// The inverse of the negative Hessian at the maximum: variances and covariance of A, B.
	varA, varB, cov float64
}

// NewFit fits the curve of one voter, given its sums.
func NewFit(sums Sums) Fit {
	t := tallyOf(sums)
	f := Fit{N: t.directional, NEff: t.nEff, BreakEven: breakEven(t)}
	weight := 0.0
	if f.N > 0 {
		weight = f.NEff / f.N
		for i, c := range t.cells {
			f.Mean += float64(c.n * logitOf(int64(i)))
		}
		f.Mean /= f.N
	}
	// Newton's method. The objective is concave, so it meets its one maximum.
	for range 100 {
		gradA, gradB := -f.A/(priorA*priorA), -f.B/(priorB*priorB)
		hAA, hAB, hBB := 1/(priorA*priorA), 0.0, 1/(priorB*priorB)
		for i, c := range t.cells {
			if c.n == 0 {
				continue
			}
			x := logitOf(int64(i)) - f.Mean
			p := sigmoid(f.A + float64(f.B*x))
			residual, curvature := weight*(c.hits-float64(c.n*p)), weight*c.n*p*(1-p)
			gradA += residual
			gradB += float64(residual * x)
			hAA += curvature
			hAB += float64(curvature * x)
			hBB += float64(curvature * x * x)
		}
		det := float64(hAA*hBB) - float64(hAB*hAB)
		f.varA, f.varB, f.cov = hBB/det, hAA/det, -hAB/det
		stepA := float64(f.varA*gradA) + float64(f.cov*gradB)
		stepB := float64(f.cov*gradA) + float64(f.varB*gradB)
		f.A, f.B = f.A+stepA, f.B+stepB
		if math.Abs(stepA) < 1e-10 && math.Abs(stepB) < 1e-10 {
			break
		}
	}
	return f
}

// At gives the probability at a stated confidence, and its 95 % credible interval.
func (f Fit) At(confidence float64) (p, low, high float64) {
	x := logitOf(cellOf(confidence)) - f.Mean
	eta := f.A + float64(f.B*x)
	half := z95 * math.Sqrt(f.varA+float64(2*x*f.cov)+float64(x*x*f.varB))
	return sigmoid(eta), sigmoid(eta - half), sigmoid(eta + half)
}

// Probability is what an answer carries about its raw decision: a value, or the reason
// why there is none.
func (f Fit) Probability(raw signal.Decision, confidence float64, fittedAt time.Time) *signal.Probability {
	p := &signal.Probability{NEff: new(f.NEff), Needed: Needed, BreakEven: f.BreakEven, HorizonCandles: windowCandles}
	switch {
	case raw == signal.Hold:
		p.Reason = new(signal.ProbabilityHold)
	case f.NEff < Needed:
		p.Reason = new(signal.ProbabilityTooFew)
	default:
		value, low, high := f.At(confidence)
		p.Value, p.Low, p.High, p.FittedAt = &value, &low, &high, new(fittedAt.UTC())
	}
	return p
}

// NoProbability is what an answer carries where the sums could not be read in time.
func NoProbability(raw signal.Decision) *signal.Probability {
	reason := signal.ProbabilityUnavailable
	if raw == signal.Hold {
		reason = signal.ProbabilityHold
	}
	return &signal.Probability{Needed: Needed, HorizonCandles: windowCandles, Reason: &reason}
}

// logitOf gives the logit of a cell, whose confidence is clipped to 0.02…0.98.
func logitOf(cell int64) float64 {
	c := min(max(float64(cell)/100, 0.02), 0.98)
	return math.Log(c / (1 - c))
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
