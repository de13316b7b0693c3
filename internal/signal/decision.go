package signal

// The words of a vote: decisions and risk levels, and counts by decision.

import (
	"fmt"
	"slices"
	"strings"

	"thalas/internal/strictjson"
)

// Decision is what a model, or all models together, would do.
type Decision string

// The decisions. A SELL does not need an open position.
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
	if err == nil {
		*d = parsed
	}
	return err
}

// RiskLevel is how risky a trade looks.
type RiskLevel string

// The risk levels.
const (
	Low    RiskLevel = "low"
	Medium RiskLevel = "medium"
	High   RiskLevel = "high"
)

var riskLevels = []RiskLevel{Low, Medium, High}

// ParseRiskLevel reads a risk level in any case.
func ParseRiskLevel(text string) (RiskLevel, error) {
	for _, r := range riskLevels {
		if strings.EqualFold(text, string(r)) {
			return r, nil
		}
	}
	return "", fmt.Errorf("risk level %q is none of low, medium, high", strictjson.Cut(text, 40))
}

// UnmarshalText reads a risk level by ParseRiskLevel.
func (r *RiskLevel) UnmarshalText(text []byte) error {
	parsed, err := ParseRiskLevel(string(text))
	if err == nil {
		*r = parsed
	}
	return err
}

// Above reports whether r is riskier than other. An empty level is below all others.
func (r RiskLevel) Above(other RiskLevel) bool {
	return slices.Index(riskLevels, r) > slices.Index(riskLevels, other)
}

// Tally has one number for each decision.
type Tally[T int | float64] struct {
	Buy  T `json:"BUY"`
	Sell T `json:"SELL"`
	Hold T `json:"HOLD"`
}

// Add adds amount to the number of d.
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

// Sum gives the sum of the three numbers.
func (t Tally[T]) Sum() T { return t.Buy + t.Sell + t.Hold }
