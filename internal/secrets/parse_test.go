package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

var providers = []string{"anthropic", "openai", "gemini", "grok"}

const planted = "planted-test-key-0123456789"

func TestParse(t *testing.T) {
	const notObject = `it is not a JSON object such as {"ANTHROPIC_API_KEY": "…"}`
	tests := []struct {
		name, document string
		keys           map[string]string
		notes          []string
		mistakes       []string
	}{
		{name: "two keys", document: `{"OPENAI_API_KEY":"` + planted + `","GROK_API_KEY":"x"}`, keys: map[string]string{"openai": planted, "grok": "x"}},
		{name: "white space around a key", document: " {\n\"OPENAI_API_KEY\": \" \\t" + planted + "\\r\\n\"}\n", keys: map[string]string{"openai": planted}},
		{name: "byte order mark and quotation marks of an env file", document: "\ufeff" + `{"OPENAI_API_KEY":"\"` + planted + `\"","GROK_API_KEY":"'x'"}`, keys: map[string]string{"openai": planted, "grok": "x"}},
		{name: "quotation mark that is not closed", document: `{"OPENAI_API_KEY":"\"` + planted + `"}`, mistakes: []string{"OPENAI_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone"}},
		{name: "only a byte order mark", document: "\ufeff", mistakes: []string{"it is empty"}},
		{name: "empty document", document: " \n", mistakes: []string{"it is empty"}},
		{name: "a bare key", document: planted, mistakes: []string{notObject + ": it can't be read at line 1, column 1"}},
		{name: "a text", document: `"` + planted + `"`, mistakes: []string{notObject}},
		{name: "a list", document: `["` + planted + `"]`, mistakes: []string{notObject}},
		{name: "null", document: `null`, mistakes: []string{notObject}},
		{name: "no quotation marks", document: "{\n  \"OPENAI_API_KEY\": " + planted + "\n}", mistakes: []string{notObject + ": it can't be read at line 2, column 21"}},
		{name: "name without quotation marks", document: `{OPENAI_API_KEY: "` + planted + `"}`, mistakes: []string{notObject + ": it can't be read at line 1, column 2"}},
		{name: "cut off", document: `{"OPENAI_API_KEY":"` + planted, mistakes: []string{notObject + ": it can't be read at line 1, column 46"}},
		{name: "not closed", document: `{"OPENAI_API_KEY":"` + planted + `"`, mistakes: []string{notObject + ": it can't be read at line 1, column 47"}},
		{name: "something after the end", document: `{"OPENAI_API_KEY":"` + planted + `"} ` + planted, mistakes: []string{notObject + ": it can't be read at line 1, column 50"}},
		{name: "no entry", document: `{}`, mistakes: []string{"it has none of the entries ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, GROK_API_KEY"}},
		{name: "values of other types", document: `{"OPENAI_API_KEY":17,"GROK_API_KEY":null,"GEMINI_API_KEY":["` + planted + `"],"ANTHROPIC_API_KEY":"x"}`, mistakes: []string{
			"OPENAI_API_KEY is not a text: its value belongs between quotation marks", "GROK_API_KEY is not a text: its value belongs between quotation marks", "GEMINI_API_KEY is not a text: its value belongs between quotation marks"}},
		{name: "empty value", document: `{"OPENAI_API_KEY":" "}`, mistakes: []string{"OPENAI_API_KEY is empty: put the key there, or leave the entry out"}},
		{name: "characters that no key has", document: `{"OPENAI_API_KEY":"planted test","GROK_API_KEY":"a\u0007b","GEMINI_API_KEY":"…","ANTHROPIC_API_KEY":"a\u200bb"}`, mistakes: []string{
			"OPENAI_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone", "GROK_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone",
			"GEMINI_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone", "ANTHROPIC_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone"}},
		{name: "entry twice", document: `{"OPENAI_API_KEY":"a","OPENAI_API_KEY":"b"}`, mistakes: []string{"OPENAI_API_KEY is there more than once"}},
		{name: "misspelt", document: `{"OPENAI_API_KEY":"a","ANTROPIC_API_KEY":"` + planted + `"}`, mistakes: []string{`"ANTROPIC_API_KEY" is not known: did you mean ANTHROPIC_API_KEY?`}},
		{name: "in lower case", document: `{"openai_api_key":"` + planted + `"}`, mistakes: []string{`"openai_api_key" is not known: did you mean OPENAI_API_KEY?`}},
		{name: "bare name of the provider", document: `{"anthropic":"` + planted + `"}`, mistakes: []string{`"anthropic" is not known: did you mean ANTHROPIC_API_KEY?`}},
		{name: "old key kept beside the new one", document: `{"OPENAI_API_KEY":"a","OPENAI_API_KEY2":"b"}`, keys: map[string]string{"openai": "a"}, notes: []string{"entry 2 is not known and not used"}},
		{name: "provider of a newer version", document: `{"MISTRAL_API_KEY":"b","OPENAI_API_KEY":"a"}`, keys: map[string]string{"openai": "a"}, notes: []string{"entry 1 is not known and not used"}},
		{name: "Groq is not Grok", document: `{"OPENAI_API_KEY":"a","GROQ_API_KEY":"b"}`, keys: map[string]string{"openai": "a"}, notes: []string{"entry 2 is not known and not used"}},
		{name: "key where the name belongs", document: `{"` + planted + `":"OPENAI_API_KEY"}`, mistakes: []string{"it has none of the entries ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, GROK_API_KEY"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, notes, mistakes := parse([]byte(tt.document), providers)
			var got map[string]string
			for name, key := range keys {
				if got == nil {
					got = map[string]string{}
				}
				got[name] = key.Reveal()
			}
			if len(tt.mistakes) > 0 {
				notes = nil
			}
			if diff := cmp.Diff([]any{tt.keys, tt.notes, tt.mistakes}, []any{got, notes, mistakes}); diff != "" {
				t.Errorf("keys, notes, mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommandIsSafeInAShell(t *testing.T) {
	for id, want := range map[string]string{
		"dev/thalas+keys_1": "dev/thalas+keys_1",
		"arn:aws:secretsmanager:eu-central-1:1:secret:a-AbC": "arn:aws:secretsmanager:eu-central-1:1:secret:a-AbC",
		"a'b; rm x": `'a'\''b; rm x'`,
	} {
		s := New(nil, Options{SecretID: id, Providers: providers})
		if got := s.command(); got != "aws secretsmanager put-secret-value --secret-id "+want+` --secret-string '{"ANTHROPIC_API_KEY":"…"}'` {
			t.Errorf("command for %q: %s", id, got)
		}
	}
}

func TestCauseThatMayQuoteTheSecretIsLeftOut(t *testing.T) {
	quoting := &smithy.OperationError{Err: &smithy.DeserializationError{Err: errors.New("unexpected " + planted), Snapshot: []byte(planted)}}
	if e := New(nil, Options{SecretID: "s", Providers: providers}).callFailed(quoting); strings.Contains(e.Error()+e.cause.Error(), planted) {
		t.Errorf("%v because of %v", e, e.cause)
	}
}

// Every document gives either keys or mistakes, and the same when it is read again. No text
// contains a value.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"OPENAI_API_KEY":"k"}`, `{"a":{"b":[1,"` + planted + `"]}}`, `{"OPENAI_API_KEY":"` + planted + `","":"x"`, planted, "\ufeff{}", `{"ANTROPIC_API_KEY":"` + planted + `"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, notes, mistakes := parse(document, providers)
		if (len(keys) > 0) == (len(mistakes) > 0) {
			t.Errorf("%d keys and %q", len(keys), mistakes)
		}
		said := strings.Join(append(slices.Clone(notes), mistakes...), "\n")
		if strings.Contains(said, planted) {
			t.Errorf("the secret is told: %s", said)
		}
		var flat map[string]any
		if json.Unmarshal(document, &flat) == nil && strings.Contains(said, "can't be read") {
			t.Errorf("an object is called unreadable: %s", said)
		}
		for name, key := range keys {
			if !slices.Contains(providers, name) || strings.TrimSpace(key.Reveal()) != key.Reveal() || key.Reveal() == "" {
				t.Errorf("key of %q is %q", name, key.Reveal())
			}
		}
		if again, _, _ := parse(document, providers); fmt.Sprint(len(again)) != fmt.Sprint(len(keys)) {
			t.Errorf("read again: %d keys, before %d", len(again), len(keys))
		}
	})
}

func TestWithin(t *testing.T) {
	at := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		since time.Time
		want  bool
	}{
		"now":                    {at, true},
		"a moment before":        {at.Add(-time.Minute + 1), true},
		"just over":              {at.Add(-time.Minute), false},
		"the clock was set back": {at.Add(time.Second), false},
		"never":                  {time.Time{}, false},
	} {
		if got := within(at, tt.since, time.Minute); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
