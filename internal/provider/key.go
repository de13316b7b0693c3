package provider

// API keys that can't be printed by accident.

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Key is a provider's API key. Printing, logging or marshalling it in any way gives a
// placeholder; only Reveal gives the key, for the one header that needs it.
type Key struct {
	// A pointer, because fmt prints the unexported fields of a struct around a Key
	// without calling its methods, but follows no pointer there.
	secret *string
}

const redacted = "[redacted]"

// NewKey wraps a key.
func NewKey(secret string) Key { return Key{&secret} }

// ParseKey reads a key as people write it down: it drops white space around it and one
// pair of quotation marks. A key consists of visible ASCII characters without quotation
// marks; any other character would break a header, or was copied by mistake.
func ParseKey(text string) (Key, error) {
	text = Unquoted(text)
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\'' {
			return Key{}, errors.New("has a space, a line break, a quotation mark or another character that no key has: set it to the key alone")
		}
	}
	return NewKey(text), nil
}

// Unquoted drops white space around a text and then one pair of quotation marks, such as
// an env file has them that no shell has read: "sk-1" or 'sk-1'. A text with the same
// mark inside stays as it is.
func Unquoted(text string) string {
	text = strings.TrimSpace(text)
	for _, mark := range [...]string{`"`, "'"} {
		if inner, found := strings.CutPrefix(text, mark); found {
			if inner, found = strings.CutSuffix(inner, mark); found && !strings.Contains(inner, mark) {
				return strings.TrimSpace(inner)
			}
		}
	}
	return text
}

// IsSet reports whether there is a key.
func (k Key) IsSet() bool { return k.Reveal() != "" }

// Reveal gives the key itself.
func (k Key) Reveal() string {
	if k.secret == nil {
		return ""
	}
	return *k.secret
}

// Format gives a placeholder for every verb of fmt.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String gives a placeholder.
func (k Key) String() string { return redacted }

// MarshalText gives a placeholder, for JSON and other encodings.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives a placeholder, for slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
