package api

// Mistakes as they are reported: place, what is wrong, and the scalar that was sent.

import (
	"bytes"
	"encoding/json"
	"strings"

	"thalas/internal/signal"
)

const maxValue = 100 // characters of a value that is told back

// isScalar reports whether raw JSON is neither an object nor a list.
func isScalar(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] != '{' && raw[0] != '['
}

// cutScalar gives a scalar as it was sent. What is too long is cut, and a cut
// number is a text. Nothing is told of objects and lists.
func cutScalar(raw json.RawMessage) json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if !isScalar(raw) {
		return nil
	}
	var text string
	if raw[0] == '"' {
		if json.Unmarshal(raw, &text) != nil {
			return nil // not reached: the body was read as JSON before
		}
		return scalarOf(text)
	}
	if len(raw) > maxValue {
		return scalarOf(string(raw))
	}
	return bytes.Clone(raw)
}

// scalarOf gives a text as a value.
func scalarOf(text string) json.RawMessage {
	raw, err := json.Marshal(cut(text, maxValue))
	if err != nil {
		return nil // not reached: any text can be written
	}
	return raw
}

// fieldMistakes places the mistakes of the packages below in the body.
func fieldMistakes(place string, errs signal.FieldErrors, valueAt func(field string) json.RawMessage) []Mistake {
	mistakes := make([]Mistake, 0, len(errs))
	for _, e := range errs {
		m := Mistake{Location: place, Message: e.Message}
		if e.Field != "" {
			m.Location += "." + cut(e.Field, 300)
		}
		if valueAt != nil {
			m.Value = valueAt(e.Field)
		}
		switch {
		case m.Value != nil || e.Value == "":
		case isScalar(json.RawMessage(e.Value)) && json.Valid([]byte(e.Value)):
			m.Value = json.RawMessage(e.Value)
		default:
			m.Value = scalarOf(e.Value)
		}
		mistakes = append(mistakes, m)
	}
	return mistakes
}

// nearest gives the known name that a name was probably meant to be; empty where
// none is close.
func nearest(name string, known []string) string {
	name = strings.ToLower(name)
	if len(name) > 2*maxValue {
		return ""
	}
	best, least := "", max(2, len(name)/3)+1
	for _, candidate := range known {
		if d := signal.EditDistance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// unknownName says that a name is none of the known ones.
func unknownName(what, name string, known []string) string {
	message := "is no " + what + ": "
	if near := nearest(name, known); near != "" {
		message += `did you mean "` + near + `"? `
	}
	return message + "Known are " + strings.Join(known, ", ")
}
