package api

// Reading a request body: bounded in bytes, time and nesting, and proved to be
// one JSON object in UTF-8 before anybody looks at its fields.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/signal"
)

// maxDepth is far more nesting than a request has, and far less than what would
// make the JSON library slow.
const maxDepth = 32

// NoNaN is what senders of bare NaN and Infinity are told.
const NoNaN = "JSON has no NaN: send null or leave the key out"

// requestBody is embedded in the input of operations that have a body. huma
// calls Resolve, which is where the body is read: huma's own reading has other
// refusals, and keeps neither digits nor the places of mistakes.
type requestBody struct {
	raw []byte
}

// Resolve reads the body of the request that ctx belongs to.
func (b *requestBody) Resolve(ctx huma.Context) []error {
	raw, problem := exchangeOf(ctx.Context()).readBody()
	if problem != nil {
		return []error{problem}
	}
	b.raw = raw
	return nil
}

// readBody gives the body where it is JSON that our decoders may see.
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
	document := signal.WithoutBOM(body.Bytes())
	return document, checkJSON(document)
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
		return wrongMediaType.problem(fmt.Sprintf("Content-Encoding %q is not read: send the body uncompressed.", cut(encoding, maxValue)))
	}
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	if err != nil || mediaType != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return wrongMediaType.problem(fmt.Sprintf("Content-Type %q is not read: send application/json in UTF-8.", cut(contentType, maxValue)))
	}
	return nil
}

// checkJSON refuses what is no JSON document, saying where.
func checkJSON(body []byte) *Problem {
	refuse := func(location, message string) *Problem {
		p := unreadableBody.problem("The body can't be read: " + message + ".")
		p.Errors = []Mistake{{Location: location, Message: message}}
		return p
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return refuse("body", "it is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		at := 0
		for at < len(body) {
			r, size := utf8.DecodeRune(body[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		return refuse("body", "it is not UTF-8 at byte "+fmt.Sprint(at))
	}
	if tooDeep(body) {
		return refuse("body", fmt.Sprintf("it is nested deeper than %d levels", maxDepth))
	}
	if json.Valid(body) {
		return nil
	}
	if place, found := FindNaN(body); found {
		return refuse("body"+place, NoNaN)
	}
	var document json.RawMessage
	err := json.Unmarshal(body, &document) // says where
	message := fmt.Sprintf("it is not JSON: %v", err)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := body[:min(int(syntax.Offset), len(body))]
		line, column := 1+bytes.Count(before, []byte("\n")), len(before)-1-bytes.LastIndexByte(before, '\n')
		message += fmt.Sprintf(" (line %d, column %d)", line, column)
	}
	return refuse("body", message)
}

// tooDeep reports whether brackets are open maxDepth levels deep at some place.
func tooDeep(body []byte) bool {
	depth, text, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case text:
			escaped, text = c == '\\', c != '"'
		case c == '"':
			text = true
		case c == '{', c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}
