package provider

// Writing a question. Every request of a provider is the same but for the user
// text, so it is marshalled once, and the text put into its place.

import (
	"bytes"
	"encoding/json"
	"slices"
)

// form is a request body around the place of the user text.
type form struct {
	system string // the system text that is in it
	path   string
	before []byte
	after  []byte // nil: the place could not be told, so each body is marshalled whole
}

// placeholder stands for the user text while a form is made.
const placeholder = "\u2402the user text goes here\u2403"

func newForm(wire Wire, model Model, system string) (*form, error) {
	path, question := wire.Question(model, Prompt{System: system, User: placeholder})
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	f := &form{system: system, path: path}
	if place := []byte(`"` + placeholder + `"`); bytes.Count(body, place) == 1 {
		f.before, f.after, _ = bytes.Cut(body, place)
	}
	return f, nil
}

// payload gives the path and the body of a question.
func (r *Remote) payload(prompt Prompt) (path string, body []byte, err error) {
	f := r.form.Load()
	if f == nil || f.system != prompt.System {
		if f, err = newForm(r.wire, r.model, prompt.System); err != nil {
			return "", nil, err
		}
		r.form.Store(f)
	}
	if f.after == nil {
		path, question := r.wire.Question(r.model, prompt)
		body, err = json.Marshal(question)
		return path, body, err
	}
	user := []byte(prompt.quoted)
	if prompt.quoted == "" {
		if user, err = json.Marshal(prompt.User); err != nil {
			return "", nil, err
		}
	}
	return f.path, slices.Concat(f.before, user, f.after), nil
}
