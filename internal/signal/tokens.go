package signal

// Walking the tokens of a JSON document: the part of json.Decoder.Token that is
// needed here, at a tenth of its time. Market data is most of what a request
// holds, and was most of what answering one cost.

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// WithoutBOM gives a JSON document without the byte order mark that editors and shells
// on Windows put before it, and no JSON library reads.
func WithoutBOM(document []byte) []byte { return bytes.TrimPrefix(document, []byte("\ufeff")) }

// tokens walks a document that newTokens has proved to be JSON, so that commas
// and colons are where they belong and can be passed over.
type tokens struct {
	text string
	at   int
}

// newTokens proves that data is one JSON document.
func newTokens(data []byte) (tokens, error) {
	if !json.Valid(data) {
		var document json.RawMessage
		return tokens{}, json.Unmarshal(data, &document) // for the reason
	}
	return tokens{text: string(data)}, nil
}

// more reports whether the object or list that is open has another member.
func (t *tokens) more() bool {
	t.skipBlanks()
	return t.at < len(t.text) && t.text[t.at] != '}' && t.text[t.at] != ']'
}

// next gives the next token: a json.Delim, a string, a json.Number, a bool or
// nil. There is one: the document was proved, and callers stop at its end.
func (t *tokens) next() json.Token {
	t.skipBlanks()
	start := t.at
	switch c := t.text[start]; c {
	case '{', '}', '[', ']':
		t.at++
		return json.Delim(c)
	case '"':
		return t.quoted()
	case 't':
		t.at += len("true")
		return true
	case 'f':
		t.at += len("false")
		return false
	case 'n':
		t.at += len("null")
		return nil
	}
	return t.digits()
}

// key gives the next token, which is the key of a member. Like numeral it saves what
// next allocates for each token.
func (t *tokens) key() string {
	t.skipBlanks()
	return t.quoted()
}

// numeral gives the next token where it is a number.
func (t *tokens) numeral() (text json.Number, is bool) {
	t.skipBlanks()
	if c := t.text[t.at]; c != '-' && (c < '0' || c > '9') {
		return "", false
	}
	return t.digits(), true
}

func (t *tokens) digits() json.Number {
	start := t.at
	for t.at < len(t.text) && strings.IndexByte("+-.eE0123456789", t.text[t.at]) >= 0 {
		t.at++
	}
	return json.Number(t.text[start:t.at])
}

// members bounds the number of members that the list has which was just opened, by
// what is between two of them, as far as the text goes on to end.
func (t *tokens) members(between, end string) int {
	inside, _, _ := strings.Cut(t.text[t.at:], end)
	return strings.Count(inside, between) + 1
}

// quoted reads a text. One with escapes, or that is not UTF-8, is left to
// encoding/json.
func (t *tokens) quoted() string {
	start := t.at
	escaped := false
	for t.at++; t.text[t.at] != '"'; t.at++ {
		if t.text[t.at] == '\\' {
			escaped = true
			t.at++
		}
	}
	t.at++
	if inner := t.text[start+1 : t.at-1]; !escaped && utf8.ValidString(inner) {
		return inner
	}
	var s string
	_ = json.Unmarshal([]byte(t.text[start:t.at]), &s) // can't fail: it is part of a proved document
	return s
}

func (t *tokens) skipBlanks() {
	for t.at < len(t.text) {
		switch t.text[t.at] {
		case ' ', '\t', '\n', '\r', ',', ':':
			t.at++
		default:
			return
		}
	}
}
