package store

// What every store refuses: records that could not be found again, that would come
// back changed, or whose sums would be wrong.

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxText is the most bytes of a text that is part of a key.
	MaxText = 2048
	// MaxBody is the most bytes of a result's body.
	MaxBody = 16 << 20
	// MaxMarket is the most bytes of a result's market.
	MaxMarket = 32 << 10

	maxOutcome     = 64 << 10 // bytes of an outcome; it is stored with its result, which may fill most of an item
	maxSumsKey     = 900      // bytes of what sums are found by
	maxCounters    = 128      // of one voter in one settlement: they fit into one expression
	maxCounterName = 100      // bytes
	mostAdded      = 1e12     // to a counter, or taken from it
)

// Names that counters and texts can't have, because stores keep under them what the
// counters are of, and when they expire.
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

// ValidateAll refuses records of which one is invalid.
func ValidateAll[T interface{ Validate() error }](all []T) error {
	for _, one := range all {
		if err := one.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// validatePosition refuses what is no id, and a position that is not of that id.
func validatePosition(id, position string) error {
	if !IsID(id) {
		return fmt.Errorf("%q is not a result's id", id)
	}
	if !IsPosition(position) || !strings.HasSuffix(position, "#"+id) {
		return fmt.Errorf("%q is not a position of the result %s", position, id)
	}
	return nil
}

// Validate refuses a result that could not be found again, or whose body would come
// back changed.
func (r *Result) Validate() error {
	if err := validatePosition(r.ID, r.Position); err != nil {
		return err
	}
	if len(r.Body) > MaxBody {
		return fmt.Errorf("the body of the result %s has %d bytes, and may have %d", r.ID, len(r.Body), MaxBody)
	}
	if len(r.Market) > MaxMarket {
		return fmt.Errorf("the market of the result %s has %d bytes, and may have %d", r.ID, len(r.Market), MaxMarket)
	}
	if !utf8.Valid(r.Body) {
		return fmt.Errorf("the body of the result %s is not UTF-8", r.ID)
	}
	if !hasYear(r.CreatedAt) {
		return fmt.Errorf("the result %s does not say when it was made", r.ID)
	}
	if r.Unsettled != nil && r.Settlement != nil {
		return fmt.Errorf("the result %s has a final outcome and is to be put on the list of those without", r.ID)
	}
	return errors.Join(ValidateText("series", r.Series), ValidateText("day", r.Day), r.validateOutcome())
}

// validateOutcome refuses an entry or an outcome that is of another result.
func (r *Result) validateOutcome() error {
	var entry *Unsettled
	err := error(nil)
	switch {
	case r.Settlement != nil:
		entry, err = &r.Settlement.Unsettled, r.Settlement.Validate()
	case r.Unsettled != nil:
		entry, err = r.Unsettled, r.Unsettled.Validate()
	default:
		return nil
	}
	if err == nil && (entry.ID != r.ID || entry.Position != r.Position) {
		return fmt.Errorf("the outcome of the result %s is that of %s at %s", r.ID, entry.ID, entry.Position)
	}
	return err
}

// Validate refuses an entry that its result could not be found by.
func (u Unsettled) Validate() error {
	if !utf8.Valid(u.Outcome) || len(u.Outcome) > maxOutcome {
		return fmt.Errorf("the outcome of the result %s is not UTF-8, or longer than %d bytes", u.ID, maxOutcome)
	}
	return errors.Join(validatePosition(u.ID, u.Position), ValidateText("group", u.Group), ValidateText("key of the scores", u.Scores), ValidateText("pair", u.Pair))
}

// Validate refuses a settlement without an outcome or a day, and sums that could not be
// read back or would spoil the sums that they are added to.
func (s Settlement) Validate() error {
	if err := s.Unsettled.Validate(); err != nil {
		return err
	}
	if len(s.Outcome) == 0 {
		return fmt.Errorf("the settlement of the result %s has no outcome", s.ID)
	}
	if strings.Contains(s.Pair, "#") {
		return fmt.Errorf("the pair %q of the settled result %s has a #", s.Pair, s.ID)
	}
	for voter, counters := range s.Sums {
		if err := ValidateText("voter", voter); err != nil {
			return err
		}
		if n := len(s.Scores) + len(s.Pair) + len(voter); n > maxSumsKey {
			return fmt.Errorf("the key of the scores, the pair and the voter %q have %d bytes together, and may have %d", voter, n, maxSumsKey)
		}
		if len(counters) > maxCounters {
			return fmt.Errorf("the result %s adds to %d counters of %s, and may add to %d", s.ID, len(counters), voter, maxCounters)
		}
		for name, x := range counters {
			if name == "" || name == DayName || name == HourName || name == ExpiryName || len(name) > maxCounterName || !utf8.ValidString(name) {
				return fmt.Errorf("a counter of %s cannot have the name %q", voter, name)
			}
			if !(math.Abs(x) <= mostAdded) {
				return fmt.Errorf("the result %s adds %v to %s of %s: it must be a number of at most %v", s.ID, x, name, voter, mostAdded)
			}
		}
	}
	_, err := ParseDay(s.Day)
	return err
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
