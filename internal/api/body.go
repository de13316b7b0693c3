package api

// Reading a request body: bounded in bytes, time and nesting, and proved to be
// one JSON object in UTF-8 before anybody looks at its fields.

import (
	"bytes"
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

// requestBody is embedded in the input of operations that have a body. huma
// calls Resolve, which is where the body is read: huma's own reading has other
// refusals, and keeps neither digits nor the places of mistakes.
type requestBody struct {
	raw      []byte
	document strictjson.Value // raw, read as JSON
}

// Resolve reads the body of the request that ctx belongs to.
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

// readBody gives the body without a byte order mark.
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
	var body bytes.Buffer
	var err error
	from := http.MaxBytesReader(x.w, x.r.Body, limit)
	n := x.r.ContentLength
	body.Grow(int(min(max(n, 0), usualBody)) + bytes.MinRead)
	if n > usualBody { // room for all of it once some has come: a header alone must not cost memory
		if _, err = body.ReadFrom(io.LimitReader(from, usualBody)); err == nil {
			body.Grow(int(n-usualBody) + bytes.MinRead)
		}
	}
	if err == nil {
		_, err = body.ReadFrom(from)
	}
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
	return strictjson.WithoutBOM(body.Bytes()), nil
}

// usualBody is what few bodies exceed.
const usualBody = 16 << 10

// discard reads a body that is too large, up to a bound, and drops it: a client
// that is still sending when the connection closes never reads why. One that
// waits to be told to go on is not.
func (x *exchange) discard() {
	x.w.Header().Set("Connection", "close")
	if x.r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, x.r.Body, 8<<20)
	}
}

// boundBody sets when the body has to be here, also where nobody reads it: the
// server would wait for its rest. net/http takes the deadline off once the body
// has been read, so that a long run is not ended by it.
func (x *exchange) boundBody() {
	if x.r.ContentLength != 0 {
		// Where there is no connection, who calls us has the whole body.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(x.server.options.bodyTime))
	}
}

// checkMediaType refuses bodies that say of themselves that they are no JSON.
// One that says nothing is looked at.
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

// parseBody refuses what is no JSON document, saying where.
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
