package store

// What every store refuses: records that could not be found again, that would come
// back changed, or whose sums would be wrong.

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxText is the most bytes of a text that is part of a key.
	MaxText = 2048
	// MaxBody is the most bytes of a result's body.
	MaxBody = 16 << 20
)

// Names of counters and texts that a [Count] can't have, because stores keep the
// hour itself under them.
const (
	DayName    = "day"
	HourName   = "hour"
	ExpiryName = "expires_at"
)

// ValidateText refuses a text that can't be part of a key: an empty one, one longer
// than [MaxText], and one that is not UTF-8. The error calls it by the name in what.
func ValidateText(what, text string) error {
	switch {
	case text == "":
		return fmt.Errorf("the %s is empty", what)
	case len(text) > MaxText:
		return fmt.Errorf("the %s has %d bytes, and may have %d", what, len(text), MaxText)
	case !utf8.ValidString(text):
		return fmt.Errorf("the %s is not UTF-8", what)
	}
	return nil
}

// Validate refuses a result that could not be found again, or whose body would come
// back changed.
func (r *Result) Validate() error {
	if !IsID(r.ID) {
		return fmt.Errorf("%q is not a result's id", r.ID)
	}
	if !IsPosition(r.Position) || !strings.HasSuffix(r.Position, "#"+r.ID) {
		return fmt.Errorf("%q is not a position of the result %s", r.Position, r.ID)
	}
	if len(r.Body) > MaxBody {
		return fmt.Errorf("the body of the result %s has %d bytes, and may have %d", r.ID, len(r.Body), MaxBody)
	}
	if !utf8.Valid(r.Body) {
		return fmt.Errorf("the body of the result %s is not UTF-8", r.ID)
	}
	if !hasYear(r.CreatedAt) {
		return fmt.Errorf("the result %s does not say when it was made", r.ID)
	}
	return errors.Join(ValidateText("series", r.Series), ValidateText("day", r.Day))
}

// IsEmpty reports whether a count changes nothing.
func (c Count) IsEmpty() bool { return len(c.Add) == 0 && len(c.Set) == 0 }

// Validate refuses a count without an hour, and names that stores need themselves.
func (c Count) Validate() error {
	if c.IsEmpty() {
		return nil
	}
	if !hasYear(c.At) {
		return fmt.Errorf("a count at %s: it must say when the run ended", c.At)
	}
	for _, name := range []string{"", DayName, HourName, ExpiryName} {
		_, isCounter := c.Add[name]
		_, isText := c.Set[name]
		if isCounter || isText {
			return fmt.Errorf("a count cannot have the name %q", name)
		}
	}
	return nil
}

// hasYear reports whether a time is set and can be written in RFC 3339.
func hasYear(at time.Time) bool {
	year := at.UTC().Year()
	return !at.IsZero() && year >= 1 && year <= 9999
}

// Validate refuses a new claim on a key: one without key or owner, and one that has a
// result already.
func (c Claim) Validate(key string) error {
	if err := errors.Join(ValidateText("key", key), ValidateText("owner", c.Owner)); err != nil {
		return err
	}
	if c.Result != "" {
		return fmt.Errorf("it names the result %q before there is one", c.Result)
	}
	return nil
}

// Validate refuses a lease without a key, and an amount or a cost below 0.
func (l Lease) Validate(cost int64) error {
	if l.Amount < 0 || cost < 0 {
		return errors.New("an amount or a cost is below 0")
	}
	return ValidateText("key", l.Key)
}

// ParseDay reads a UTC day as [Hour] writes it.
func ParseDay(day string) (time.Time, error) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day like 2026-11-23", day)
	}
	return at, nil
}
