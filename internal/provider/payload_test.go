package provider

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainWire puts the texts where told; only what writes a question is of interest.
type plainWire struct{ question func(Prompt) any }

func (w plainWire) Question(_ Model, p Prompt) (string, any) { return "/v1/ask", w.question(p) }
func (plainWire) BaseURL() string                            { return "http://127.0.0.1:1" }
func (plainWire) CheckPath() string                          { return "/v1/models" }
func (plainWire) Authorize(http.Header, Key)                 {}
func (plainWire) Answer([]byte) (Reply, error)               { return Reply{}, nil }

// However a wire format places the texts, a body is what marshalling it whole gives.
func TestPayloadIsWhatMarshallingGives(t *testing.T) {
	prompts := []Prompt{
		{System: "the rules", User: "plain"},
		{System: "the rules", User: `quotes " and \ and <fences> & line` + "\nbreaks\u2028"},
		{System: "other rules", User: "plain"},
		{System: placeholder, User: placeholder},
		{},
	}
	forms := map[string]func(Prompt) any{
		"once":       func(p Prompt) any { return map[string]string{"system": p.System, "user": p.User} },
		"twice":      func(p Prompt) any { return []string{p.User, p.System, p.User} },
		"inside":     func(p Prompt) any { return map[string]string{"text": p.System + "\n\n" + p.User} },
		"not at all": func(p Prompt) any { return p.System },
	}
	for name, question := range forms {
		r := &Remote{wire: plainWire{question}}
		for range 2 { // the second time the form is there
			for _, prompt := range prompts {
				want, _ := json.Marshal(question(prompt))
				path, got, err := r.payload(prompt)
				if err != nil || path != "/v1/ask" {
					t.Fatal(path, err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		}
	}
}
