package gateway

// A proxy event is made an http.Request such as net/http's own server would make.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"thalas/internal/api"
)

const requestIDHeader = "X-Request-Id"

// requestOf makes the request of an event, or the problem of an event that is not a request.
func requestOf(ctx context.Context, event *events.APIGatewayProxyRequest, id string) (*http.Request, *api.Problem) {
	method := cmp.Or(event.HTTPMethod, event.RequestContext.HTTPMethod)
	if method == "" {
		return nil, api.Refusal("unreadable-event", "/",
			"The event has no HTTP method: this function answers proxy events of an API Gateway REST API (payload format 1.0).")
	}
	address := addressOf(event)
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, api.Refusal("unreadable-body", address.EscapedPath(),
				"The body can't be read: the event says that it is base64, and it is not.")
		}
	}
	header, host := headersOf(event, id, len(body))
	r := &http.Request{
		Method: method, URL: address, RequestURI: address.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: host, RemoteAddr: remoteAddr(event.RequestContext.Identity.SourceIP),
		Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r.WithContext(ctx), nil
}

// addressOf gives the path and the query, the only parts of a URL that a server receives.
func addressOf(event *events.APIGatewayProxyRequest) *url.URL {
	escaped := pathOf(event)
	path, err := url.PathUnescape(escaped)
	if err != nil {
		path = escaped // unreachable: pathOf has escaped it
	}
	address := &url.URL{Path: path, RawQuery: queryOf(event).Encode()}
	if address.EscapedPath() != escaped {
		address.RawPath = escaped
	}
	return address
}

// queryOf gives the query. API Gateway has decoded it.
func queryOf(event *events.APIGatewayProxyRequest) url.Values {
	query := url.Values{}
	for name, value := range event.QueryStringParameters {
		query.Set(name, value)
	}
	for name, values := range event.MultiValueQueryStringParameters {
		if len(values) > 0 {
			query[name] = values
		}
	}
	return query
}

// headersOf gives the headers for the handler, and the host, which net/http does not count
// among them.
func headersOf(event *events.APIGatewayProxyRequest, id string, length int) (header http.Header, host string) {
	header = http.Header{}
	for _, name := range slices.Sorted(maps.Keys(event.MultiValueHeaders)) { // sorted, so that two spellings of a name always have the same order
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		header[canonical] = append(header[canonical], event.MultiValueHeaders[name]...)
	}
	single := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(event.Headers)) {
		single.Add(name, event.Headers[name])
	}
	for name, values := range single {
		if len(header[name]) == 0 {
			header[name] = values
		}
	}
	host = cmp.Or(header.Get("Host"), event.RequestContext.DomainName)
	for _, name := range [...]string{
		"Host",
		"X-Api-Key",                           // API Gateway has checked it
		"Content-Length", "Transfer-Encoding", // of the connection to API Gateway
		"Accept-Encoding", // API Gateway compresses answers itself (MinimumCompressionSize), which it gets as text
	} {
		header.Del(name)
	}
	if length > 0 {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	header.Set(requestIDHeader, id)
	return header, host
}

// remoteAddr gives the client's address in the form of net/http, with port 0, since the
// port is not known. It is empty if there is no address, as in a test from the console.
func remoteAddr(sourceIP string) string {
	ip, err := netip.ParseAddr(strings.TrimSpace(sourceIP))
	if err != nil {
		return ""
	}
	return net.JoinHostPort(ip.String(), "0")
}
