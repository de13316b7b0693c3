package api

// A Problem is a refusal as RFC 9457 writes it, with every mistake of the request.

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// Problem is the body of every error, except on the compatibility route.
type Problem struct {
	Type      string           `json:"type" format:"uri-reference" doc:"The kind of problem: the path of its explanation."`
	Title     string           `json:"title" doc:"The kind of problem in words."`
	Status    int              `json:"status" minimum:"400" maximum:"599" doc:"The HTTP status."`
	Detail    string           `json:"detail" doc:"What happened this time, and what to do next."`
	Instance  string           `json:"instance" format:"uri-reference" doc:"The path that was asked for."`
	RequestID string           `json:"request_id" doc:"As in the header X-Request-Id and in the server's log."`
	Retryable bool             `json:"retryable" doc:"Whether the same request may succeed later."`
	Errors    []Mistake        `json:"errors,omitempty" doc:"Every mistake of the request with its place."`
	Failures  []signal.Failure `json:"failures,omitempty" doc:"Every provider that was asked and gave no vote."`

	kind       *kind
	retryAfter time.Duration // 0: none is sent
	cause      error         // for the log only
	run        string        // id of the run without a decision, for the log only
}

// Mistake is a mistake in one field.
type Mistake struct {
	Location string          `json:"location" doc:"The field, also if it is missing or unknown."`
	Message  string          `json:"message" doc:"What is wrong and what to send instead."`
	Value    json.RawMessage `json:"value,omitempty" doc:"What was sent, unless it is an object or a list; texts are cut at 100 characters."`
}

// Error makes a Mistake an error, which huma collects.
func (m Mistake) Error() string { return m.Location + ": " + m.Message }

func (p *Problem) Error() string { return p.Detail }

// GetStatus is read by huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is read by huma. JSON is the only form, whatever the Accept header says.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is read by huma.
func (p *Problem) GetHeaders() http.Header {
	header := http.Header{}
	if p.retryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((p.retryAfter+time.Second-1)/time.Second), 10))
	}
	return header
}

// invalid makes the problem of a request with mistakes.
func invalid(mistakes []Mistake) *Problem {
	p := invalidRequest.problem("")
	p.Errors = mistakes
	const named = 5
	places := make([]string, 0, named)
	for _, m := range mistakes[:min(len(mistakes), named)] {
		places = append(places, m.Location)
	}
	if more := len(mistakes) - named; more > 0 {
		places = append(places, fmt.Sprintf("%d more", more))
	}
	p.Detail = "Something is wrong at " + strings.Join(places, ", ") + "."
	return p
}

// Refusal is the problem of a kind, by its name, for a handler in front of this one. path is
// that of the request, escaped. An empty detail is that of the kind. Its request id is left to
// the caller.
func Refusal(name, path, detail string) *Problem {
	p := kindNamed(name).problem(detail)
	p.Instance = strictjson.Cut(path, maxInstance)
	return p
}

const maxInstance = 300 // characters

// finish adds the data of the request to a problem, logs it, and gives it the shape of the
// route's errors.
func (x *exchange) finish(p *Problem) huma.StatusError {
	p.Instance, p.RequestID = strictjson.Cut(x.r.URL.EscapedPath(), maxInstance), x.id
	attrs := []slog.Attr{slog.String("request_id", x.id), slog.String("problem", p.kind.name), slog.Int("status", p.Status),
		slog.String("method", x.r.Method), slog.String("path", p.Instance), slog.String("detail", p.Detail)}
	if p.run != "" {
		attrs = append(attrs, slog.String("run", p.run))
	}
	attrs = append(attrs, x.callerAttr()...)
	if p.cause != nil {
		attrs = append(attrs, slog.String("cause", p.cause.Error()))
		if x.server.options.Causes {
			p.Detail += " The cause: " + p.cause.Error()
		}
	}
	x.server.log.LogAttrs(x.r.Context(), p.kind.level, "Refused:", attrs...)
	if x.r.URL.Path == compatPath {
		return compatErrorOf(p)
	}
	return p
}

// write answers with a problem outside of huma's operations.
func (x *exchange) write(p *Problem) {
	refused := x.finish(p)
	header := x.w.Header()
	for name, values := range p.GetHeaders() {
		header[name] = values
	}
	header.Set("Content-Type", refused.(huma.ContentTypeFilter).ContentType(""))
	header.Set("Cache-Control", "no-store")
	body, err := json.Marshal(refused)
	if err != nil { // unreachable: it holds texts, numbers and valid JSON
		body = nil
	}
	x.w.WriteHeader(refused.GetStatus())
	_, _ = x.w.Write(body) // a client that has left needs nothing
}

// refusedByHuma makes problems of what huma refuses: mistakes in parameters that it has
// found, and errors that Resolve methods return.
func refusedByHuma(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
	x := exchangeOf(ctx.Context())
	var mistakes, found []Mistake // ours, and those of huma
	for _, err := range errs {
		switch e := err.(type) {
		case *Problem:
			return x.finish(e)
		case Mistake:
			mistakes = append(mistakes, e)
		case *huma.ErrorDetail:
			found = append(found, mistakeOf(e))
		}
	}
	for _, m := range found { // our own mistakes say more about the same place
		if !slices.ContainsFunc(mistakes, func(own Mistake) bool { return covers(own.Location, m.Location) }) {
			mistakes = append(mistakes, m)
		}
	}
	if status >= http.StatusInternalServerError || len(mistakes) == 0 {
		p := internalError.problem("")
		p.cause = fmt.Errorf("huma: %d %s", status, message)
		return x.finish(p)
	}
	return x.finish(invalid(mistakes))
}

// mistakeOf rewords a mistake of a parameter that huma has found.
func mistakeOf(e *huma.ErrorDetail) Mistake {
	m := Mistake{Location: e.Location, Message: e.Message}
	if text, isText := e.Value.(string); isText {
		m.Value = scalarOf(text)
	} else if raw, err := json.Marshal(e.Value); err == nil {
		sent, _ := strictjson.Parse(raw)
		m.Value = cutScalar(sent)
	}
	if rest, found := strings.CutPrefix(m.Message, "expected "); found {
		m.Message = "is not as expected: " + rest
	} else if strings.HasPrefix(m.Message, "invalid ") {
		m.Message = "is an " + m.Message
	} else if strings.HasPrefix(m.Message, "required ") {
		m.Message = "is missing"
	}
	return m
}

const maxValue = 100 // characters of a sent value in an answer

// cutScalar gives a scalar as it was sent. A long one is cut, and a cut number becomes a
// text. For objects and lists it gives nil.
func cutScalar(v strictjson.Value) json.RawMessage {
	text, isText := v.Text()
	switch {
	case !v.IsScalar():
		return nil
	case isText:
		return scalarOf(text)
	case len(v.String()) > maxValue:
		return scalarOf(v.String())
	}
	return json.RawMessage(v.String())
}

// scalarOf gives a text as a JSON value.
func scalarOf(text string) json.RawMessage {
	raw, err := json.Marshal(strictjson.Cut(text, maxValue))
	if err != nil {
		return nil // unreachable: any text can be written
	}
	return raw
}

// fieldMistakes gives the mistakes of fields at a place, such as body. valueAt gives what was
// sent in a field; it may be nil.
func fieldMistakes(place string, errs signal.FieldErrors, valueAt func(field string) json.RawMessage) []Mistake {
	mistakes := make([]Mistake, 0, len(errs))
	for _, e := range errs {
		m := Mistake{Location: place, Message: e.Message}
		if e.Field != "" {
			m.Location += "." + strictjson.Cut(e.Field, 300)
		}
		if valueAt != nil {
			m.Value = valueAt(e.Field)
		}
		if m.Value == nil && e.Value != "" {
			if v, err := strictjson.Parse(e.Value); err == nil && v.IsScalar() {
				m.Value = cutScalar(v)
			} else {
				m.Value = scalarOf(e.Value)
			}
		}
		mistakes = append(mistakes, m)
	}
	return mistakes
}
