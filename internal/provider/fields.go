package provider

// Fields reads JSON of which the form is not certain: usage figures and error
// bodies. What is missing or of another form is nothing, never an error.

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"thalas/internal/endpoint"
)

// Fields is any JSON value. The zero Fields is none.
type Fields struct{ value any }

// parseFields reads a whole body; the zero Fields where it is not JSON.
func parseFields(body []byte) (f Fields) {
	if json.Valid(body) {
		_ = f.UnmarshalJSON(body)
	}
	return f
}

// UnmarshalJSON takes whatever stands there: it never gives an error, so that a
// field of another form than expected does not spoil the fields around it.
func (f *Fields) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // 1e999 is not to spoil its neighbours either
	f.value = nil
	_ = decoder.Decode(&f.value)
	return nil
}

// At follows a path such as "prompt_tokens_details.cached_tokens" into objects.
func (f Fields) At(path string) Fields {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := f.value.(map[string]any)
		f = Fields{object[name]}
	}
	return f
}

// IsNone reports whether there is nothing, or null.
func (f Fields) IsNone() bool { return f.value == nil }

// list gives the members of an array.
func (f Fields) list() []Fields {
	values, _ := f.value.([]any)
	members := make([]Fields, len(values))
	for i, value := range values {
		members[i] = Fields{value}
	}
	return members
}

// text gives a string, and "" for anything else.
func (f Fields) text() string {
	text, _ := f.value.(string)
	return text
}

// Number gives a finite number, or one that stands in a string; NaN for anything
// else, so that it makes every sum that it is part of unknown.
func (f Fields) Number() float64 {
	text := f.text()
	if number, is := f.value.(json.Number); is {
		text = number.String()
	}
	n, err := endpoint.ParseDecimal(strings.TrimSpace(text))
	if err != nil {
		return math.NaN()
	}
	return n
}

// Count is Number for figures that are left out where they are 0.
func (f Fields) Count() float64 {
	if f.IsNone() {
		return 0
	}
	return f.Number()
}

// TokenUsage is the usage of an answer: unknown where input or output is no whole
// number. Cached tokens that can't be read count as none, which makes the cost an
// upper bound.
func TokenUsage(input, cached, output float64) Usage {
	if !isTokens(input) || !isTokens(output) {
		return Usage{}
	}
	if !isTokens(cached) {
		cached = 0
	}
	return Usage{Known: true, InputTokens: int(input), CachedTokens: int(cached), OutputTokens: int(output)}
}

func isTokens(n float64) bool { return n >= 0 && n <= maxTokens && n == math.Trunc(n) }
