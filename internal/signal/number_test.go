package signal_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thalas/internal/signal"
)

func TestNumberKeepsItsDigits(t *testing.T) {
	tests := []struct {
		text, plain string
		value       float64
	}{
		{"0", "0", 0},
		{"50000.0", "50000.0", 50000},
		{"0.00001234", "0.00001234", 0.00001234},
		{"1.50e-5", "0.0000150", 1.5e-5},
		{"-1.5E+3", "-1500", -1500},
		{"123.456e1", "1234.56", 1234.56},
		{"123.456e3", "123456", 123456},
		{"0.5e3", "500", 500},
		{"10e-1", "1.0", 1},
		{"-0.0", "-0.0", 0},
		{"-0e5", "-0", 0},
		{"0e99999999999999999999", "0", 0},
		{"0.000e-400", "0", 0},
		{"1e21", "1000000000000000000000", 1e21},
		{"0.1234567890123456789012345", "0.1234567890123456789012345", 0.1234567890123456789012345},
		{"5e-324", "0." + strings.Repeat("0", 323) + "5", 5e-324},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			n, err := signal.ParseNumber(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if n.String() != test.text || n.Plain() != test.plain || n.Float64() != test.value || !n.IsKnown() {
				t.Errorf("got %s, plain %s, value %v; want %s, %s, %v", n, n.Plain(), n.Float64(), test.text, test.plain, test.value)
			}
			var back signal.Number
			data, err := json.Marshal(n)
			if err != nil || string(data) != test.text {
				t.Errorf("marshals to %s, %v", data, err)
			}
			if err := json.Unmarshal(data, &back); err != nil || back != n {
				t.Errorf("reads back as %s, %v", back, err)
			}
		})
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "1.5.2", "0x1p-2", "1_000", "1,5", " 1", "1 ", "NaN", "Infinity", "inf", "nil", "1e5x", "١",
		"1e400", "-1e400", "1e-400", "1e99999999999999999999", "1e-99999999999999999999", "0.000001e-999",
	} {
		t.Run(text, func(t *testing.T) {
			if n, err := signal.ParseNumber(text); err == nil || n.IsKnown() {
				t.Errorf("got %s, %v", n, err)
			}
		})
	}
	if _, err := signal.ParseNumber(strings.Repeat("x", 1000)); len(err.Error()) > 100 {
		t.Errorf("the error repeats the whole text: %v", err)
	}
}

func TestUnknownNumber(t *testing.T) {
	var n signal.Number
	if err := json.Unmarshal([]byte(" null "), &n); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(n)
	if err != nil || string(data) != "null" || n.IsKnown() || n.String() != "unknown" || n.Plain() != "unknown" || !math.IsNaN(n.Float64()) {
		t.Errorf("got %s, %s, %s, %v, %v", data, n, n.Plain(), n.Float64(), err)
	}
	for _, wrong := range []string{`"5"`, `true`, `{}`, `1e400`} {
		if err := json.Unmarshal([]byte(wrong), &n); err == nil {
			t.Errorf("%s is read as %s", wrong, n)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := signal.NumberOf(f); got.IsKnown() {
			t.Errorf("%v became %s", f, got)
		}
	}
}

// checkPlain checks that Plain gives the same number.
func checkPlain(t interface{ Fatalf(string, ...any) }, n signal.Number) {
	plain := n.Plain()
	if strings.ContainsAny(plain, "eE+") {
		t.Fatalf("%s is %s when written plainly", n, plain)
	}
	if again, err := signal.ParseNumber(plain); err != nil || again.Float64() != n.Float64() {
		t.Fatalf("%s is %s when written plainly, which reads as %s, %v", n, plain, again, err)
	}
	got, ok := new(big.Rat).SetString(plain)
	want, wantOK := new(big.Rat).SetString(n.String())
	if wantOK && (!ok || got.Cmp(want) != 0) { // package big refuses the largest exponents
		t.Fatalf("%s is %s when written plainly", n, plain)
	}
}

func TestPlainIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "text")
		n, err := signal.ParseNumber(text)
		if err != nil {
			t.Skip("out of range")
		}
		checkPlain(t, n)
	})
}

func TestNumberOfReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		n := signal.NumberOf(f)
		if n.Float64() != f || n.Plain() != n.String() {
			t.Fatalf("%v became %s", f, n)
		}
		if again, err := signal.ParseNumber(n.String()); err != nil || again != n {
			t.Fatalf("%s reads back as %s, %v", n, again, err)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"0", "-1.50e-5", "1e400", "1e-400", "0e99999999999999999999", "0x1p4", "NaN", "123.456E+2", "01", "9007199254740993"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := signal.ParseNumber(text)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) || n.String() != text || math.IsNaN(n.Float64()) || math.IsInf(n.Float64(), 0) {
			t.Fatalf("%q was read as %s", text, n)
		}
		if len(text) < 100 { // the exact comparison of long numbers takes long
			checkPlain(t, n)
		}
	})
}

func TestCanonicalNumbers(t *testing.T) {
	for want, forms := range map[string][]string{
		"1000": {"1e3", "1000", "1000.0", "1.000E+3", "10000e-1"}, "0": {"0", "-0", "0.00", "-0e5", "0e-9"},
		"-0.0015": {"-0.0015", "-1.5e-3", "-0.00150"}, "10": {"10", "1e1", "10.0"},
		"0.12345678901234567890123456789": {"0.12345678901234567890123456789", "1234567890123456789012345678900e-31"},
	} {
		for _, form := range forms {
			n, err := signal.ParseNumber(form)
			if got := n.Canonical(); err != nil || got.String() != want {
				t.Errorf("%s is %s, want %s: %v", form, got, want, err)
			}
		}
	}
	if (signal.Number{}).Canonical().IsKnown() {
		t.Error("an unknown number becomes known")
	}
}
