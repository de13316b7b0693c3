package simulator

// One request: checked, answered, or refused in its provider's form.

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"time"
)

// call is one request under way.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	format   format
	provider string
	path     string // below the provider's prefix
	body     []byte
	number   int // of the provider's requests, from 1
	id       string
	key      string
	fault    fault
	slow     time.Duration

	status, length int           // of the answer, once its header is written
	sent           *bytes.Buffer // its body as far as it is written; nil: nobody wants to know
}

// check gives the question; nil where the list of models is asked for.
func (s *Server) check(c *call) (*question, *problem) {
	model, question := c.format.asks(c.path)
	switch {
	case !question && c.path != c.format.listPath():
		return nil, &problem{condition: notFound, message: "There is nothing at " + c.path + "."}
	case question && c.r.Method != http.MethodPost, !question && c.r.Method != http.MethodGet:
		return nil, &problem{condition: methodNotAllowed}
	case c.r.URL.Query().Has("key"):
		return nil, bad("key", "A key in the URL reaches logs: send it in the header.")
	}
	var wrong *problem
	if c.key, wrong = c.format.key(c.r.Header); wrong != nil || !question {
		return nil, wrong
	}
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind != "application/json" {
		return nil, bad("", "Content-Type must be application/json.")
	}
	body, err := parseFields(c.body)
	if err != nil {
		return nil, bad("", "The body is not a JSON object: "+err.Error())
	}
	asked, wrong := c.format.read(body, model)
	if wrong != nil {
		return nil, wrong
	}
	if !plausible(asked.model, s.options.Unknown, modelPrefixes[c.provider]) {
		return nil, &problem{condition: notFound, message: "model: " + asked.model + " does not exist.", param: "model"}
	}
	return &asked, nil
}

// compose writes the answer to a question, or the list of models, with what the
// fault changes of it.
func (c *call) compose(asked *question) []byte {
	if asked == nil {
		return encode(c.format.list(listed[c.provider]))
	}
	text := encode(decide(c.provider, asked.user))
	if c.fault.vote != nil {
		text = reshape(text, func(vote map[string]any) { c.fault.vote(vote, c.key) })
	}
	r := reply{question: *asked, id: c.id, number: c.number, text: string(text)}
	if c.fault.reply != nil {
		c.fault.reply(&r)
	}
	r.finish()
	body := encode(c.format.answer(r))
	if c.fault.envelope != nil {
		body = reshape(body, c.fault.envelope)
	}
	return body
}

// fail answers with a problem in the provider's own form.
func (c *call) fail(p *problem) {
	status, body := c.format.problem(p, c.key, c.id)
	if p.status != 0 {
		status = p.status
	}
	m := c.message(status, encode(body))
	if c.provider != Gemini || p.wait.form != ownForm { // which Gemini has in the body
		p.wait.header(m.header, time.Now())
	}
	if status == http.StatusMethodNotAllowed {
		m.header.Set("Allow", "GET, POST")
	}
	sendWhole(c, m)
}

func (c *call) message(status int, body []byte) message {
	m := message{status, http.Header{}, body}
	m.header.Set("Content-Type", "application/json")
	if id, name := c.format.requestID(c.number); name != "" {
		m.header.Set(name, id)
	}
	return m
}

// unreadable is a request whose body did not arrive.
func unreadable(err error) *problem {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &problem{condition: tooLarge}
	}
	return bad("", "The body cannot be read.")
}
