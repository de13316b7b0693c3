// Package strictjson reads JSON that comes from outside: request bodies, watch lists,
// secrets, the answers of models. It proves a document once, and then gives its parts
// as they were sent: members in their order, names that are there twice, the digits of
// numbers. It knows nothing of what a document means, and imports only the standard
// library.
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

// MaxDepth is how many objects and lists may be open at one place of a document that
// [Parse] accepts. It is far more than any document here needs.
const MaxDepth = 32

// deepest is what encoding/json accepts.
const deepest = 10_000

// Kind says what is wrong with a document.
type Kind int

// The kinds of mistakes.
const (
	Syntax   Kind = iota // it is not JSON
	Empty                // it holds nothing but white space
	NotUTF8              // it holds bytes that are no UTF-8
	TooDeep              // it is nested deeper than MaxDepth
	NaN                  // a bare NaN or Infinity stands where a value belongs
	Trailing             // something follows the first value
)

// NoNaN is what a sender of NaN or Infinity is told. Python's json writes them, and an
// indicator is NaN while it warms up.
const NoNaN = "JSON has no NaN: send null or leave the key out"

// Error says why a document can't be read. Its text may quote one character of the
// document, and never more.
type Error struct {
	Kind         Kind
	Place        string // of a NaN: .market_data.closes[3]
	Line, Column int    // of a Syntax, NaN or Trailing mistake, from 1
	text         string
}

func (e *Error) Error() string { return e.text }

// Parse proves that a document is JSON in UTF-8 that is nested at most MaxDepth levels
// deep. A byte order mark is refused: [WithoutBOM] drops it. The error is an *Error.
func Parse[T string | []byte](document T) (Value, error) {
	text := string(document)
	if !utf8.ValidString(text) {
		at := 0
		for r, size := utf8.DecodeRuneInString(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(text[at:]) {
			at += size
		}
		return Value{}, &Error{Kind: NotUTF8, text: fmt.Sprintf("it is not UTF-8 at byte %d", at)}
	}
	return prove(text, MaxDepth)
}

// ParseLenient is [Parse] for documents of which only some parts matter: it accepts any
// bytes within texts and any depth that encoding/json accepts.
func ParseLenient[T string | []byte](document T) (Value, error) {
	return prove(string(document), deepest)
}

// WithoutBOM gives a document without the byte order mark that editors and shells on
// Windows put before it, and that encoding/json refuses.
func WithoutBOM(document []byte) []byte { return bytes.TrimPrefix(document, []byte("\ufeff")) }

func prove(text string, maxDepth int) (Value, error) {
	p := prover{text: text, maxDepth: maxDepth, bad: len(text)}
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

// error words what stopped the prover. The first value may be whole all the same.
func (p *prover) error(whole bool) *Error {
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
	err := json.Unmarshal([]byte(p.text), &document) // for its words
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		e.text = "it is not JSON" // not reached: encoding/json refuses what the prover refuses
		return e
	}
	before := p.text[:min(int(syntax.Offset), len(p.text))]
	e.Line, e.Column = 1+strings.Count(before, "\n"), len(before)-1-strings.LastIndexByte(before, '\n')
	if e.text = NoNaN; e.Kind != NaN {
		e.text = fmt.Sprintf("%v (line %d, column %d)", err, e.Line, e.Column)
	}
	return e
}

// isNaN reports whether text begins with what programs write for numbers that are none.
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

// prover holds a text against the grammar of RFC 8259. Its methods give where the thing
// ends that begins at a place; below 0, it is not there.
type prover struct {
	text     string
	maxDepth int
	tooDeep  bool
	bad      int    // where a value should begin that is none; the end where something else is wrong
	place    string // of the value that is none
}

func (p *prover) blanks(at int) int {
	for at < len(p.text) && isBlank(p.text[at]) {
		at++
	}
	return at
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// at gives the byte at a place; 0, which is nowhere in JSON, at the end.
func (p *prover) at(at int) byte {
	if at < len(p.text) {
		return p.text[at]
	}
	return 0
}

func (p *prover) value(at, depth int) int {
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

// nested is the end of an object or a list.
func (p *prover) nested(at, depth int) int {
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

func (p *prover) quoted(at int) int {
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
func IsNumber(text string) bool { return (&prover{text: text}).number(0) == len(text) }

func (p *prover) number(at int) int {
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

func (p *prover) digits(at int) int {
	for at < len(p.text) && '0' <= p.text[at] && p.text[at] <= '9' {
		at++
	}
	return at
}
