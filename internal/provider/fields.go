package provider

// Reading JSON whose form is not certain: usage figures and error bodies. A value that is
// missing or has another form counts as none, and is never an error.

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"thalas/internal/endpoint"
)

// Fields is any JSON value. The zero Fields is none.
type Fields struct{ value any }

// UnmarshalJSON takes any value. It never gives an error, so that a field of an unexpected
// form does not spoil the fields around it.
func (f *Fields) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a number such as 1e999 must not be an error either
	f.value = nil
	_ = decoder.Decode(&f.value)
	return nil
}

// At gives the value at a path such as "prompt_tokens_details.cached_tokens".
func (f Fields) At(path string) Fields {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := f.value.(map[string]any)
		f = Fields{object[name]}
	}
	return f
}

// IsNone reports whether the value is missing or null.
func (f Fields) IsNone() bool { return f.value == nil }

// list gives the members of an array, and none for anything else.
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

// Number gives a finite number, or one in a string. It gives NaN for anything else, which
// makes every sum with it unknown.
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

// Count is Number for figures that a provider leaves out if they are 0.
func (f Fields) Count() float64 {
	if f.IsNone() {
		return 0
	}
	return f.Number()
}

// TokenUsage gives the usage of an answer. It is unknown if input or output is not a whole
// number. Cached tokens that can't be read count as none, so that the cost is an upper
// bound.
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
