package provider

// Writing a question. Every request of a provider is the same but for the user
// text, so it is marshalled once. The text is sent from where it is: a large one is
// held once, however many providers are asked.

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// form is a request body around the place of the user text.
type form struct {
	system string // the system text that is in it
	path   string
	before string
	after  string // empty: the place could not be told, so each body is marshalled whole
}

// parts are the body of a request, sent one after the other. No parts are no body.
type parts [3]string

// sendWith makes p the body of a request. The transport can read it again where a
// connection turns out to be closed before anything was sent.
func (p parts) sendWith(request *http.Request) {
	size := len(p[0]) + len(p[1]) + len(p[2])
	open := func() io.Reader { return &unsent{p} }
	if size <= writeBuffer {
		// The transport sends the header on its own unless it knows the reader. A usual
		// question goes out by one write.
		whole := p[0] + p[1] + p[2]
		open = func() io.Reader { return strings.NewReader(whole) }
	}
	request.ContentLength = int64(size)
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(open()), nil }
	request.Body, _ = request.GetBody()
}

// unsent reads parts, none of which it copies.
type unsent struct{ left parts }

func (u *unsent) Read(into []byte) (n int, err error) {
	for i := range u.left {
		copied := copy(into[n:], u.left[i])
		u.left[i] = u.left[i][copied:]
		n += copied
	}
	if n == 0 && len(into) > 0 {
		return 0, io.EOF
	}
	return n, nil
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
	if text, place := string(body), `"`+placeholder+`"`; strings.Count(text, place) == 1 {
		f.before, f.after, _ = strings.Cut(text, place)
	}
	return f, nil
}

// payload gives the path and the body of a question.
func (r *Remote) payload(prompt Prompt) (path string, body parts, err error) {
	f := r.form.Load()
	if f == nil || f.system != prompt.System {
		if f, err = newForm(r.wire, r.model, prompt.System); err != nil {
			return "", parts{}, err
		}
		r.form.Store(f)
	}
	if f.after == "" {
		path, question := r.wire.Question(r.model, prompt)
		whole, err := json.Marshal(question)
		return path, parts{string(whole)}, err
	}
	user := prompt.quoted
	if user == "" {
		quoted, err := json.Marshal(prompt.User)
		if err != nil {
			return "", parts{}, err
		}
		user = string(quoted)
	}
	return f.path, parts{f.before, user, f.after}, nil
}
