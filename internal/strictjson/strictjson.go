// Package strictjson reads JSON that comes from outside: request bodies, watch lists,
// secrets, the answers of models. It validates a document once, and then gives its parts as
// they were sent: members in their order, names that occur twice, the digits of numbers. It
// does not know what a document means, and imports only the standard library.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	MaxDepth     = 32     // the deepest nesting of objects and lists that [Parse] accepts
	lenientDepth = 10_000 // the same of [ParseLenient] and encoding/json
)

// Kind says what is wrong with a document.
type Kind int

// The kinds of mistakes.
const (
	Syntax   Kind = iota // it is not JSON
	Empty                // it has nothing but white space
	NotUTF8              // it has bytes that are not UTF-8
	TooDeep              // it is nested deeper than MaxDepth
	NaN                  // it has NaN or Infinity in the place of a value
	Trailing             // something follows the first value
)

// NoNaN is the message for NaN and Infinity. Python's json writes them, and an indicator is
// NaN until it has enough candles.
const NoNaN = "JSON has no NaN: send null or leave the key out"

// Error says why a document can't be read. Its text quotes at most one character of the
// document, apart from Place.
type Error struct {
	Kind         Kind
	Place        string // only of NaN, such as .market_data.closes[3]
	Line, Column int    // only of Syntax, NaN and Trailing; they begin at 1
	text         string
}

func (e *Error) Error() string { return e.text }

// Parse validates a document: it must be JSON in UTF-8, with at most MaxDepth levels of
// nesting, and without a byte order mark, see [WithoutBOM]. The error is an *Error.
func Parse[T string | []byte](document T) (Value, error) {
	text := string(document)
	if !utf8.ValidString(text) {
		at := 0
		for r, size := utf8.DecodeRuneInString(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(text[at:]) {
			at += size
		}
		return Value{}, &Error{Kind: NotUTF8, text: fmt.Sprintf("it is not UTF-8 at byte %d", at)}
	}
	return validate(text, MaxDepth)
}

// ParseLenient is [Parse] for documents of which only some parts matter. It accepts any bytes
// in texts, and any depth that encoding/json accepts.
func ParseLenient[T string | []byte](document T) (Value, error) {
	return validate(string(document), lenientDepth)
}

// WithoutBOM gives a document without the byte order mark that some editors and shells on
// Windows write, and that encoding/json refuses.
func WithoutBOM(document []byte) []byte { return bytes.TrimPrefix(document, []byte("\ufeff")) }

func validate(text string, maxDepth int) (Value, error) {
	p := validator{text: text, maxDepth: maxDepth, bad: len(text)}
	start := p.blanks(0)
	if start == len(text) {
		return Value{}, &Error{Kind: Empty, text: "it is empty"}
	}
	end := p.value(start, 0)
	if end >= 0 && p.blanks(end) == len(text) {
		return Value{text[start:end]}, nil
	}
	return Value{}, p.error(end >= 0)
}

// error says what stopped the validator. whole says that the first value is complete.
func (p *validator) error(whole bool) *Error {
	e := &Error{Kind: Syntax}
	switch {
	case p.tooDeep && p.maxDepth == MaxDepth:
		return &Error{Kind: TooDeep, text: fmt.Sprintf("it is nested deeper than %d levels", MaxDepth)}
	case !whole && isNaN(p.text[p.bad:]):
		e.Kind, e.Place = NaN, p.place
	case whole:
		e.Kind = Trailing
	}
	var document json.RawMessage
	err := json.Unmarshal([]byte(p.text), &document) // for its text
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		e.text = "it is not JSON" // not reached: encoding/json refuses the same documents
		return e
	}
	before := p.text[:min(int(syntax.Offset), len(p.text))]
	e.Line, e.Column = 1+strings.Count(before, "\n"), len(before)-1-strings.LastIndexByte(before, '\n')
	if e.text = NoNaN; e.Kind != NaN {
		e.text = fmt.Sprintf("%v (line %d, column %d)", err, e.Line, e.Column)
	}
	return e
}

// isNaN reports whether text begins with NaN or Infinity, as different programs write them.
func isNaN(text string) bool {
	text = strings.TrimLeft(text, "+-")
	end := strings.IndexFunc(text, func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') })
	if end < 0 {
		end = len(text)
	}
	switch strings.ToLower(text[:end]) {
	case "nan", "inf", "infinity":
		return true
	}
	return false
}

// validator checks a text against the grammar of RFC 8259. Its methods give the end of what
// begins at a place, or -1 if it is not there.
type validator struct {
	text     string
	maxDepth int
	tooDeep  bool
	bad      int    // where something that is not a value begins in the place of one; else the end
	place    string // of bad, as in Error
}

func (p *validator) blanks(at int) int {
	for at < len(p.text) && isBlank(p.text[at]) {
		at++
	}
	return at
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// at gives the byte at a place, or 0 at the end, which JSON does not contain.
func (p *validator) at(at int) byte {
	if at < len(p.text) {
		return p.text[at]
	}
	return 0
}

func (p *validator) value(at, depth int) int {
	switch c := p.at(at); {
	case c == '"':
		return p.quoted(at)
	case c == '{', c == '[':
		if depth == p.maxDepth {
			p.tooDeep = true
			return -1
		}
		return p.nested(at, depth+1)
	case c == '-', '0' <= c && c <= '9':
		if end := p.number(at); end >= 0 {
			return end
		}
	default:
		for _, word := range [...]string{"true", "false", "null"} {
			if strings.HasPrefix(p.text[min(at, len(p.text)):], word) {
				return at + len(word)
			}
		}
	}
	p.bad = min(at, len(p.text))
	return -1
}

// nested reads an object or a list.
func (p *validator) nested(at, depth int) int {
	isObject, closing := p.text[at] == '{', p.text[at]+2 // ] follows [ by two in ASCII, and so } follows {
	if at = p.blanks(at + 1); p.at(at) == closing {
		return at + 1
	}
	for index := 0; ; index++ {
		var name string
		if isObject {
			end := p.quoted(at)
			if end < 0 {
				return -1
			}
			name = p.text[at:end]
			if at = p.blanks(end); p.at(at) != ':' {
				return -1
			}
			at = p.blanks(at + 1)
		}
		if at = p.value(at, depth); at < 0 {
			step := "[" + strconv.Itoa(index) + "]"
			if isObject {
				text, _ := Value{name}.Text()
				step = "." + Cut(text, maxQuoted)
			}
			p.place = step + p.place
			return -1
		}
		switch at = p.blanks(at); p.at(at) {
		case closing:
			return at + 1
		case ',':
			at = p.blanks(at + 1)
		default:
			return -1
		}
	}
}

func (p *validator) quoted(at int) int {
	if p.at(at) != '"' {
		return -1
	}
	for at++; at < len(p.text); at++ {
		switch c := p.text[at]; {
		case c == '"':
			return at + 1
		case c < ' ':
			return -1
		case c == '\\':
			at++
			if p.at(at) != 'u' {
				if strings.IndexByte(`"\/bfnrt`, p.at(at)) < 0 {
					return -1
				}
				continue
			}
			for range 4 {
				at++
				if c := p.at(at); (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
					return -1
				}
			}
		}
	}
	return -1
}

// IsNumber reports whether a text is a JSON number.
func IsNumber(text string) bool { return (&validator{text: text}).number(0) == len(text) }

func (p *validator) number(at int) int {
	if p.at(at) == '-' {
		at++
	}
	whole := at
	if at = p.digits(at); at == whole || at > whole+1 && p.text[whole] == '0' {
		return -1
	}
	if p.at(at) == '.' {
		fraction := at + 1
		if at = p.digits(fraction); at == fraction {
			return -1
		}
	}
	if p.at(at)|0x20 != 'e' {
		return at
	}
	if at++; p.at(at) == '+' || p.at(at) == '-' {
		at++
	}
	exponent := at
	if at = p.digits(at); at == exponent {
		return -1
	}
	return at
}

func (p *validator) digits(at int) int {
	for at < len(p.text) && '0' <= p.text[at] && p.text[at] <= '9' {
		at++
	}
	return at
}
