package simulator

// Reading a request's JSON by hand: the checks want to tell a missing field from
// a wrong one and to see the fields that nobody asked for.

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

// fields is a JSON object; numbers in it are json.Number.
type fields map[string]any

// parseFields reads one JSON object and nothing behind it.
func parseFields(body []byte) (fields, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
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

// unknown gives the first name that is not among known, in alphabetical order.
func (f fields) unknown(known ...string) (string, bool) {
	for _, name := range sortedKeys(f) {
		if !slices.Contains(known, name) {
			return name, true
		}
	}
	return "", false
}

// text gives a string that is not empty.
func (f fields) text(name string) (string, bool) {
	text, ok := f[name].(string)
	return text, ok && text != ""
}

// object gives an object; nil, false where there is none.
func (f fields) object(name string) (fields, bool) {
	object, ok := f[name].(map[string]any)
	return object, ok
}

// objects gives a list of objects that is not empty.
func (f fields) objects(name string) ([]fields, bool) {
	list, ok := f[name].([]any)
	objects := make([]fields, len(list))
	for i, item := range list {
		if objects[i], ok = item.(map[string]any); !ok {
			return nil, false
		}
	}
	return objects, ok && len(objects) > 0
}

// positive gives a whole number from 1 up.
func (f fields) positive(name string) (int, bool) {
	number, _ := f[name].(json.Number)
	n, err := strconv.Atoi(string(number))
	return n, err == nil && n >= 1
}

// number gives any number.
func (f fields) number(name string) (float64, bool) {
	number, _ := f[name].(json.Number)
	x, err := number.Float64()
	return x, err == nil
}

// has reports whether the field is there, even as null.
func (f fields) has(name string) bool {
	_, ok := f[name]
	return ok
}

// joinText reads text that may be a string or a list of {text: …} parts.
func joinText(value any) (string, bool) {
	if text, ok := value.(string); ok {
		return text, text != ""
	}
	parts, ok := fields{"parts": value}.objects("parts")
	if !ok {
		return "", false
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		if texts[i], ok = part.text("text"); !ok {
			return "", false
		}
	}
	return strings.Join(texts, "\n"), true
}

// joined puts the text of one more message on a line of its own.
func joined(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n" + text
}

// reshape decodes a JSON object, changes it and encodes it again.
func reshape(object []byte, change func(map[string]any)) []byte {
	f, err := parseFields(object)
	if err != nil {
		panic(fmt.Sprintf("simulator: its own answer is not an object: %v", err)) // not reached
	}
	change(f)
	return encode(f)
}

// encode writes what the simulator made itself, which always can be written.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("simulator: its own answer cannot be written: %v", err)) // not reached
	}
	return data
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
