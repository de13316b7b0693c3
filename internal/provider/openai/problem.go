package openai

// The error bodies: OpenAI's, whose error is an object, and xAI's, whose error is
// a string beside a code. Gateways in front of either send any of them.

import "encoding/json"

type apiError struct {
	Message string
	Code    string
	Type    string
}

// is reports whether word is the error's code or its type.
func (e apiError) is(word string) bool { return e.Code == word || e.Type == word }

// readError reads what it can of an error body.
func readError(body []byte) apiError {
	var outer struct {
		Code  json.RawMessage `json:"code"`
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return apiError{}
	}
	var inner struct {
		Message json.RawMessage `json:"message"`
		Code    json.RawMessage `json:"code"`
		Type    json.RawMessage `json:"type"`
	}
	if json.Unmarshal(outer.Error, &inner) != nil {
		return apiError{Message: text(outer.Error), Code: text(outer.Code)}
	}
	return apiError{Message: text(inner.Message), Code: text(inner.Code), Type: text(inner.Type)}
}

// text gives a JSON string's content, and nothing for anything else: code may be
// null or a number.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
