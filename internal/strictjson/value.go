package strictjson

// Values of a valid document, and walking through one.

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Value is one value of a valid document as it was sent. The zero Value is absent. It shares
// the memory of the whole document.
type Value struct{ text string }

// String gives the JSON of the value.
func (v Value) String() string { return v.text }

// IsNull reports whether the value is null or absent.
func (v Value) IsNull() bool { return v.text == "" || v.text == "null" }

// IsScalar reports whether the value is present and is neither an object nor a list.
func (v Value) IsScalar() bool { return v.text != "" && v.text[0] != '{' && v.text[0] != '[' }

// Scalar gives the JSON of the value, or "" for an object, a list or an absent value.
func (v Value) Scalar() string {
	if !v.IsScalar() {
		return ""
	}
	return v.text
}

// Kind gives the first byte of the value: one of { [ " t f n - or a digit, and 0 if the value
// is absent.
func (v Value) Kind() byte {
	if v.text == "" {
		return 0
	}
	return v.text[0]
}

// Number gives the digits of a number.
func (v Value) Number() (digits string, is bool) {
	if !isNumeral(v.Kind()) {
		return "", false
	}
	return v.text, true
}

func isNumeral(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// Text gives the text of a string. Escapes, and bytes that are not UTF-8, are read as
// encoding/json reads them.
func (v Value) Text() (text string, is bool) {
	if v.Kind() != '"' {
		return "", false
	}
	if inner := v.text[1 : len(v.text)-1]; strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
		return inner, true
	}
	return v.unquoted(), true
}

// unquoted is a function of its own so that the result of Text stays off the heap.
func (v Value) unquoted() (text string) {
	_ = v.Decode(&text) // can't fail for a string of a valid document
	return text
}

// Decode reads the value into a Go value, as [json.Unmarshal] does.
func (v Value) Decode(into any) error { return json.Unmarshal([]byte(v.text), into) }

// Member is a name of an object with its value.
type Member struct {
	Name  string
	Value Value
	Twice bool // an earlier member has the same name
}

// Members gives the members of an object in their order.
func (v Value) Members() (members []Member, isObject bool) {
	if v.Kind() != '{' {
		return nil, false
	}
	members, seen := make([]Member, 0, 8), map[string]bool{}
	r := v.Reader()
	for r.Open(); r.More(); {
		m := Member{Name: r.Name(), Value: r.Value()}
		m.Twice = seen[m.Name]
		seen[m.Name] = true
		members = append(members, m)
	}
	return members, true
}

// Reader walks through a value. Kind tells what comes next:
//
//	for r.Open(); r.More(); { // an object
//		name, value := r.Name(), r.Value()
//	}
type Reader struct {
	text string
	at   int
}

// Reader gives a Reader at the beginning of the value.
func (v Value) Reader() Reader { return Reader{text: v.text} }

// Kind gives the first byte of the value that comes next, as [Value.Kind] does.
func (r *Reader) Kind() byte {
	r.skipBlanks()
	return r.text[r.at]
}

// Open steps into the object or list that comes next.
func (r *Reader) Open() {
	r.skipBlanks()
	r.at++
}

// More reports whether the open object or list has another member. If it has none, More
// steps out of it.
func (r *Reader) More() bool {
	r.skipBlanks()
	if c := r.text[r.at]; c != '}' && c != ']' {
		return true
	}
	r.at++
	return false
}

// Count gives an upper bound for the number of members of the list that was just opened, for
// allocating memory. It counts how often between occurs before end.
func (r *Reader) Count(between, end string) int {
	inside, _, _ := strings.Cut(r.text[r.at:], end)
	return strings.Count(inside, between) + 1
}

// Name gives the name of the next member of an object.
func (r *Reader) Name() string {
	name, _ := r.Value().Text()
	return name
}

// Value gives the next value, and steps over it.
func (r *Reader) Value() Value {
	r.skipBlanks()
	start := r.at
	p := validator{text: r.text, maxDepth: lenientDepth}
	r.at = p.value(start, 0)
	return Value{r.text[start:r.at]}
}

// skipBlanks steps over commas and colons too. In a valid document they are where they
// belong.
func (r *Reader) skipBlanks() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r', ',', ':':
			r.at++
		default:
			return
		}
	}
}
