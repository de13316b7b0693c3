package signal

// A Number keeps the digits that were sent: 0.00001234 and 50000.0 reach the
// model as they stand, which a float64 in between would not promise.

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"thalas/internal/strictjson"
)

// Number is a finite decimal number with its digits as they were written. The
// zero Number is unknown: null in JSON, never 0.
type Number struct {
	text  string
	value float64 // what text reads as
}

// ParseNumber reads a JSON number. One that a float64 holds only as infinity,
// or only as 0 although it is not, is refused.
func ParseNumber(text string) (Number, error) {
	if !strictjson.IsNumber(text) {
		return Number{}, fmt.Errorf("%q is not a number", strictjson.Cut(text, 40))
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || (f == 0 && strings.ContainsAny(mantissa(text), "123456789")) {
		return Number{}, fmt.Errorf("number %s is out of range", strictjson.Cut(text, 40))
	}
	return Number{text, f}, nil
}

// NumberOf gives the shortest decimal that reads back as f. f must be finite:
// for NaN and infinities it is unknown.
func NumberOf(f float64) Number {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Number{}
	}
	return Number{strconv.FormatFloat(f, 'f', -1, 64), f}
}

// IsKnown reports whether n holds a number.
func (n Number) IsKnown() bool { return n.text != "" }

// Float64 gives the nearest float64; NaN where n is unknown.
func (n Number) Float64() float64 {
	if n.text == "" {
		return math.NaN()
	}
	return n.value
}

// String gives the digits as they were written, and "unknown" for none.
func (n Number) String() string {
	if n.text == "" {
		return "unknown"
	}
	return n.text
}

// Plain writes the number without an exponent and with every digit that was
// sent: 1.50e-5 is 0.0000150. It is "unknown" for none.
func (n Number) Plain() string {
	e := exponentAt(n.text)
	if e < 0 {
		return n.String()
	}
	digits, sign := n.text[:e], ""
	if strings.HasPrefix(digits, "-") {
		digits, sign = digits[1:], "-"
	}
	exponent, err := strconv.Atoi(n.text[e+1:])
	if err != nil { // only a zero such as 0e99999999999999999999
		return sign + "0"
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = whole + fraction
	if strings.Trim(digits, "0") == "" {
		return sign + "0"
	}
	point := len(whole) + exponent // the decimal point's place in digits
	switch {
	case point <= 0:
		whole, fraction = "0", strings.Repeat("0", -point)+digits
	case point >= len(digits):
		whole, fraction = digits+strings.Repeat("0", point-len(digits)), ""
	default:
		whole, fraction = digits[:point], digits[point:]
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

// MarshalJSON writes the digits as they were sent, null where n is unknown.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.text == "" {
		return []byte("null"), nil
	}
	return []byte(n.text), nil
}

// UnmarshalJSON reads a JSON number or null.
func (n *Number) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if bytes.Equal(data, []byte("null")) {
		*n = Number{}
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		return errors.New("is text: send a number")
	}
	parsed, err := ParseNumber(string(data))
	if err != nil {
		return err
	}
	*n = parsed
	return nil
}

// exponentAt gives where the exponent of a number begins; below 0: there is none. For a
// text as short as that it takes a fifth of what strings.IndexAny does.
func exponentAt(text string) int {
	for i := range len(text) {
		if text[i]|0x20 == 'e' {
			return i
		}
	}
	return -1
}

func mantissa(text string) string {
	if e := exponentAt(text); e >= 0 {
		return text[:e]
	}
	return text
}

// plainLen bounds the length of Plain without writing it.
func (n Number) plainLen() int {
	e := exponentAt(n.text)
	if e < 0 {
		return len(n.text)
	}
	if strings.Trim(n.text[:e], "-0.") == "" {
		return len("-0") // whatever its exponent
	}
	exponent, err := strconv.Atoi(n.text[e+1:])
	if err != nil {
		return 1 // not reached: such a number is out of range
	}
	return e + max(exponent, -exponent)
}

// ReadNumber reads a JSON number. Its error says what to send.
func ReadNumber(v strictjson.Value, send string) (Number, error) {
	digits, is := v.Number()
	if !is {
		return Number{}, errors.New("is not a number: send " + send)
	}
	n, err := ParseNumber(digits)
	if err != nil {
		return Number{}, errors.New("is out of range: send " + send)
	}
	return n, nil
}

// ReadText reads a JSON text. Its error says what to send.
func ReadText(v strictjson.Value, send string) (string, error) {
	text, is := v.Text()
	if !is {
		return "", errors.New("is not a text: send " + send)
	}
	return text, nil
}
