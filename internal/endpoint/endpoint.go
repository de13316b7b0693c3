package endpoint

// The address of a service, and answers that are not the service's.

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
)

// ParseBase reads the base URL of a service: http or https, a host, and a path or
// none. Errors quote nothing of it, since a user or a query may hold a secret; they
// are written to stand behind the name of the variable that holds the URL.
func ParseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Opaque != "", u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("is not an address: give an absolute http or https URL such as https://host or https://host/path")
	case u.User != nil:
		return nil, errors.New("holds a user name: remove what stands before the @")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("holds a query: remove what follows the ?")
	case u.Fragment != "":
		return nil, errors.New("holds a fragment: remove what follows the #")
	}
	return u, nil
}

// Base writes a URL of [ParseBase] so that the path of a request can be appended: it
// ends neither with a slash nor with the version segment (such as /v1), which the
// paths of requests have. An empty version is none.
func Base(u *url.URL, version string) string {
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, version), "/")
	return u.Scheme + "://" + u.Host + path
}

// IsHTML reports whether a body is a page, as proxies and firewalls send them.
func IsHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }
