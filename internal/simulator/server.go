package simulator

// The server: it counts and records a request, checks it, waits as long as a model would
// think, and answers or fails as the script says.

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the choices of a server. With the zero Options every answer is immediate
// and good.
type Options struct {
	Addr    string             // where Start listens; empty: 127.0.0.1 and a free port
	Seed    uint64             // of the latencies
	Latency time.Duration      // roughly what an answer takes: 0.37 to 1.88 times this, by provider and request; 0: none
	Slow    time.Duration      // how long slow_headers and slow_drip take; 0: 30 s, longer than a usual deadline
	Faults  map[string][]Fault // by provider, for its first, second, … request; see ParseFaults
	// Each chooses the fault of a request and replaces Faults. It may return a function,
	// which is called with what was sent in the end: status 0 if nothing was, and whole if
	// no byte of the body is missing. Each is called concurrently.
	Each func(provider string, body []byte) (Fault, func(status int, body []byte, whole bool))
	Keep int // how many requests Recorded remembers; 0: 100
}

const (
	defaultSlow = 30 * time.Second
	defaultKeep = 100
	maxBody     = 8 << 20
)

// Server answers as the providers do. It is safe for concurrent use.
type Server struct {
	options Options

	mu       sync.Mutex
	counts   map[string]int // guarded by mu; requests by provider
	recorded []Request      // guarded by mu; oldest first
}

// New makes a handler. It panics if a fault or provider in options.Faults is unknown.
// [ParseFaults] and [Start] return an error for that.
func New(options Options) *Server {
	if err := checkScript(options.Faults); err != nil {
		panic("simulator: " + err.Error())
	}
	options.Slow, options.Keep = cmp.Or(options.Slow, defaultSlow), cmp.Or(options.Keep, defaultKeep)
	return &Server{options: options, counts: make(map[string]int)}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	provider, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	format, known := formats[provider]
	if !known {
		s.record("", nil, r, nil)
		http.Error(w, "The simulator has the paths /"+strings.Join(slices.Concat(Providers, Presets), "/…, /")+"/…: set a provider's base URL to this server with its name.", http.StatusNotFound)
		return
	}
	body, unread := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	script := s.options.Faults[provider]
	c := &call{w: w, r: r, format: format, provider: provider, path: "/" + rest, body: body, slow: s.options.Slow}
	if s.options.Each != nil {
		fault, sent := s.options.Each(provider, body)
		script = []Fault{Fault(fault.name()) + "*"}
		if sent != nil {
			c.sent = &bytes.Buffer{}
			defer func() { sent(c.status, c.sent.Bytes(), c.status != 0 && c.sent.Len() == c.length) }()
		}
	}
	var name string
	c.number, name = s.record(provider, script, r, body)
	c.fault, _ = faultByName(name)
	c.id = fmt.Sprintf(format.idForm, c.number)
	// The checks come first, as at a service: a script does not hide a wrong request.
	asked, wrong := c.check(unread)
	if wrong != nil {
		c.fail(wrong)
		return
	}
	c.pause(s.latency(provider, c.number))
	if c.fault.problem != nil {
		c.fail(c.fault.problem)
		return
	}
	send := c.fault.send
	if send == nil {
		send = sendWhole
	}
	send(c, c.message(http.StatusOK, c.compose(asked)))
}

// latency draws the time of the nth answer. It depends only on the seed, the provider and
// n, so that the order in which requests arrive changes nothing.
func (s *Server) latency(provider string, n int) time.Duration {
	name := fnv.New64a()
	fmt.Fprint(name, provider)
	ofProvider := 0.5 + rand.New(rand.NewPCG(s.options.Seed, name.Sum64())).Float64()
	ofRequest := 0.75 + rand.New(rand.NewPCG(s.options.Seed+uint64(n), name.Sum64()+1)).Float64()/2
	return time.Duration(float64(s.options.Latency) * ofProvider * ofRequest)
}

// Request is one request as it arrived. The values of its headers are not recorded, since
// one of them is a key.
type Request struct {
	Provider string // empty: the path named none
	Number   int    // of the provider's requests, from 1
	Method   string
	Path     string // with the provider's prefix, without the query
	Headers  []string
	Body     []byte
	Fault    string // the scripted fault; ok: none
}

// record counts and records a request, and gives its number and its fault.
func (s *Server) record(provider string, script []Fault, r *http.Request, body []byte) (number int, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[provider]++
	number = s.counts[provider]
	fault = scripted(script, number)
	if len(s.recorded) == s.options.Keep {
		s.recorded = slices.Delete(s.recorded, 0, 1)
	}
	s.recorded = append(s.recorded, Request{provider, number, r.Method, r.URL.Path, sortedKeys(r.Header), body, fault})
	return number, fault
}

// Requests gives the number of requests of each provider since the start. Those whose
// path named no provider are under the empty name.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Recorded gives the last requests, at most Options.Keep, in the order of their arrival.
func (s *Server) Recorded() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.recorded)
}

// Running is a simulator that listens on a port.
type Running struct {
	*Server
	addr   string
	http   http.Server
	cancel context.CancelFunc
	work   sync.WaitGroup // the accept loop and every open connection
}

// Start listens at options.Addr until [Running.Close]. The error says what is wrong with
// the fault script or the address.
func Start(options Options) (*Running, error) {
	if err := checkScript(options.Faults); err != nil {
		return nil, err
	}
	options.Addr = cmp.Or(options.Addr, "127.0.0.1:0")
	listener, err := net.Listen("tcp", options.Addr)
	if err != nil {
		return nil, fmt.Errorf("the simulator cannot listen at %s: %w", options.Addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	if at.Addr().IsUnspecified() { // which nobody can call
		at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
	}
	s := &Running{Server: New(options), addr: at.String(), cancel: cancel}
	s.http = http.Server{
		Handler:           s.Server,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.count,
	}
	s.work.Go(func() { _ = s.http.Serve(listener) }) // Close ends it, and its error is always http.ErrServerClosed
	return s, nil
}

// count makes Close wait for the goroutine of every connection. New connections are
// counted by the accept loop, which is counted itself.
func (s *Running) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.work.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.work.Done()
	}
}

// Addr is the host:port where the server can be reached from this machine.
func (s *Running) Addr() string { return s.addr }

// BaseURL is the base URL that a client of the provider has to be configured with.
func (s *Running) BaseURL(provider string) string { return "http://" + s.addr + "/" + provider }

// Env gives the environment variables, as NAME=value, that configure a program to ask
// this server instead of the providers.
func (s *Running) Env() []string {
	var lines []string
	for _, provider := range Providers {
		name := strings.ToUpper(provider)
		lines = append(lines, name+"_BASE_URL="+s.BaseURL(provider), name+"_API_KEY=simulated", name+"_ENABLED=true")
	}
	return lines
}

// Close ends every request, also those that hang, and waits until all have ended.
func (s *Running) Close() error {
	s.cancel()
	err := s.http.Close()
	s.work.Wait()
	return err
}
