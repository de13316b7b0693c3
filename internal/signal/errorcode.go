package signal

import (
	"errors"
	"strings"
)

// ErrorCode names a kind of error for programs, in lower case with underscores, such
// as daily_budget. The API writes it with dashes. A code is an error itself, so that
// errors.Is(err, code) asks whether err is of that kind.
type ErrorCode string

func (c ErrorCode) Error() string { return strings.ReplaceAll(string(c), "_", " ") }

// CodeOf gives the code of an error, which is empty where it has none.
func CodeOf(err error) (code ErrorCode) {
	errors.As(err, &code)
	return code
}
