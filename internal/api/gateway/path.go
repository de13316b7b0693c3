package gateway

// Which path was asked for: stage and base path of a custom domain are no part of it.

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// maxBase is how many segments of a base path are cut off at most.
const maxBase = 16

// pathOf gives the escaped path that the API's routes know. It begins with a slash.
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

// escaped escapes what no path can hold, and leaves escapes as they are.
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

// withoutBase cuts off segments until the path fits the resource that API Gateway
// has matched, such as /v1/consensus/{id}. A path that never fits stays whole.
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
		return "/" // the base path alone
	}
	return path
}

// fits reports whether a path is one of a resource. {name} stands for a segment,
// {name+} for all that follow, whose value API Gateway tells.
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

// same reports whether two texts are the same path, escaped or not.
func same(a, b string) bool {
	if a == b {
		return true
	}
	plainA, errA := url.PathUnescape(a)
	plainB, errB := url.PathUnescape(b)
	return errA == nil && (plainA == b || (errB == nil && plainA == plainB))
}
