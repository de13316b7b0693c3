package openai

// The dialects of OpenAI's wire format that other servers speak: what a configuration can say
// about one, and the table of presets.

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
)

// What a server can hold an answer to. The answer is checked in the same way for all of them.
const (
	JSONSchema = "json_schema" // the schema, in a field of the request
	JSONObject = "json_object" // any JSON object; the schema is in the prompt
	NoSchema   = "none"        // nothing; the schema is in the prompt
)

// What is done with thoughts before the vote.
const (
	Strip  = "strip"  // the text up to the last </think> is left out
	Reject = "reject" // they are part of the answer, which then is not a vote
)

// Dialect is how a server speaks the wire format.
type Dialect struct {
	Output         string `json:"structured_output"`
	MaxTokensField string `json:"max_tokens_field"`
	Thinking       string `json:"thinking"`
	Auth           Auth   `json:"auth"`
	Headers        Hidden `json:"headers"`    // further headers; every value is a string
	ExtraBody      Hidden `json:"extra_body"` // further fields of the request

	// Local says that the server runs on the user's own machine: it needs no key, costs
	// nothing, and may leave out the finish_reason of a complete answer.
	Local bool `json:"local"`
}

// Auth is the header that carries the key.
type Auth struct {
	Header string `json:"header"`
	Prefix string `json:"prefix"`
}

// Hidden is a JSON object that may hold secrets. Printing, logging or marshalling it gives a
// placeholder.
type Hidden map[string]any

const redacted = "[redacted]"

// Format gives a placeholder for every verb of fmt.
func (Hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON gives a placeholder.
func (Hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue gives a placeholder, for slog.
func (Hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// Merge gives h with the members of other, which win. Objects in both are merged too.
func (h Hidden) Merge(other map[string]any) Hidden {
	if len(other) == 0 {
		return h
	}
	merged := maps.Clone(h)
	if merged == nil {
		merged = Hidden{}
	}
	for name, value := range other {
		inner, isObject := value.(map[string]any)
		if before, both := merged[name].(map[string]any); both && isObject {
			value = map[string]any(Hidden(before).Merge(inner))
		}
		merged[name] = value
	}
	return merged
}

// Preset is a row of the table of presets.
type Preset struct {
	Dialect
	BaseURL string `json:"base_url"` // empty: the user has to give it
}

//go:embed presets.json
var presetRows []byte

// Presets has the dialects of known servers by name. The values must not be changed.
var Presets = readPresets(presetRows)

func readPresets(rows []byte) map[string]Preset {
	var presets map[string]Preset
	if err := json.Unmarshal(rows, &presets); err != nil {
		panic("presets.json: " + err.Error()) // unreachable: the tests read it
	}
	for name, p := range presets {
		p.Dialect = p.orDefault()
		presets[name] = p
	}
	return presets
}

// PresetNames lists the presets, sorted.
func PresetNames() []string { return slices.Sorted(maps.Keys(Presets)) }

// Custom is the dialect of a server without a preset. Nearly every server knows max_tokens;
// one that ignores the field would answer without a limit.
func Custom() Dialect { return Dialect{}.orDefault() }

func (d Dialect) orDefault() Dialect {
	d.Output, d.MaxTokensField = cmp.Or(d.Output, JSONSchema), cmp.Or(d.MaxTokensField, "max_tokens")
	d.Auth = cmp.Or(d.Auth, Auth{"Authorization", "Bearer "})
	if d.Local {
		d.Thinking = cmp.Or(d.Thinking, Strip)
	}
	d.Thinking = cmp.Or(d.Thinking, Reject)
	return d
}
