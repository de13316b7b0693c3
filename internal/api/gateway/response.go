package gateway

// The answer that the handler writes is collected and made the answer to the event.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxResponse is the largest answer that Lambda allows: 6 MB of JSON, in which the body is
// an escaped text.
const maxResponse = 6 << 20

var errTooLarge = errors.New("the answer is larger than Lambda allows")

// answer is an http.ResponseWriter that collects what is written.
type answer struct {
	header   http.Header // the handler changes these
	sent     http.Header // as it was when the status was written
	status   int         // 0: none yet
	body     bytes.Buffer
	isHead   bool // the request was a HEAD
	tooLarge bool
}

// Header gives the headers, which are sent as they are when the status is written.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader sets status and headers. As in net/http, only the first call counts, and an
// invalid status panics. API Gateway can't send 1xx, so those are ignored.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status %d", status))
	}
	if a.status != 0 || status < 200 {
		return
	}
	a.status, a.sent = status, a.header.Clone()
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case a.tooLarge || a.body.Len()+len(p) > maxResponse:
		a.tooLarge = true
		return 0, errTooLarge
	}
	return a.body.Write(p)
}

// response makes the answer to the event. fits is false if Lambda does not allow its size.
func (a *answer) response() (r events.APIGatewayProxyResponse, fits bool) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.tooLarge {
		return r, false
	}
	body := a.body.Bytes()
	r.StatusCode, r.MultiValueHeaders = a.status, sendable(a.sent)
	if _, set := a.sent["Content-Type"]; !set && len(body) > 0 { // API Gateway's default is JSON
		r.MultiValueHeaders["Content-Type"] = []string{http.DetectContentType(body)}
	}
	switch {
	case a.isHead:
	case utf8.Valid(body):
		r.Body = string(body)
	default:
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	const mostEscaped = 6 // an escaped byte has at most that many bytes
	return r, mostEscaped*len(r.Body) < maxResponse/2 || size(r) <= maxResponse
}

var token = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// sendable leaves out the headers of a connection, which is API Gateway's, and names that
// are not valid. It gives lists of values, so that two headers with one name, such as
// Set-Cookie, both arrive.
func sendable(header http.Header) map[string][]string {
	sent := make(map[string][]string, len(header))
	for name, values := range header {
		switch http.CanonicalHeaderKey(name) {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Trailer", "Content-Length":
			continue
		}
		if !token.MatchString(name) || len(values) == 0 {
			continue
		}
		list := make([]string, len(values))
		for i, value := range values {
			list[i] = strings.TrimSpace(oneLine.Replace(value))
		}
		sent[name] = list
	}
	return sent
}

// size is the length of an answer as Lambda's runtime writes it.
func size(r events.APIGatewayProxyResponse) int {
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return maxResponse + 1 // unreachable: it holds texts and numbers
	}
	return written.Len()
}
