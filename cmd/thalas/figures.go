package main

// Numbers for people. Rounding never changes their meaning: a number that is not 0 is
// never shown as 0, and a number that fails a gate is never shown as one that passes it.

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// figure writes a confidence, a weight or a sum of them with at most six decimals. It
// writes more of them if six would show a round number that it is not.
func figure(f float64) string {
	text := decimals(f, 0, 6)
	_, fraction, _ := strings.Cut(text, ".")
	shown, _ := strconv.ParseFloat(text, 64)
	const noise = 1e-12 // of floating-point sums and products
	switch isRound := len(fraction) < 6; {
	case shown == 0 && f != 0:
		return strconv.FormatFloat(f, 'g', -1, 64)
	case isRound && math.Abs(shown-f) > noise:
		for digits := 7; ; digits++ {
			if text = strconv.FormatFloat(f, 'f', digits, 64); text[len(text)-1] != '0' {
				return text
			}
		}
	}
	return text
}

// compared writes two figures with enough digits to show which is larger.
func compared(a, b float64) (string, string) {
	x, y := figure(a), figure(b)
	if x == y && a != b {
		return strconv.FormatFloat(a, 'g', -1, 64), strconv.FormatFloat(b, 'g', -1, 64)
	}
	return x, y
}

// percent writes a share, 0…1.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "<0.1 %"
	case share > 0.999 && share < 1:
		return ">99.9 %"
	}
	return strconv.FormatFloat(share*100, 'f', 1, 64) + " %"
}

// price writes a price with all its digits. Only very large and very small prices are
// written with an exponent.
func price(f float64) string {
	if size := math.Abs(f); size != 0 && size < 1e-12 || size >= 1e15 {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// optional writes a number that may be unknown.
func optional(f *float64, unknown string, write func(float64) string) string {
	if f == nil {
		return unknown
	}
	return write(*f)
}

func level(l *float64) string { return optional(l, "none", price) }

// dollars writes a cost. Providers bill in units down to 1e-10 USD.
func dollars(usd float64) string { return "$" + decimals(usd, 6, 10) }

func cost(usd *float64) string { return optional(usd, "unknown", dollars) }

// perMillion writes a price of a million tokens.
func perMillion(usd *float64) string {
	return optional(usd, "unknown", func(f float64) string { return decimals(f, 2, 10) })
}

// decimals writes f with as many decimals as it needs, from least to most.
func decimals(f float64, least, most int) string {
	text := strconv.FormatFloat(f, 'f', most, 64)
	shortest := len(text) - most + least
	for len(text) > shortest && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return strings.TrimSuffix(text, ".")
}

func latency(ms float64) string {
	switch {
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}

func attempts(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", %d attempts", n)
}

func tokens(n int) string {
	if n == 0 {
		return "unknown" // no answer is made of none
	}
	return strconv.Itoa(n)
}
