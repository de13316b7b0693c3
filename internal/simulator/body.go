package simulator

// The body of a question: reading it by hand, and the rules that it has to keep. They
// tell a missing field from a wrong one, and refuse fields that nobody knows.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// fields is a JSON object. Numbers in it are json.Number.
type fields = map[string]any

// parseFields reads one JSON object and nothing behind it.
func parseFields(body []byte) (fields, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object fields
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("null is not an object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return object, nil
}

// encode writes JSON of the simulator's own values, which can always be written.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("simulator: its own answer cannot be written: %v", err)) // unreachable
	}
	return data
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// at gives what is at a place such as output_config.effort, or nil.
func at(body fields, place string) (value any) {
	value, _ = find(body, place)
	return value
}

// find is at for places in which a ? marks a part that may be missing. If such a part is
// missing, applies is false.
func find(body fields, place string) (value any, applies bool) {
	value = body
	for part := range strings.SplitSeq(place, ".") {
		if part == "" { // the body itself
			continue
		}
		name, optional := strings.CutSuffix(part, "?")
		object, _ := value.(fields)
		var exists bool
		if value, exists = object[name]; !exists && optional {
			return nil, false
		}
	}
	return value, true
}

func textAt(body fields, place string) string {
	text, _ := at(body, place).(string)
	return text
}

func intAt(body fields, place string) int {
	number, _ := at(body, place).(json.Number)
	n, _ := strconv.Atoi(string(number))
	return n
}

func float(value any) (float64, bool) {
	number, _ := value.(json.Number)
	x, err := number.Float64()
	return x, err == nil
}

// prose reads a text that may be a string or a list of {text: …} parts. It is empty if
// the value is neither, or if a part has no text.
func prose(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	parts, _ := objects(value)
	texts := make([]string, len(parts))
	for i, part := range parts {
		if texts[i] = textAt(part, "text"); texts[i] == "" {
			return ""
		}
	}
	return strings.Join(texts, "\n")
}

// objects gives the objects of a list, and whether it has nothing else and at least one.
func objects(value any) ([]fields, bool) {
	list, _ := value.([]any)
	found := make([]fields, len(list))
	for i, item := range list {
		var ok bool
		if found[i], ok = item.(fields); !ok {
			return nil, false
		}
	}
	return found, len(found) > 0
}

// said joins the texts of the messages with one of the roles. key is where a message has
// its text.
func said(messages any, key string, roles ...any) string {
	var texts []string
	list, _ := objects(messages)
	for _, message := range list {
		if slices.Contains(roles, message["role"]) {
			texts = append(texts, prose(message[key]))
		}
	}
	return strings.Join(texts, "\n")
}

// rule is a demand on one place of a body.
type rule struct {
	at   string // as for find
	is   test
	says string // the refusal; %s in it stands for what the test gives
}

// test reports whether a value is right, and gives what to name in a refusal.
type test func(value any) (detail string, ok bool)

// check gives the refusal of the first rule that a body breaks, or nil.
func check(rules []rule, body fields) *problem {
	for _, r := range rules {
		value, applies := find(body, r.at)
		if !applies {
			continue
		}
		if detail, ok := r.is(value); !ok {
			param, _, _ := strings.Cut(strings.ReplaceAll(r.at, "?", ""), ".")
			if param == "" {
				param = detail
			}
			return bad(param, strings.ReplaceAll(r.says, "%s", detail))
		}
	}
	return nil
}

// only allows an object to have no other names. It gives the first other one.
func only(names ...string) test {
	return func(value any) (string, bool) {
		object, _ := value.(fields)
		for _, name := range sortedKeys(object) {
			if !slices.Contains(names, name) {
				return name, false
			}
		}
		return "", true
	}
}

func oneOf(values ...any) test {
	return func(value any) (string, bool) { return "", slices.Contains(values, value) }
}

func never(any) (string, bool) { return "", false }

func isText(value any) (string, bool) {
	text, _ := value.(string)
	return "", text != ""
}

func isProse(value any) (string, bool) { return "", prose(value) != "" }

func isObject(value any) (string, bool) {
	_, ok := value.(fields)
	return "", ok
}

func isList(value any) (string, bool) {
	_, ok := objects(value)
	return "", ok
}

// isCount is a whole number from 1.
func isCount(value any) (string, bool) {
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(string(number))
	return "", err == nil && n >= 1
}

// messages demands of each message a text at key and one of the roles. It gives the index
// of the first that is wrong.
func messages(key string, roles ...any) test {
	return func(value any) (string, bool) {
		list, _ := objects(value)
		for i, message := range list {
			if prose(message[key]) == "" || !slices.Contains(roles, message["role"]) {
				return strconv.Itoa(i), false
			}
		}
		return "", true
	}
}

// refusedKeywords are constraints that at least one strict mode answers 400 to.
var refusedKeywords = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"}

// strictSchema demands a JSON schema that all four strict modes accept. place is the name
// of the schema in a refusal.
func strictSchema(place string) test {
	return func(value any) (string, bool) {
		complaint := checkSchema(value, place)
		return complaint, complaint == ""
	}
}

// checkSchema reports the first thing in a schema that a strict mode refuses.
func checkSchema(schema any, place string) string {
	f, ok := schema.(fields)
	if !ok {
		return place + ": a JSON schema object is required"
	}
	for _, keyword := range refusedKeywords {
		if _, has := f[keyword]; has {
			return fmt.Sprintf("%s: property '%s' is not supported", place, keyword)
		}
	}
	properties, hasProperties := f["properties"].(fields)
	required, _ := f["required"].([]any)
	switch {
	case f["type"] != "object":
		properties = nil
	case f["additionalProperties"] != false:
		return place + ": 'additionalProperties' is required to be supplied and to be false"
	case !hasProperties:
		return place + ": 'properties' is required"
	}
	for _, name := range sortedKeys(properties) {
		if !slices.Contains(required, any(name)) {
			return fmt.Sprintf("%s: 'required' must include every property; '%s' is missing", place, name)
		}
		if complaint := checkSchema(properties[name], place+".properties."+name); complaint != "" {
			return complaint
		}
	}
	choices, _ := objects(f["anyOf"])
	for i, choice := range choices {
		if complaint := checkSchema(choice, fmt.Sprintf("%s.anyOf[%d]", place, i)); complaint != "" {
			return complaint
		}
	}
	if items, has := f["items"]; has {
		return checkSchema(items, place+".items")
	}
	return ""
}
