package api

// Mistakes as they are reported: place, what is wrong, and the scalar that was sent.

import (
	"encoding/json"

	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

const maxValue = 100 // characters of a value that is told back

// cutScalar gives a scalar as it was sent. What is too long is cut, and a cut
// number is a text. Nothing is told of objects and lists.
func cutScalar(v strictjson.Value) json.RawMessage {
	text, isText := v.Text()
	switch {
	case !v.IsScalar():
		return nil
	case isText:
		return scalarOf(text)
	case len(v.String()) > maxValue:
		return scalarOf(v.String())
	}
	return json.RawMessage(v.String())
}

// scalarOf gives a text as a value.
func scalarOf(text string) json.RawMessage {
	raw, err := json.Marshal(strictjson.Cut(text, maxValue))
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
			m.Location += "." + strictjson.Cut(e.Field, 300)
		}
		if valueAt != nil {
			m.Value = valueAt(e.Field)
		}
		if m.Value == nil && e.Value != "" {
			if v, err := strictjson.Parse(e.Value); err == nil && v.IsScalar() {
				m.Value = cutScalar(v)
			} else {
				m.Value = scalarOf(e.Value)
			}
		}
		mistakes = append(mistakes, m)
	}
	return mistakes
}
