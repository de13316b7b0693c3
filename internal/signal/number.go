package signal

// Numbers that keep the digits with which they were sent, so that models see 0.00001234
// and 50000.0 as the caller wrote them. A float64 would lose that.

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"thalas/internal/strictjson"
)

// Number is a finite decimal number, with its digits as they were written. The zero Number
// is unknown. In JSON it is null, never 0.
type Number struct {
	text  string
	value float64 // of text
}

// ParseNumber reads a JSON number. It refuses a number that as a float64 would be infinite,
// or would be 0 although it is not.
func ParseNumber(text string) (Number, error) {
	if !strictjson.IsNumber(text) {
		return Number{}, fmt.Errorf("%q is not a number", strictjson.Cut(text, 40))
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || (f == 0 && strings.ContainsAny(text[:exponentAt(text)], "123456789")) {
		return Number{}, fmt.Errorf("number %s is out of range", strictjson.Cut(text, 40))
	}
	return Number{text, f}, nil
}

// NumberOf gives the shortest decimal number whose float64 is f. It is unknown if f is not
// finite.
func NumberOf(f float64) Number {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Number{}
	}
	return Number{strconv.FormatFloat(f, 'f', -1, 64), f}
}

// IsKnown reports whether n holds a number.
func (n Number) IsKnown() bool { return n.text != "" }

// Float64 gives the nearest float64. It is NaN if n is unknown.
func (n Number) Float64() float64 {
	if n.text == "" {
		return math.NaN()
	}
	return n.value
}

// String gives the digits as they were written, or "unknown".
func (n Number) String() string {
	if n.text == "" {
		return "unknown"
	}
	return n.text
}

// Plain gives the number without an exponent, with every digit that was sent: 1.50e-5 is
// 0.0000150. It is "unknown" if n is.
func (n Number) Plain() string {
	e := exponentAt(n.text)
	if e == len(n.text) {
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
	point := len(whole) + exponent // the place of the decimal point in digits
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	digits += strings.Repeat("0", max(0, point-len(digits)))
	plain := sign + strings.TrimLeft(digits[:point-1], "0") + digits[point-1:point]
	if point < len(digits) {
		plain += "." + digits[point:]
	}
	return plain
}

// Canonical gives n in the one form that all numbers of its value have: 1e3 and 1000.0 are
// 1000.
func (n Number) Canonical() Number {
	if !n.IsKnown() {
		return n
	}
	text := n.Plain()
	if strings.ContainsRune(text, '.') {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return Number{text, n.value}
}

// MarshalJSON writes the digits as they were sent, or null if n is unknown.
func (n Number) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

func (n Number) append(b []byte) []byte {
	if n.text == "" {
		return append(b, "null"...)
	}
	return append(b, n.text...)
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
	if err == nil {
		*n = parsed
	}
	return err
}

// exponentAt gives the place of the e in the text of a number, or the length of a text
// without one.
func exponentAt(text string) int {
	if e := max(strings.IndexByte(text, 'e'), strings.IndexByte(text, 'E')); e >= 0 {
		return e
	}
	return len(text)
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
