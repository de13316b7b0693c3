package strictjson

// Values of a proved document, and the walk through one.

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Value is one value of a proved document as it was sent. The zero Value is absent.
// It shares the memory of the whole document.
type Value struct{ text string }

// String gives the JSON of the value.
func (v Value) String() string { return v.text }

// IsNull reports whether the value is null or absent.
func (v Value) IsNull() bool { return v.text == "" || v.text == "null" }

// IsScalar reports whether the value is there and is neither an object nor a list.
func (v Value) IsScalar() bool { return v.text != "" && v.text[0] != '{' && v.text[0] != '[' }

// Scalar gives the JSON of the value; nothing where it is an object or a list.
func (v Value) Scalar() string {
	if !v.IsScalar() {
		return ""
	}
	return v.text
}

// Kind gives the first byte of the value: one of { [ " t f n - and the digits; 0 where
// it is absent.
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

// Text gives the text that a string stands for. Escapes, and bytes that are no UTF-8,
// are read as encoding/json reads them.
func (v Value) Text() (text string, is bool) {
	if v.Kind() != '"' {
		return "", false
	}
	if inner := v.text[1 : len(v.text)-1]; strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
		return inner, true
	}
	return v.unquoted(), true
}

// unquoted is apart from Text, whose results stay off the heap.
func (v Value) unquoted() (text string) {
	_ = v.Decode(&text) // can't fail: it is part of a proved document
	return text
}

// Decode reads the value as [json.Unmarshal] does.
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
	const few = 16 // names are compared faster than put into a map
	var seen map[string]bool
	members = make([]Member, 0, 8)
	r := v.Reader()
	for r.Open(); r.More(); {
		m := Member{Name: r.Name(), Value: r.Value()}
		if len(members) < few {
			m.Twice = slices.ContainsFunc(members, func(o Member) bool { return o.Name == m.Name })
		} else {
			if seen == nil {
				seen = make(map[string]bool, 2*few)
				for _, earlier := range members {
					seen[earlier.Name] = true
				}
			}
			m.Twice = seen[m.Name]
			seen[m.Name] = true
		}
		members = append(members, m)
	}
	return members, true
}

// Reader walks a value. Whoever walks knows what comes next by Kind:
//
//	for r.Open(); r.More(); { // an object
//		name, value := r.Name(), r.Value()
//	}
type Reader struct {
	text string
	at   int
}

// Reader walks the value from its beginning.
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

// More reports whether the object or list that is open has another member. Where it has
// none, More steps out of it.
func (r *Reader) More() bool {
	r.skipBlanks()
	if c := r.text[r.at]; c != '}' && c != ']' {
		return true
	}
	r.at++
	return false
}

// Count bounds the number of members of the list that was just opened, by what is
// between two of them, as far as the text goes on to end.
func (r *Reader) Count(between, end string) int {
	inside, _, _ := strings.Cut(r.text[r.at:], end)
	return strings.Count(inside, between) + 1
}

// Name gives the name of the next member of an object.
func (r *Reader) Name() string {
	name, _ := r.Value().Text()
	return name
}

// Value passes over the next value and gives it.
func (r *Reader) Value() Value {
	r.skipBlanks()
	start := r.at
	p := prover{text: r.text, maxDepth: deepest}
	r.at = p.value(start, 0)
	return Value{r.text[start:r.at]}
}

// skipBlanks passes over commas and colons too: the document was proved, so that they
// are where they belong.
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
