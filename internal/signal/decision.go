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
func ParseDecision(text string) (Decision, error) { return parseWord("decision", text, Decisions[:]) }

// UnmarshalText reads a decision by ParseDecision.
func (d *Decision) UnmarshalText(text []byte) error { return unmarshal(d, text, ParseDecision) }

// RiskLevel is how risky a trade looks.
type RiskLevel string

// The risk levels.
const (
	Low    RiskLevel = "low"
	Medium RiskLevel = "medium"
	High   RiskLevel = "high"
)

// RiskLevels lists the risk levels, the lowest first.
var RiskLevels = []RiskLevel{Low, Medium, High}

// ParseRiskLevel reads a risk level in any case.
func ParseRiskLevel(text string) (RiskLevel, error) { return parseWord("risk level", text, RiskLevels) }

// UnmarshalText reads a risk level by ParseRiskLevel.
func (r *RiskLevel) UnmarshalText(text []byte) error { return unmarshal(r, text, ParseRiskLevel) }

// parseWord reads one of a few words in any case.
func parseWord[T ~string](what, text string, words []T) (T, error) {
	i := slices.IndexFunc(words, func(w T) bool { return strings.EqualFold(text, string(w)) })
	if i < 0 {
		known := strings.ReplaceAll(strings.Trim(fmt.Sprint(words), "[]"), " ", ", ")
		return "", fmt.Errorf("%s %q is none of %s", what, strictjson.Cut(text, 40), known)
	}
	return words[i], nil
}

// unmarshal reads a text into a value, which a mistake leaves as it was.
func unmarshal[T any](into *T, text []byte, parse func(string) (T, error)) error {
	parsed, err := parse(string(text))
	if err == nil {
		*into = parsed
	}
	return err
}

// Above reports whether r is riskier than other. An empty level is below all others.
func (r RiskLevel) Above(other RiskLevel) bool {
	return slices.Index(RiskLevels, r) > slices.Index(RiskLevels, other)
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
