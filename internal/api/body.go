package api

// Reading a request body. Its bytes, time and nesting are limited, and it must be one JSON
// document in UTF-8 before its fields are read.

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/strictjson"
)

// requestBody is embedded in the input of operations that have a body. Its Resolve reads the
// body, because huma would lose the digits of numbers and the places of mistakes.
type requestBody struct {
	raw      []byte
	document strictjson.Value // raw, parsed
}

// Resolve reads the body. huma calls it.
func (b *requestBody) Resolve(ctx huma.Context) []error {
	var problem *Problem
	if b.raw, problem = exchangeOf(ctx.Context()).readBody(); problem == nil {
		b.document, problem = parseBody(b.raw)
	}
	if problem != nil {
		return []error{problem}
	}
	return nil
}

// readBody reads the body, and removes a byte order mark.
func (x *exchange) readBody() ([]byte, *Problem) {
	if p := checkMediaType(x.r.Header); p != nil {
		return nil, p
	}
	limit := x.server.options.MaxBody
	tooLarge := func() *Problem {
		return bodyTooLarge.problem(fmt.Sprintf("The body is over the limit of %d KiB: send at most 500 candles and fewer indicators.", limit>>10))
	}
	if x.r.ContentLength > limit {
		x.discard()
		return nil, tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, limit)) // its memory grows as the body arrives
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		x.discard()
		return nil, tooLarge()
	case err != nil:
		x.w.Header().Set("Connection", "close")
		p := unreadableBody.problem("The body ended early or did not arrive in time: send it whole, with its Content-Length.")
		p.Errors = []Mistake{{Location: "body", Message: "ended early or did not arrive in time"}}
		p.cause = err
		return nil, p
	}
	return strictjson.WithoutBOM(body), nil
}

// discard reads and drops a body that is too large, up to a limit: a client that is still
// sending when the connection closes never reads the answer. A client that waits for
// permission to send needs no reading.
func (x *exchange) discard() {
	x.w.Header().Set("Connection", "close")
	if x.r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, x.r.Body, 8<<20)
	}
}

// boundBody limits the time in which the body must arrive, also if no handler reads it,
// since the server waits for the rest of it. net/http removes the deadline when the body has
// been read, so it does not end a long run.
func (x *exchange) boundBody() {
	if x.r.ContentLength != 0 {
		// An error means that there is no connection: then the caller has the whole body.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(x.server.options.bodyTime))
	}
}

// checkMediaType refuses a body whose headers say that it is not plain JSON. A body without
// a Content-Type is accepted.
func checkMediaType(header http.Header) *Problem {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return wrongMediaType.problem(fmt.Sprintf("Content-Encoding %q is not read: send the body uncompressed.", strictjson.Cut(encoding, maxValue)))
	}
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	if err != nil || mediaType != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return wrongMediaType.problem(fmt.Sprintf("Content-Type %q is not read: send application/json in UTF-8.", strictjson.Cut(contentType, maxValue)))
	}
	return nil
}

// parseBody parses a body. The problem says where it is not JSON.
func parseBody(body []byte) (strictjson.Value, *Problem) {
	document, err := strictjson.Parse(body)
	var wrong *strictjson.Error
	if !errors.As(err, &wrong) {
		return document, nil
	}
	message := wrong.Error()
	switch wrong.Kind {
	case strictjson.Empty:
		message += ": send a JSON object"
	case strictjson.Syntax, strictjson.Trailing:
		message = "it is not JSON: " + message
	}
	p := unreadableBody.problem("The body can't be read: " + message + ".")
	p.Errors = []Mistake{{Location: "body" + wrong.Place, Message: message}}
	return document, p
}
