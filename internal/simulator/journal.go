package simulator

// What the server was asked: counters, and the last requests for tests to read.

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// Request is one request as it arrived. Its header's values are not kept: one of
// them is a key.
type Request struct {
	Provider string // empty: the path named none
	Number   int    // of the provider's requests, from 1
	Method   string
	Path     string // with the provider's prefix, without the query
	Headers  []string
	Body     []byte
	Fault    string // the scripted fault; ok: none
}

// journal keeps the counters and the last requests.
type journal struct {
	mu    sync.Mutex
	keep  int
	count map[string]int // guarded by mu
	last  []Request      // guarded by mu; oldest first
}

// note counts a request and says which number and which fault it has.
func (j *journal) note(provider string, faults map[string][]Fault, r *http.Request, body []byte) (number int, fault string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == nil {
		j.count = make(map[string]int)
	}
	j.count[provider]++
	number = j.count[provider]
	fault = scripted(faults[provider], number)
	if len(j.last) == j.keep {
		j.last = slices.Delete(j.last, 0, 1)
	}
	j.last = append(j.last, Request{provider, number, r.Method, r.URL.Path, sortedKeys(r.Header), body, fault})
	return number, fault
}

// Requests gives how many requests each provider got since the start; those
// whose path named no provider are under the empty name.
func (s *Server) Requests() map[string]int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return maps.Clone(s.journal.count)
}

// Recorded gives the last requests, Options.Keep at most, in the order in which
// they arrived.
func (s *Server) Recorded() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.last)
}
