package provider

// The body of a question. All questions to a provider are the same except for the user
// text, so the rest is marshalled once. A large text is never copied, however many providers
// are asked.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
)

// form is the body of all questions with one system text, without the user text.
type form struct {
	system string
	path   string
	before string
	after  string // empty: the place of the user text is not certain, so each body is marshalled whole
}

// parts are the parts of a request's body, in order. Without parts there is no body.
type parts [3]string

// sendWith gives the request with p as its body. The transport can read it again if a
// connection turns out to be closed before anything was sent. sent becomes true just before
// the end of the body is sent: a failure before that costs nothing, a later one may be
// billed.
func (p parts) sendWith(request *http.Request, sent *atomic.Bool) *http.Request {
	size := len(p[0]) + len(p[1]) + len(p[2])
	open := func() io.Reader { return &unsent{p, sent} }
	if size <= writeBuffer {
		// net/http sends header and body by one write if the body is a strings.Reader.
		whole := p[0] + p[1] + p[2]
		open = func() io.Reader { return strings.NewReader(whole) }
		request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}))
	}
	request.ContentLength = int64(size)
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(open()), nil }
	request.Body, _ = request.GetBody()
	return request
}

// unsent reads parts without joining them.
type unsent struct {
	left parts
	sent *atomic.Bool // becomes true when everything is read
}

func (u *unsent) Read(into []byte) (n int, err error) {
	for i := range u.left {
		copied := copy(into[n:], u.left[i])
		u.left[i] = u.left[i][copied:]
		n += copied
	}
	if u.left == (parts{}) {
		u.sent.Store(true)
	}
	if n == 0 && len(into) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// placeholder is the user text of the question from which a form is made.
const placeholder = "\u2402the user text goes here\u2403"

// newForm marshals a question and splits it at its user text.
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

// WriteIdentity writes the address and the request of r's questions, without the key and
// the user text.
func (r *Remote) WriteIdentity(w io.Writer) {
	path, body, err := r.payload(Prompt{System: system, User: placeholder})
	if err != nil { // such a question is not sent either
		path = err.Error()
	}
	_, _ = io.WriteString(w, r.base+path+" "+body[0]+body[1]+body[2]) // a hash takes everything
}
