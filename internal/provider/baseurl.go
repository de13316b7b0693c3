package provider

// The configurable base URL: which notations mean the same.

import (
	"fmt"
	"net/url"
	"strings"
)

// parseBaseURL gives base as scheme, host and path without a slash or the
// version segment (/v1) at its end, so that the wire format's paths can be
// appended. A path before the version is kept. An address to which a key would go
// readable is refused. Errors say nothing of a query or a user, since those may
// hold secrets.
func parseBaseURL(base, version string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	switch {
	case err != nil, u.Opaque != "", u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", fmt.Errorf("is not an absolute http or https URL such as https://host or https://host/path")
	case u.User != nil:
		return "", fmt.Errorf("holds a user name: remove it, the key goes into a header")
	case u.RawQuery != "" || u.ForceQuery:
		return "", fmt.Errorf("holds a query: remove what follows the ?")
	case u.Fragment != "":
		return "", fmt.Errorf("holds a fragment: remove what follows the #")
	}
	if err := checkPlain(u); err != nil {
		return "", err
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, version), "/")
	return u.Scheme + "://" + u.Host + path, nil
}

// versionOf gives the first segment of a path, with its slash.
func versionOf(path string) string {
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[:i+1]
	}
	return path
}
