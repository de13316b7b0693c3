package simulator

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFaults(t *testing.T) {
	tests := []struct {
		name, script string
		want         map[string][]Fault
		err          string // a part of it
	}{
		{"empty", " ", map[string][]Fault{}, ""},
		{"two providers", "anthropic=rate_limit,ok;grok=hang*", map[string][]Fault{Anthropic: {"rate_limit", OK}, Grok: {"hang*"}}, ""},
		{"case and spaces", " OpenAI = Reset , OK* ", map[string][]Fault{OpenAI: {"reset", "ok*"}}, ""},
		{"unknown fault", "grok=explode", nil, `"explode" of grok is not a fault: known are ok, wrong_key,`},
		{"unknown provider", "nobody=hang", nil, `"nobody" is not a provider: known are anthropic, openai, gemini, grok, azure, bedrock, `},
		{"no list", "grok", nil, "write provider=fault,fault"},
		{"empty list", "grok=", nil, `"" of grok is not a fault`},
		{"star in the middle", "grok=hang*,ok", nil, "hang* of grok repeats for ever"},
		{"provider twice", "grok=hang;grok=ok", nil, "grok is there twice"},
		{"dangling semicolon", "grok=hang;", nil, "write provider=fault,fault"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseFaults(test.script)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error = %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestScripted(t *testing.T) {
	tests := []struct {
		name string
		list []Fault
		want string // of the first four requests
	}{
		{"none", nil, "ok ok ok ok"},
		{"then normal", []Fault{"reset", "hang"}, "reset hang ok ok"},
		{"then for ever", []Fault{OK, "hang*"}, "ok hang hang hang"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for n := 1; n <= 4; n++ {
				got = append(got, scripted(test.list, n))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

// FuzzParseFaults: an accepted script can be used, and has the same meaning when written and
// read again.
func FuzzParseFaults(f *testing.F) {
	f.Add("anthropic=rate_limit,ok;grok=hang*")
	f.Add("grok=;=,*;")
	f.Fuzz(func(t *testing.T, script string) {
		faults, err := ParseFaults(script)
		if err != nil {
			return
		}
		New(Options{Faults: faults}) // panics on what it cannot play
		var parts []string
		for provider, list := range faults {
			names := make([]string, len(list))
			for i, fault := range list {
				names[i] = string(fault)
			}
			parts = append(parts, provider+"="+strings.Join(names, ","))
		}
		again, err := ParseFaults(strings.Join(parts, ";"))
		if err != nil || !maps.EqualFunc(faults, again, func(a, b []Fault) bool { return cmp.Equal(a, b) }) {
			t.Fatalf("%q reads back as %v, %v; want %v", parts, again, err, faults)
		}
	})
}
