package signal

// The errors that packages and users share: mistakes in fields of the input, and codes.

import (
	"errors"
	"strings"
)

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	Field   string // the place within the value that was read, such as recent_candles[3].close
	Message string // what is wrong and what to send instead
	Value   string // the wrong number, text, boolean or null as JSON, cut after 100 characters; may be empty
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// FieldErrors are all mistakes of one input, in the order of their places.
type FieldErrors []*FieldError

// Add adds a mistake.
func (e *FieldErrors) Add(field, message, value string) {
	*e = append(*e, &FieldError{field, message, value})
}

func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, mistake := range e {
		texts[i] = mistake.Error()
	}
	return strings.Join(texts, "; ")
}

// ErrorCode names a kind of error for programs, in lower case with underscores, such
// as daily_budget. The API writes it with dashes. A code is an error itself, so that
// errors.Is(err, code) tells whether err is of that kind.
type ErrorCode string

func (c ErrorCode) Error() string { return strings.ReplaceAll(string(c), "_", " ") }

// CodeOf gives the code of an error, or "" if it has none.
func CodeOf(err error) (code ErrorCode) {
	errors.As(err, &code)
	return code
}
