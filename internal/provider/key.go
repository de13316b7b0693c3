package provider

// A Key is an API key that cannot be printed by accident.

import (
	"fmt"
	"io"
	"log/slog"
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
