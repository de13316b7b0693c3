package simulator

// One request: how it is checked and answered, and how the answer is sent, as it should be
// or in one of the ways in which networks and proxies spoil it.

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	sent           *bytes.Buffer // the part of its body that is written; nil: nobody wants to know
}

// check gives the question, or nil if the list of models is asked for. unread is the error
// of reading the body.
func (c *call) check(unread error) (*question, *problem) {
	model, isQuestion := c.format.asks(c.path)
	var large *http.MaxBytesError
	switch {
	case errors.As(unread, &large):
		return nil, &problem{condition: "too_large"}
	case unread != nil:
		return nil, bad("", "The body cannot be read.")
	case !isQuestion && c.path != c.format.models:
		return nil, &problem{condition: "not_found", message: "There is nothing at " + c.path + "."}
	case isQuestion && c.r.Method != http.MethodPost, !isQuestion && c.r.Method != http.MethodGet:
		return nil, &problem{condition: "method_not_allowed"}
	case c.r.URL.Query().Has("key"):
		return nil, bad("key", "A key in the URL reaches logs: send it in the header.")
	}
	if c.key = c.format.key(c.r.Header); c.key == "" && !c.format.keyless {
		return nil, &problem{condition: "missing_key"}
	}
	switch version := c.r.Header.Get("Anthropic-Version"); {
	case c.provider != Anthropic || version == anthropicVersion:
	case version == "":
		return nil, bad("", "anthropic-version: header is required")
	default:
		return nil, bad("", fmt.Sprintf("anthropic-version: %q is not a valid version", version))
	}
	if !isQuestion {
		return nil, nil
	}
	if mediaType, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); mediaType != "application/json" {
		return nil, bad("", "Content-Type must be application/json.")
	}
	body, err := parseFields(c.body)
	if err != nil {
		return nil, bad("", "The body is not a JSON object: "+err.Error())
	}
	if wrong := check(c.format.rules, body); wrong != nil {
		return nil, wrong
	}
	asked, wrong := c.format.read(body, model)
	if wrong != nil {
		return nil, wrong
	}
	if !strings.HasPrefix(asked.model, c.format.modelPrefix) {
		return nil, &problem{condition: "not_found", message: "model: " + asked.model + " does not exist.", param: "model"}
	}
	return &asked, nil
}

// compose writes the answer to a question, or the list of models, as the fault changes it.
func (c *call) compose(asked *question) []byte {
	if asked == nil {
		return encode(c.format.list(c.format.listed))
	}
	text := encode(decide(c.provider, asked.user))
	if c.fault.vote != nil {
		text = reshape(text, func(vote fields) { c.fault.vote(vote, c.key) })
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

// reshape decodes a JSON object, changes it and encodes it again.
func reshape(object []byte, change func(fields)) []byte {
	f, err := parseFields(object)
	if err != nil {
		panic(fmt.Sprintf("simulator: its own answer is not an object: %v", err)) // unreachable
	}
	change(f)
	return encode(f)
}

// fail answers with an error as the provider writes it.
func (c *call) fail(p *problem) {
	row := p.row(c.provider, c.key)
	m := c.message(row.status, encode(c.format.problem(row, p, c.id)))
	if p.status != 0 {
		m.status = p.status
	} else if c.provider == "openrouter" && slices.Contains(upstream, p.condition) {
		m.status = http.StatusOK
	}
	if c.provider != Gemini || p.wait.form != ownForm { // Gemini has its own form in the body
		p.wait.setHeader(m.header)
	}
	if m.status == http.StatusMethodNotAllowed {
		m.header.Set("Allow", "GET, POST")
	}
	sendWhole(c, m)
}

// message is a finished answer.
type message struct {
	status int
	header http.Header
	body   []byte
}

func (c *call) message(status int, body []byte) message {
	header := http.Header{"Content-Type": {"application/json"}}
	if c.format.idHeader != "" {
		header.Set(c.format.idHeader, c.id)
	}
	return message{status, header, body}
}

const (
	proxyPage      = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway</h1></center></body></html>\n"
	redirectTarget = "/elsewhere"
)

// writeHeader writes the status and the headers.
func (c *call) writeHeader(m message) {
	maps.Copy(c.w.Header(), m.header)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(m.body)))
	c.status, c.length = m.status, len(m.body)
	c.w.WriteHeader(m.status)
}

// write sends a part of the body at once. A client that has left needs nothing.
func (c *call) write(part []byte) {
	n, _ := c.w.Write(part)
	if c.sent != nil {
		c.sent.Write(part[:n])
	}
	_ = http.NewResponseController(c.w).Flush() // a test's recorder may have nothing to flush
}

// sendWhole sends an answer as it should be.
func sendWhole(c *call, m message) {
	c.writeHeader(m)
	c.write(m.body)
}

func sendBody(status int, mediaType, body string) func(*call, message) {
	return func(c *call, m message) {
		m.status, m.body = status, []byte(body)
		m.header.Set("Content-Type", mediaType)
		sendWhole(c, m)
	}
}

func sendRedirect(c *call, m message) {
	m.header.Set("Location", redirectTarget)
	m.status, m.body = http.StatusTemporaryRedirect, nil
	sendWhole(c, m)
}

func sendNever(c *call, _ message) {
	<-c.r.Context().Done()
	abort()
}

func sendLate(c *call, m message) {
	c.pause(c.slow)
	sendWhole(c, m)
}

func sendDrip(c *call, m message) {
	c.writeHeader(m)
	for i := range m.body {
		c.write(m.body[i : i+1])
		c.pause(c.slow / time.Duration(len(m.body)))
	}
}

// sendReset ends the connection so that the client sees a TCP reset instead of an orderly
// end.
func sendReset(c *call, _ message) {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil { // it is not a plain HTTP/1 connection
		abort()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func sendHalf(c *call, m message) {
	c.writeHeader(m)
	c.write(m.body[:len(m.body)/2])
	abort()
}

// abort ends the request and its connection without another byte. The HTTP server knows
// this panic and does not log it.
func abort() { panic(http.ErrAbortHandler) }

// pause waits, and aborts the request if the client leaves first.
func (c *call) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.r.Context().Done():
		abort()
	}
}
