package provider

// Reading error bodies. Every provider has its own form, and gateways send any of them,
// also one inside another. One reader takes them all.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"thalas/internal/endpoint"
)

// problem is what an error body says.
type problem struct {
	message string        // in the provider's words, not cleaned
	words   []string      // its code, type, status and reasons, in lower case
	status  int           // its code, if that is an HTTP status; 0: none
	wait    time.Duration // the wait that it asks for, 0…15 min; 0: none
}

// quotaPerDay is our word for a quota of a day, for which Gemini has many names.
const quotaPerDay = "quota per day"

// maxNested is the number of error bodies inside one another that are read.
const maxNested = 3

// readProblem reads an error body. isError reports whether it has an error object, which
// makes even an answer with status 200 an error.
func readProblem(body []byte) (p problem, isError bool) { return readNested(body, maxNested) }

func readNested(body []byte, depth int) (p problem, isError bool) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		if !endpoint.IsHTML(body) {
			p.message = string(body)
		}
		return p, false
	}
	var root Fields
	_ = root.UnmarshalJSON(body)
	if list := root.list(); len(list) > 0 {
		root = list[0]
	}
	e := root.At("error")
	if choices := root.At("choices").list(); e.IsNone() && len(choices) > 0 {
		e = choices[0].At("error")
	}
	p.message = cmp.Or(said(e.At("message")), said(e.At("detail")), e.text())
	for _, path := range [...]string{"code", "type", "status", "innererror.code", "metadata.error_type"} {
		p.add(e.At(path))
	}
	isError = p.message != "" || len(p.words) > 0 || p.status != 0
	p.message = cmp.Or(p.message, said(root.At("message")), said(root.At("detail")), root.text())
	p.add(root.At("code"))
	for _, detail := range e.At("details").list() {
		p.add(detail.At("reason"))
		p.wait = max(p.wait, retryDelay(detail.At("retryDelay").text()))
		for _, violation := range detail.At("violations").list() {
			if strings.Contains(violation.At("quotaId").text(), "PerDay") {
				p.words = append(p.words, quotaPerDay)
			}
		}
	}
	if depth == 0 {
		return p, isError
	}
	// The cause may be another error body, in a field of its own or in the message.
	if raw := strings.TrimSpace(e.At("metadata.raw").text()); raw != "" && !endpoint.IsHTML([]byte(raw)) {
		inner, _ := readNested([]byte(raw), depth-1)
		inner.message = strings.TrimRight(p.message, ". ") + ": " + inner.message
		p.merge(inner)
	} else if strings.HasPrefix(strings.TrimSpace(p.message), "{") {
		if inner, _ := readNested([]byte(p.message), depth-1); inner.message != "" {
			p.merge(inner)
		}
	}
	return p, isError
}

// said gives the words of a message: a text, an object around one, or a list of complaints,
// each with the field that it is about.
func said(f Fields) string {
	if f.IsNone() {
		return ""
	}
	var all []string
	for _, complaint := range f.list() {
		all = append(all, said(complaint))
	}
	text := cmp.Or(f.text(), strings.Join(all, "; "))
	for _, name := range [...]string{"message", "detail", "msg"} {
		if text == "" {
			text = said(f.At(name))
		}
	}
	if place := f.At("loc").list(); len(place) > 0 && text != "" {
		text = strings.TrimPrefix(place[len(place)-1].text()+": "+text, ": ")
	}
	return text
}

// add adds a code, which is a name or an HTTP status.
func (p *problem) add(code Fields) {
	if n := code.Number(); n >= http.StatusBadRequest && n < 600 && p.status == 0 {
		p.status = int(n)
	}
	if word := strings.ToLower(strings.TrimSpace(code.text())); word != "" && strings.Trim(word, "0123456789") != "" {
		p.words = append(p.words, word)
	}
}

// merge adds the cause, which is more exact.
func (p *problem) merge(cause problem) {
	p.message = cause.message
	p.words = slices.Concat(cause.words, p.words)
	if p.status == 0 {
		p.status = cause.status
	}
	if cause.wait > 0 {
		p.wait = cause.wait
	}
}

// retryDelay reads a duration as protocol buffers write it in JSON, such as 17.5s. It gives
// 0…15 min; 0 for other text.
func retryDelay(text string) time.Duration {
	seconds, isDuration := strings.CutSuffix(strings.TrimSpace(text), "s")
	if !isDuration {
		return 0
	}
	return endpoint.ParseWait(seconds, time.Second, maxRetryAfter)
}
