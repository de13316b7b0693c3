package venuetest

// The server. It finds the venue of a request, follows its script, and records the request.

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thalas/internal/signal"
)

// Server answers for all venues, each below its name: /kraken, /coinbase, /okx,
// /binance, /binanceus. It is an http.Handler; Serve also starts it on loopback.
type Server struct {
	*httptest.Server // nil if Serve has not made it
	now              func() time.Time

	mu       sync.Mutex
	script   map[string][]Fault  // guarded by mu; by venue
	always   map[string]Fault    // guarded by mu
	requests map[string][]string // guarded by mu
}

// New makes a server that does not listen. Its newest candle is the one that is open at
// now.
func New(now func() time.Time) *Server {
	return &Server{now: now, script: map[string][]Fault{}, always: map[string]Fault{}, requests: map[string][]string{}}
}

// Serve makes a server that listens on loopback until Close.
func Serve(now func() time.Time) *Server {
	s := New(now)
	s.Server = httptest.NewServer(s)
	return s
}

// BaseURL is the address of a venue, for its {VENUE}_BASE_URL.
func (s *Server) BaseURL(venue string) string { return s.URL + "/" + venue }

// Script sets the faults of the venue's next answers, one after the other. [No] is an
// answer without a fault. After the script the fault of Always applies again.
func (s *Server) Script(venue string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script[venue] = append(s.script[venue], faults...)
}

// Always sets the fault of every answer of a venue. [No] ends that.
func (s *Server) Always(venue string, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always[venue] = fault
}

// Requests gives the path and query of each request to a venue so far.
func (s *Server) Requests(venue string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests[venue])
}

// ServeHTTP answers for a venue.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat)) // the same clock as for the candles
	venue, known := dialects[name]
	if !known || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	fault := s.next(name, "/"+path+"?"+r.URL.RawQuery)
	switch {
	case fault.hang:
		<-r.Context().Done()
		return
	case fault.status != 0:
		for name, value := range fault.header {
			w.Header().Set(name, value)
		}
		answer{fault.status, fault.page}.send(w)
		return
	case fault.own != noProblem:
		venue.problems[fault.own].send(w)
		return
	}
	ask, wrong := venue.read("/"+path, r.URL.Query())
	if wrong != noProblem {
		venue.problems[wrong].send(w)
		return
	}
	rows := s.rows(ask)
	if fault.rows != nil {
		rows = fault.rows(rows)
	}
	body := venue.write(ask, rows, fault.otherQuotes)
	if fault.body != nil {
		body = fault.body(body)
	}
	answer{http.StatusOK, string(body)}.send(w)
}

// next records a request and gives the fault of its answer.
func (s *Server) next(venue, request string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[venue] = append(s.requests[venue], request)
	if script := s.script[venue]; len(script) > 0 {
		s.script[venue] = script[1:]
		return script[0]
	}
	return s.always[venue]
}

// rows gives the newest candles that a request asks for, oldest first.
func (s *Server) rows(a ask) []Row {
	w := walkOf(a.base, a.quote)
	now := s.now()
	newest := a.open(now)
	if !a.until.IsZero() && a.until.Before(newest) {
		newest = a.open(a.until)
	}
	var rows []Row
	for opened := newest; len(rows) < a.limit && !opened.Before(a.from); opened = opened.Add(-a.length) {
		rows = append(rows, w.row(opened, a.length, now))
	}
	slices.Reverse(rows)
	return rows
}

// ask is a request for the newest candles that opened between from and until.
type ask struct {
	symbol      string // as the venue calls the pair
	base, quote string
	length      time.Duration
	from, until time.Time // zero: no bound
	limit       int
}

func (a ask) open(at time.Time) time.Time {
	timeframe, _ := signal.TimeframeOf(a.length)
	return timeframe.Open(at)
}

// find fills in the pair and the length of the candles.
func (a *ask) find(base, quote string, length time.Duration, known bool) problem {
	a.base, a.quote, a.length = base, quote, length
	switch {
	case base == "" || quote == "" || strings.HasPrefix(base, "UNLISTED"):
		return unknownPair
	case !known:
		return unknownLength
	}
	return noProblem
}

// answer is a status and a body.
type answer struct {
	status int
	body   string
}

func (a answer) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(a.body, "<") {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // a client that has left needs nothing
}
