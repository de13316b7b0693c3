package main

import (
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFigures(t *testing.T) {
	tests := []struct {
		name, got, want string
	}{
		{"figure", figure(0.743684), "0.743684"},
		{"rounded", figure(2. / 3), "0.666667"},
		{"whole", figure(1), "1"},
		{"none", figure(0), "0"},
		{"noise of a sum", figure(0.1 + 0.2), "0.3"},
		{"nearly none", figure(1e-9), "1e-09"},
		{"next to none", figure(1e-15), "1e-15"},
		{"nearly a gate", figure(0.4999999999), "0.4999999999"},
		{"looks round with six", figure(0.7102897102897103), "0.7102897"},
		{"nearly one", figure(0.99999999), "0.99999999"},
		{"share", percent(0.39194), "39.2 %"},
		{"all", percent(1), "100.0 %"},
		{"nearly all", percent(0.9999), ">99.9 %"},
		{"nearly nothing", percent(0.0001), "<0.1 %"},
		{"price", price(50000), "50000"},
		{"tiny price", price(0.00001234), "0.00001234"},
		{"tiniest price", price(5e-324), "5e-324"},
		{"huge price", price(1e300), "1e+300"},
		{"no level", level(nil), "none"},
		{"cost", dollars(0.0032485), "$0.0032485"},
		{"sum of costs", dollars(0.1 + 0.2), "$0.300000"},
		{"least cost", dollars(1e-10), "$0.0000000001"},
		{"price of tokens", perMillion(ptr(0.075)), "0.075"},
		{"usual price of tokens", perMillion(ptr(2.)), "2.00"},
		{"unknown price", perMillion(nil), "unknown"},
		{"unknown tokens", tokens(0), "unknown"},
		{"instant", latency(0.42), "0.4 ms"},
		{"quick", latency(999.4), "999 ms"},
		{"just a second", latency(999.6), "1.0 s"},
		{"slow", latency(20000.3), "20.0 s"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	if a, b := compared(0.49999999999, 0.5); a != "0.49999999999" || b != "0.5" {
		t.Errorf("compared shows %s and %s", a, b)
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", " ", nil},
		{"between words", "one two  three", []string{"one two", "three"}},
		{"exactly", "one four", []string{"one four"}},
		{"inside a long word", "a abcdefghijk b", []string{"a", "abcdefgh", "ijk b"}},
		{"wide characters", "価格は上昇", []string{"価格は上", "昇"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, wrap(tt.text, 8)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestHang(t *testing.T) {
	want := []string{"one two", "  three", "  four", "    five"}
	if diff := cmp.Diff(want, hang([]string{"one two three", "  four five"}, 10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrapLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, width := visible(rapid.String().Draw(t, "text")), rapid.IntRange(2, 30).Draw(t, "width")
		lines := wrap(text, width)
		for _, line := range lines {
			if lipgloss.Width(line) > width && ansi.Truncate(line, width, "") != "" { // a sign with marks may be wider by itself
				t.Errorf("%q is wider than %d", line, width)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}
