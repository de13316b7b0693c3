package provider

// What a model's text must be to count as a vote. No provider's strict mode guarantees
// ranges or the case of words, so everything is checked here. What is in doubt is refused,
// since there is money behind a vote.

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// maxQuote is how much of a wrong value an error quotes, in characters.
const maxQuote = 40

// Ballot is the vote in a model's text, as [ParseBallot] reads it.
type Ballot struct {
	Decision   signal.Decision
	Confidence float64 // 0…1
	Reasoning  string
	RiskLevel  *signal.RiskLevel // nil: none was given
	StopLoss   *float64          // nil: none was given; finite, but not compared with the price
	TakeProfit *float64          // likewise
}

// ParseBallot reads a model's text, which must be exactly one JSON object:
//
//	decision     BUY, SELL or HOLD in any case
//	confidence   a number 0…1, or one in a string; 85 is refused, not taken for a percentage
//	reasoning    text, not empty; cleaned and cut to 4,000 characters
//	risk_level   low, medium or high in any case; anything else counts as none
//	stop_loss, take_profit   a finite number, or one in a string; anything else counts as none
//
// The first three are required. A key that occurs twice is refused, unknown keys
// are ignored. Errors name the field and quote little, cleaned.
func ParseBallot(text string) (Ballot, error) { return parseBallot(text, cleaner{}) }

func parseBallot(text string, clean cleaner) (Ballot, error) {
	fields, err := ballotFields(text)
	if err != nil {
		return Ballot{}, err
	}
	for _, name := range [...]string{"decision", "confidence", "reasoning"} {
		if fields[name].IsNull() {
			return Ballot{}, fmt.Errorf("%s is missing", name)
		}
	}
	quote := func(name string) string { return fmt.Sprintf("%q", clean.text(content(fields[name]), maxQuote)) }
	var b Ballot
	word, isText := fields["decision"].Text()
	if !isText {
		return Ballot{}, fmt.Errorf("decision is %s and not text", quote("decision"))
	}
	if b.Decision, err = signal.ParseDecision(strings.TrimSpace(word)); err != nil {
		return Ballot{}, fmt.Errorf("decision %s is none of BUY, SELL, HOLD", quote("decision"))
	}
	confidence := number(fields["confidence"])
	if confidence == nil {
		return Ballot{}, fmt.Errorf("confidence is %s and not a number", quote("confidence"))
	}
	if b.Confidence = *confidence; b.Confidence < 0 || b.Confidence > 1 {
		return Ballot{}, fmt.Errorf("confidence %s is outside 0…1", quote("confidence"))
	}
	reasoning, isText := fields["reasoning"].Text()
	if !isText {
		return Ballot{}, fmt.Errorf("reasoning is %s and not text", quote("reasoning"))
	}
	if b.Reasoning = clean.text(reasoning, maxReasoning); b.Reasoning == "" {
		return Ballot{}, errors.New("reasoning is empty")
	}
	if level, err := signal.ParseRiskLevel(strings.TrimSpace(content(fields["risk_level"]))); err == nil {
		b.RiskLevel = &level
	}
	b.StopLoss, b.TakeProfit = number(fields["stop_loss"]), number(fields["take_profit"])
	return b, nil
}

// ballotFields reads exactly one object. encoding/json would take the last of two equal
// keys, and keys in another case.
func ballotFields(text string) (map[string]strictjson.Value, error) {
	document, err := strictjson.ParseLenient(text)
	var wrong *strictjson.Error
	switch errors.As(err, &wrong); {
	case err != nil && wrong.Kind == strictjson.Empty:
		return nil, errors.New("the answer is empty")
	case strings.TrimLeft(text, " \t\r\n")[0] != '{':
		return nil, errors.New("the answer is not a JSON object")
	case err != nil && wrong.Kind == strictjson.Trailing:
		return nil, errors.New("the answer is more than one JSON object")
	case err != nil:
		return nil, errors.New("the answer is not whole JSON")
	}
	members, _ := document.Members()
	fields := make(map[string]strictjson.Value, len(members))
	for _, m := range members {
		if m.Twice {
			return nil, fmt.Errorf("the answer has %q twice", cleaner{}.text(m.Name, maxQuote))
		}
		fields[m.Name] = m.Value
	}
	return fields, nil
}

// content gives a string without its quotation marks, and the JSON of any other value.
func content(v strictjson.Value) string {
	if text, isText := v.Text(); isText {
		return text
	}
	return v.String()
}

// number reads a finite number, or one in a string; nil for anything else.
func number(v strictjson.Value) *float64 {
	n, err := endpoint.ParseDecimal(strings.TrimSpace(content(v)))
	if err != nil {
		return nil
	}
	return new(n + 0) // + 0 turns -0 into 0
}

// defect says why a ballot can't be counted; empty: it can. Ballots of [ParseBallot]
// always can, but a [Provider] may bring one of another origin.
func (b Ballot) defect() string {
	switch {
	case !slices.Contains(signal.Decisions[:], b.Decision):
		return "a decision that is none of BUY, SELL, HOLD"
	case !(b.Confidence >= 0 && b.Confidence <= 1):
		return "a confidence outside 0…1"
	}
	return ""
}

// tidied gives b as ParseBallot would: optional fields with a wrong value are nil, and the
// reasoning is cleaned.
func (b Ballot) tidied() Ballot {
	b.Confidence += 0
	b.Reasoning = cleaner{}.text(b.Reasoning, maxReasoning)
	if b.RiskLevel != nil && !slices.Contains([]signal.RiskLevel{signal.Low, signal.Medium, signal.High}, *b.RiskLevel) {
		b.RiskLevel = nil
	}
	for _, level := range [...]**float64{&b.StopLoss, &b.TakeProfit} {
		if *level != nil && (math.IsNaN(**level) || math.IsInf(**level, 0)) {
			*level = nil
		}
	}
	return b
}
