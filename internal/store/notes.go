package store

// Notes: what processes tell each other while they work. Only a store that several
// processes share has them.

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Notes hold short texts by key, one for each. Every write is conditional and atomic.
type Notes interface {
	// Note gives the note of a key as the last write that has returned left it. It is the
	// zero Note if there is none, or if it has expired.
	Note(ctx context.Context, key string) (Note, error)

	// Replace writes a note in the place of the one whose version is old. An empty old means
	// that the key must hold no note, or an expired one. If the key holds something else,
	// nothing is changed, and Replace gives ErrHeld and what the key holds: the zero Note
	// if that is nothing.
	Replace(ctx context.Context, key, old string, note Note) (current Note, err error)
}

// Note is a text that expires.
type Note struct {
	Version   string // no other note of the key ever had it
	Text      string
	ExpiresAt time.Time // required
}

// MaxNote is the most bytes of a note's text.
const MaxNote = 300 << 10

// Validate refuses a note on a key that could not be read back.
func (n Note) Validate(key string) error {
	err := errors.Join(ValidateText("key", key), ValidateText("version", n.Version))
	switch {
	case err != nil:
		return err
	case len(n.Text) > MaxNote:
		return fmt.Errorf("the note %s has %d bytes, and may have %d", key, len(n.Text), MaxNote)
	case !utf8.ValidString(n.Text):
		return fmt.Errorf("the note %s is not UTF-8", key)
	case !hasYear(n.ExpiresAt):
		return fmt.Errorf("the note %s does not say when it expires", key)
	}
	return nil
}
