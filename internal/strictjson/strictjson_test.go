package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMistakes(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, tt := range []struct {
		name, document string
		kind           Kind
		place, text    string
	}{
		{"nothing", "", Empty, "", "it is empty"},
		{"blanks", " \r\n\t", Empty, "", "it is empty"},
		{"a byte order mark", "\ufeff{}", Syntax, "", "invalid character 'ï' looking for beginning of value (line 1, column 1)"},
		{"no UTF-8", "{\"ä\":\"\xff\"}", NotUTF8, "", "it is not UTF-8 at byte 7"},
		{"too deep", nested(33), TooDeep, "", "it is nested deeper than 32 levels"},
		{"too deep and cut off", nested(33)[:40], TooDeep, "", "it is nested deeper than 32 levels"},
		{"cut off", `{"a":1`, Syntax, "", "unexpected end of JSON input (line 1, column 6)"},
		{"cut off in a text", `["a`, Syntax, "", "unexpected end of JSON input (line 1, column 3)"},
		{"the second line", "{\n \"a\": yes}", Syntax, "", "invalid character 'y' looking for beginning of value (line 2, column 7)"},
		{"a comma too many", `[1,]`, Syntax, "", "invalid character ']' looking for beginning of value (line 1, column 4)"},
		{"two values", `{} {}`, Trailing, "", "invalid character '{' after top-level value (line 1, column 4)"},
		{"a bracket behind", `{"a":1}]`, Trailing, "", "invalid character ']' after top-level value (line 1, column 8)"},
		{"NaN", `{"market_data":{"recent_candles":[{"open":1},{"close":NaN}]}}`, NaN, ".market_data.recent_candles[1].close", NoNaN},
		{"NaN alone", `NaN`, NaN, "", NoNaN},
		{"minus infinity", `{"a":[1,2, -Infinity ]}`, NaN, ".a[2]", NoNaN},
		{"an escape in a name", `{"a\u0062":inf}`, NaN, ".ab", NoNaN},
		{"a long name", `{"` + strings.Repeat("ä", 101) + `":nan}`, NaN, "." + strings.Repeat("ä", 100) + "…", NoNaN},
		{"a word that begins like it", `{"a":NaNa}`, Syntax, "", "invalid character 'N' looking for beginning of value (line 1, column 6)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.document)
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if got.Kind != tt.kind || got.Place != tt.place || got.Error() != tt.text {
				t.Errorf("got kind %d at %q: %s", got.Kind, got.Place, got)
			}
		})
	}
	for _, document := range []string{nested(32), ` {"a":1} `} {
		if _, err := Parse(document); err != nil {
			t.Errorf("%q: %v", document, err)
		}
	}
	for _, document := range []string{nested(10_000), "{\"\xff\":1}"} {
		if _, err := ParseLenient(document); err != nil {
			t.Errorf("%.20q: %v", document, err)
		}
	}
}

func TestMembers(t *testing.T) {
	document, err := Parse(`{"b":1.50e3 ,"a" : "\u00e4", "b":{"c":[null,"}"]},"n":null,"t":true}`)
	if err != nil {
		t.Fatal(err)
	}
	members, isObject := document.Members()
	if want := []Member{{"b", Value{`1.50e3`}, false}, {"a", Value{`"\u00e4"`}, false}, {"b", Value{`{"c":[null,"}"]}`}, true}, {"n", Value{`null`}, false}, {"t", Value{`true`}, false}}; !isObject || !cmp.Equal(want, members, cmp.AllowUnexported(Value{})) {
		t.Errorf("got %v", members)
	}
	if digits, is := members[0].Value.Number(); !is || digits != "1.50e3" {
		t.Errorf("number %q, %v", digits, is)
	}
	if text, is := members[1].Value.Text(); !is || text != "ä" {
		t.Errorf("text %q, %v", text, is)
	}
	if v := members[2].Value; v.IsScalar() || v.IsNull() || !members[3].Value.IsNull() || !(Value{}).IsNull() || (Value{}).IsScalar() {
		t.Error("kinds are confused")
	}
	if _, isObject := members[1].Value.Members(); isObject {
		t.Error("a text is an object")
	}
}

// A document is accepted exactly where encoding/json accepts it, and its members are
// those that encoding/json finds.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{}`, ` { "a" : 1 , "b":[{"c":"}"}] } `, `{"a\"":"\\","\u00e9":{"x":{}}}`, `[1]`, `{"a":"b,c:{","d":null}`, `{"a":1,"a":2}`,
		`[-0.5e+7,0,1E9,01,-,1.,.5,1e,+1]`, `["\u12G4","\x"]`, "[\"\x1f\"]", `nullx`, `[tru]`, "\xff", "{\"a\xff\":1}", "1\u00a0", `{"a":NaN}`, "\ufeff1", strings.Repeat("[", 40)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := ParseLenient(raw)
		if (err == nil) != json.Valid(raw) {
			t.Fatalf("%q: %v", raw, err)
		}
		strict, strictErr := Parse(raw)
		if strictErr == nil && (!json.Valid(raw) || !utf8.Valid(raw)) {
			t.Fatalf("accepted %q", raw)
		}
		if err != nil {
			return
		}
		if strictErr == nil && strict != document {
			t.Errorf("the strict reading gives %q", strict)
		}
		if wrong := new(Error); errors.As(strictErr, &wrong) && wrong.Kind != NotUTF8 && wrong.Kind != TooDeep {
			t.Errorf("refused %q: %v", raw, wrong)
		}
		var want map[string]json.RawMessage
		failed := json.Unmarshal(raw, &want)
		members, isObject := document.Members()
		if isObject != (failed == nil && want != nil) {
			t.Fatalf("object: %v, want %v", isObject, failed == nil)
		}
		got := map[string]json.RawMessage{}
		for _, m := range members {
			if _, twice := got[m.Name]; twice != m.Twice {
				t.Errorf("%q is there twice: %v", m.Name, m.Twice)
			}
			got[m.Name] = json.RawMessage(m.Value.String())
		}
		if isObject {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		}
	})
}

func TestNearest(t *testing.T) {
	known := []string{"pair", "timeframe", "PRICE"}
	for _, tt := range []struct {
		name  string
		edits int
		want  string
	}{
		{"pari", 2, "pair"}, {"pari", 1, ""}, {"Timefram", 1, "timeframe"}, {"price", 0, "PRICE"}, {"", 3, ""}, {strings.Repeat("x", 300), 1000, ""},
	} {
		if got := Nearest(tt.name, known, tt.edits); got != tt.want {
			t.Errorf("Nearest(%.20q, %d) = %q, want %q", tt.name, tt.edits, got, tt.want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"pair", "pair", 0}, {"", "pair", 4}, {"pari", "pair", 2}, {"timefram", "timeframe", 1},
		{"kitten", "sitting", 3}, {"min_provider", "min_providers", 1}, {"abc", "xyz", 3},
	} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
		if got := editDistance(test.b, test.a); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

func TestWithoutBOM(t *testing.T) {
	if got := string(WithoutBOM([]byte("\ufeff\ufeff{}"))); got != "\ufeff{}" {
		t.Errorf("got %q", got)
	}
}

func TestCut(t *testing.T) {
	if got := Cut("ääb", 2); got != "ää…" || Cut("ääb", 3) != "ääb" {
		t.Errorf("got %q", got)
	}
}
