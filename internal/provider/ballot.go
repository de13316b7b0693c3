package provider

// The one parser of what models say. No strict mode guarantees ranges or the
// case of words, so everything is checked here, and what is in doubt is refused:
// there is money behind a vote.

import (
	"errors"
	"fmt"
	"strings"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// maxQuote is how much of a wrong value an error quotes, in characters.
const maxQuote = 40

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
	var b Ballot
	if b.Decision, err = fields.decision(clean); err != nil {
		return Ballot{}, err
	}
	if b.Confidence, err = fields.confidence(clean); err != nil {
		return Ballot{}, err
	}
	if b.Reasoning, err = fields.reasoning(clean); err != nil {
		return Ballot{}, err
	}
	if word, ok := fields["risk_level"].Text(); ok {
		if level, err := signal.ParseRiskLevel(strings.TrimSpace(word)); err == nil {
			b.RiskLevel = &level
		}
	}
	b.StopLoss = level(fields["stop_loss"])
	b.TakeProfit = level(fields["take_profit"])
	return b, nil
}

// ballot is the fields of an object as they were written.
type ballot map[string]strictjson.Value

// ballotFields reads exactly one object. encoding/json's own way into a struct
// would take the last of two equal keys, and keys in another case.
func ballotFields(text string) (ballot, error) {
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
	fields := make(ballot, len(members))
	for _, m := range members {
		if m.Twice {
			return nil, fmt.Errorf("the answer has %q twice", cleaner{}.text(m.Name, maxQuote))
		}
		fields[m.Name] = m.Value
	}
	return fields, nil
}

func (f ballot) decision(clean cleaner) (signal.Decision, error) {
	raw, err := f.required("decision")
	if err != nil {
		return "", err
	}
	word, ok := raw.Text()
	if !ok {
		return "", fmt.Errorf("decision is %s and not text", clean.quote(raw))
	}
	decision, err := signal.ParseDecision(strings.TrimSpace(word))
	if err != nil {
		return "", fmt.Errorf("decision %s is none of BUY, SELL, HOLD", clean.quote(raw))
	}
	return decision, nil
}

func (f ballot) confidence(clean cleaner) (float64, error) {
	raw, err := f.required("confidence")
	if err != nil {
		return 0, err
	}
	n, ok := numberOf(raw)
	if !ok {
		return 0, fmt.Errorf("confidence is %s and not a number", clean.quote(raw))
	}
	if n < 0 || n > 1 {
		return 0, fmt.Errorf("confidence %s is outside 0…1", clean.quote(raw))
	}
	return n, nil
}

func (f ballot) reasoning(clean cleaner) (string, error) {
	raw, err := f.required("reasoning")
	if err != nil {
		return "", err
	}
	text, ok := raw.Text()
	if !ok {
		return "", fmt.Errorf("reasoning is %s and not text", clean.quote(raw))
	}
	if text = clean.text(text, maxReasoning); text == "" {
		return "", errors.New("reasoning is empty")
	}
	return text, nil
}

func (f ballot) required(name string) (strictjson.Value, error) {
	raw := f[name]
	if raw.IsNull() {
		return raw, fmt.Errorf("%s is missing", name)
	}
	return raw, nil
}

func level(raw strictjson.Value) *float64 {
	n, ok := numberOf(raw)
	if !ok {
		return nil
	}
	return &n
}

// numberOf reads a finite number, or one that stands in a string.
func numberOf(raw strictjson.Value) (float64, bool) {
	text, ok := raw.Text()
	if !ok {
		text = raw.String()
	}
	n, err := endpoint.ParseDecimal(strings.TrimSpace(text))
	return n + 0, err == nil // + 0: there is no -0
}

// quote gives a wrong value as an error may show it.
func (c cleaner) quote(raw strictjson.Value) string {
	text, ok := raw.Text()
	if !ok {
		text = raw.String()
	}
	return fmt.Sprintf("%q", c.text(text, maxQuote))
}
