package provider

// The one parser of what models say. No strict mode guarantees ranges or the
// case of words, so everything is checked here, and what is in doubt is refused:
// there is money behind a vote.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
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
	if word, ok := textOf(fields["risk_level"]); ok {
		if level, err := signal.ParseRiskLevel(strings.TrimSpace(word)); err == nil {
			b.RiskLevel = &level
		}
	}
	b.StopLoss = level(fields["stop_loss"])
	b.TakeProfit = level(fields["take_profit"])
	return b, nil
}

// ballot is the fields of an object as they were written.
type ballot map[string]json.RawMessage

// ballotFields reads exactly one object. encoding/json's own way into a struct
// would take the last of two equal keys, and keys in another case; its way by
// tokens costs more than the rest of the parser.
func ballotFields(text string) (ballot, error) {
	data := bytes.Trim([]byte(text), jsonSpace)
	switch {
	case len(data) == 0:
		return nil, errors.New("the answer is empty")
	case data[0] != '{':
		return nil, errors.New("the answer is not a JSON object")
	case !json.Valid(data):
		var first json.RawMessage
		if json.NewDecoder(bytes.NewReader(data)).Decode(&first) == nil {
			return nil, errors.New("the answer is more than one JSON object")
		}
		return nil, errors.New("the answer is not whole JSON")
	}
	fields := make(ballot, 8)
	// What follows relies on data being valid: { key : value , key : value }
	for rest := bytes.TrimLeft(data[1:], jsonSpace); rest[0] != '}'; rest = bytes.TrimLeft(rest, jsonSpace+",") {
		var key, value json.RawMessage
		key, rest = cutValue(rest)
		value, rest = cutValue(bytes.TrimLeft(rest, jsonSpace+":"))
		name, _ := textOf(key)
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("the answer has %q twice", cleaner{}.text(name, maxQuote))
		}
		fields[name] = value
	}
	return fields, nil
}

const jsonSpace = " \t\r\n"

// cutValue cuts the first value off valid JSON.
func cutValue(data []byte) (value json.RawMessage, rest []byte) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			// A literal or a number ends where something else begins.
			if depth > 0 || i+1 < len(data) && strings.IndexByte(jsonSpace+",}]", data[i+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return data[:i+1], data[i+1:]
		}
	}
	return data, nil // unreachable: the data is valid
}

func (f ballot) decision(clean cleaner) (signal.Decision, error) {
	raw, err := f.required("decision")
	if err != nil {
		return "", err
	}
	word, ok := textOf(raw)
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
	text, ok := textOf(raw)
	if !ok {
		return "", fmt.Errorf("reasoning is %s and not text", clean.quote(raw))
	}
	if text = clean.text(text, maxReasoning); text == "" {
		return "", errors.New("reasoning is empty")
	}
	return text, nil
}

func (f ballot) required(name string) (json.RawMessage, error) {
	raw, ok := f[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		return nil, fmt.Errorf("%s is missing", name)
	}
	return raw, nil
}

func level(raw json.RawMessage) *float64 {
	n, ok := numberOf(raw)
	if !ok {
		return nil
	}
	return &n
}

// numberOf reads a finite number, or one that stands in a string.
func numberOf(raw json.RawMessage) (float64, bool) {
	text, ok := textOf(raw)
	if !ok {
		text = string(raw)
	}
	n, err := endpoint.ParseDecimal(strings.TrimSpace(text))
	return n + 0, err == nil // + 0: there is no -0
}

func textOf(raw json.RawMessage) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if body := raw[1 : len(raw)-1]; bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return string(body), true
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// quote gives a wrong value as an error may show it.
func (c cleaner) quote(raw []byte) string {
	text, ok := textOf(raw)
	if !ok {
		text = string(raw)
	}
	return fmt.Sprintf("%q", c.text(text, maxQuote))
}
