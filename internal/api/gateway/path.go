package gateway

// The path of a request, without the stage and the base path of a custom domain.

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// withSlash gives the address to redirect to for the root without its final slash, such as
// /dev of a stage, and otherwise an empty text. The page at the root has relative addresses,
// which would not lead below the stage there.
func withSlash(event *events.APIGatewayProxyRequest) string {
	sent := event.RequestContext.Path
	if event.Resource != "/" || event.HTTPMethod != http.MethodGet || sent == "" || strings.HasSuffix(sent, "/") {
		return ""
	}
	// It is relative, so that it can't lead to another host.
	location := url.URL{Path: "./" + path.Base(sent) + "/", RawQuery: queryOf(event).Encode()}
	return location.String()
}

// maxBase is the most segments that a base path has.
const maxBase = 16

// pathOf gives the escaped path of one of the API's routes. It begins with a slash.
func pathOf(event *events.APIGatewayProxyRequest) string {
	path := event.Path
	if path == "" {
		path = withoutStage(event.RequestContext.Path, event.RequestContext.Stage)
	}
	return withoutBase(escaped("/"+strings.TrimPrefix(path, "/")), event.Resource, event.PathParameters)
}

func withoutStage(path, stage string) string {
	rest, found := strings.CutPrefix(path, "/"+stage)
	if stage == "" || !found || (rest != "" && rest[0] != '/') {
		return path
	}
	return rest
}

// escaped escapes the bytes that are not allowed in a path, and does not change escapes.
func escaped(path string) string {
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~!$&'()*+,;=:@/", c) >= 0,
			c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// withoutBase removes segments at the beginning until the path fits the resource that API
// Gateway has matched, such as /v1/consensus/{id}. A path that never fits is not changed.
func withoutBase(path, resource string, parameters map[string]string) string {
	if resource == "" {
		return path
	}
	rest := path
	for range maxBase {
		if fits(rest, resource, parameters) {
			return rest
		}
		next := strings.IndexByte(rest[1:], '/')
		if next < 0 {
			break
		}
		rest = rest[1+next:]
	}
	if strings.Trim(resource, "/") == "" && !strings.Contains(strings.Trim(path, "/"), "/") {
		return "/" // the path is the base path alone
	}
	return path
}

// fits reports whether a path belongs to a resource. {name} stands for one segment, and
// {name+} for all segments that follow, whose value API Gateway sends as a parameter.
func fits(path, resource string, parameters map[string]string) bool {
	rest := strings.TrimPrefix(path, "/")
	if resource = strings.Trim(resource, "/"); resource == "" {
		return rest == ""
	}
	for want := range strings.SplitSeq(resource, "/") {
		name, isParameter := strings.CutPrefix(want, "{")
		if name, isGreedy := strings.CutSuffix(name, "+}"); isParameter && isGreedy {
			value, isKnown := parameters[name]
			return rest != "" && (!isKnown || same(strings.Trim(rest, "/"), strings.Trim(value, "/")))
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if segment == "" || (!isParameter && !same(segment, want)) {
			return false
		}
	}
	return rest == ""
}

// same reports whether two texts are the same path, even if only one of them is escaped.
func same(a, b string) bool {
	if a == b {
		return true
	}
	plainA, errA := url.PathUnescape(a)
	plainB, errB := url.PathUnescape(b)
	return errA == nil && (plainA == b || (errB == nil && plainA == plainB))
}
