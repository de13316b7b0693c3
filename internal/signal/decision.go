package signal

// The two closed word lists of a vote: what to do, and how risky it looks.

import (
	"fmt"
	"strings"

	"thalas/internal/strictjson"
)

// Decision is what a model, or all of them together, would do.
type Decision string

// The decisions. SELL does not presume an open position.
const (
	Buy  Decision = "BUY"
	Sell Decision = "SELL"
	Hold Decision = "HOLD"
)

// Decisions lists the decisions in the order in which they are always shown.
var Decisions = [...]Decision{Buy, Sell, Hold}

// ParseDecision reads a decision in any case.
func ParseDecision(text string) (Decision, error) {
	for _, d := range Decisions {
		if strings.EqualFold(text, string(d)) {
			return d, nil
		}
	}
	return "", fmt.Errorf("decision %q is none of BUY, SELL, HOLD", strictjson.Cut(text, 40))
}

// UnmarshalText reads a decision by ParseDecision.
func (d *Decision) UnmarshalText(text []byte) error {
	parsed, err := ParseDecision(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// RiskLevel is how risky a trade looks.
type RiskLevel string

// The risk levels.
const (
	Low    RiskLevel = "low"
	Medium RiskLevel = "medium"
	High   RiskLevel = "high"
)

// ParseRiskLevel reads a risk level in any case.
func ParseRiskLevel(text string) (RiskLevel, error) {
	for _, r := range [...]RiskLevel{Low, Medium, High} {
		if strings.EqualFold(text, string(r)) {
			return r, nil
		}
	}
	return "", fmt.Errorf("risk level %q is none of low, medium, high", strictjson.Cut(text, 40))
}

// UnmarshalText reads a risk level by ParseRiskLevel.
func (r *RiskLevel) UnmarshalText(text []byte) error {
	parsed, err := ParseRiskLevel(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// Above reports whether r is riskier than other. An empty level is below all.
func (r RiskLevel) Above(other RiskLevel) bool { return r.rank() > other.rank() }

func (r RiskLevel) rank() int {
	switch r {
	case High:
		return 3
	case Medium:
		return 2
	case Low:
		return 1
	}
	return 0
}

// Tally holds one figure for each decision; all three are always there.
type Tally[T int | float64] struct {
	Buy  T `json:"BUY"`
	Sell T `json:"SELL"`
	Hold T `json:"HOLD"`
}

// Of gives the figure of d.
func (t Tally[T]) Of(d Decision) T {
	switch d {
	case Buy:
		return t.Buy
	case Sell:
		return t.Sell
	default:
		return t.Hold
	}
}

// Add adds amount to the figure of d.
func (t *Tally[T]) Add(d Decision, amount T) {
	switch d {
	case Buy:
		t.Buy += amount
	case Sell:
		t.Sell += amount
	default:
		t.Hold += amount
	}
}

// Sum gives the three figures together.
func (t Tally[T]) Sum() T { return t.Buy + t.Sell + t.Hold }
