package provider

// A Key is an API key that cannot be printed by accident.

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Key is a provider's API key. Every way of printing, logging or marshalling it
// gives a placeholder; only Reveal gives the key, for the one header that needs it.
type Key struct {
	// A pointer, because fmt prints the unexported fields of a struct around a
	// Key without asking its methods: it stops at an address.
	secret *string
}

const redacted = "[redacted]"

// NewKey wraps a key.
func NewKey(secret string) Key { return Key{&secret} }

// ParseKey reads a key as people write it down: white space around it and one pair
// of quotation marks are dropped. What would break a header or came along by copying is
// an error: the characters of real keys are visible ASCII without quotation marks.
func ParseKey(text string) (Key, error) {
	text = Unquoted(text)
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\'' {
			return Key{}, errors.New("has a space, a line break, a quotation mark or another character that no key has: set it to the key alone")
		}
	}
	return NewKey(text), nil
}

// Unquoted drops white space around a text and then one pair of quotation marks:
// "sk-1" and 'sk-1' are what a line of an env file gives that no shell has read. What
// has the same mark inside is left as it is.
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

// GoString gives a placeholder, for %#v.
func (k Key) GoString() string { return redacted }

// MarshalText gives a placeholder, for JSON and everything else that marshals.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives a placeholder, for slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
