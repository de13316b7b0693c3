package api

// Who may ask: API keys, and a web page of somebody else never.

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const keyHeader = "x-api-key"

type keyHash = [sha256.Size]byte

// keyHashes reads the accepted hashes. One that can't be read stays in the list
// as a hash that no key has: keys are asked for, and nobody gets in by mistake.
func keyHashes(texts []string) []keyHash {
	hashes := make([]keyHash, len(texts))
	for i, text := range texts {
		raw, err := hex.DecodeString(strings.TrimSpace(text))
		if err == nil && len(raw) == sha256.Size {
			copy(hashes[i][:], raw)
		}
	}
	return hashes
}

// admit refuses a request that may not be answered, and notes who sent it.
func (s *server) admit(x *exchange) *Problem {
	if err := s.origins.Check(asUnsafe(x.r)); err != nil {
		return crossOrigin.problem("A page of another origin may not send this request from a browser.")
	}
	// A page of anywhere can let its own name stand for 127.0.0.1, and is then of
	// one origin with us.
	if s.options.Local && !isLocalHost(x.r.Host) {
		return crossOrigin.problem("This server answers to localhost and to its address only, not to another name.")
	}
	if len(s.keys) == 0 {
		return nil
	}
	key := x.r.Header.Get(keyHeader)
	if hash, known := s.known(key); known {
		x.caller, x.keyed = hash, true
		return nil
	}
	if isOpen(x.r) {
		return nil
	}
	problem := unauthorized.problem("An API key is needed: send it in the header x-api-key.")
	if key != "" {
		if problem = s.guesses.slowDown(x.r.Context(), addressOf(x.r), s.log); problem == nil {
			problem = unauthorized.problem("The API key in the header x-api-key is not accepted.")
		}
	}
	if problem.Status == http.StatusUnauthorized {
		x.w.Header().Set("WWW-Authenticate", `ApiKey header="`+keyHeader+`"`)
	}
	return problem
}

// known gives the hash of an accepted key. No key at all is never accepted, even if
// its hash is configured.
func (s *server) known(key string) (hash string, known bool) {
	sum := sha256.Sum256([]byte(key))
	found := 0
	for i := range s.keys { // all of them: the time says nothing about which
		found |= subtle.ConstantTimeCompare(s.keys[i][:], sum[:])
	}
	return hex.EncodeToString(sum[:]), found == 1 && key != ""
}

// asUnsafe gives a request as the check of its origin is to see it. That check lets
// every GET pass, but a probe calls the providers.
func asUnsafe(r *http.Request) *http.Request {
	if r.URL.Path != healthPath || !mayProbe(r.URL.RawQuery) {
		return r
	}
	unsafe := *r
	unsafe.Method = http.MethodPost
	return &unsafe
}

// isLocalHost reports whether a Host header is localhost or an address.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// isOpen reports whether a route needs no key.
func isOpen(r *http.Request) bool {
	switch p := r.URL.Path; {
	case p == livePath, p == readyPath:
		return true
	case p == "/openapi.json", p == "/openapi.yaml", p == "/docs", strings.HasPrefix(p, problemPath):
		return true
	case p == healthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return !mayProbe(r.URL.RawQuery)
	}
	return false
}

// mayProbe reports whether a query could be read as probe=true. What can't be
// read needs the key.
func mayProbe(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return true
	}
	for _, value := range values["probe"] {
		if off, err := strconv.ParseBool(value); err != nil || off {
			return true
		}
	}
	return false
}
