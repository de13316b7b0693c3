package simulator

// The server: it takes a request, checks it, waits as long as a model would
// think, and answers or fails as the script says.

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Options says how a server behaves. The zero Options answers at once and well.
type Options struct {
	Addr    string             // where Start listens; empty: 127.0.0.1 and a free port
	Seed    uint64             // of the latencies
	Latency time.Duration      // about what an answer takes: from 0.37 to 1.88 times it, by provider and request; 0: none
	Slow    time.Duration      // how long slow_headers and slow_drip take; 0: 30 s, longer than a usual deadline
	Faults  map[string][]Fault // by provider, for its first, second, … request; see ParseFaults
	// Each picks the fault of a request in place of Faults, and may give a function that is
	// told what went out in the end: status 0 where nothing did, and whole where no byte of
	// the body is missing. It is called at the same time for different requests.
	Each    func(provider string, body []byte) (Fault, func(status int, body []byte, whole bool))
	Unknown []string // models that are answered with 404 although their names look right
	Keep    int      // how many requests Recorded remembers; 0: 100
}

const (
	defaultSlow = 30 * time.Second
	defaultKeep = 100
	maxBody     = 8 << 20
)

// Server answers as the providers do. It is safe for concurrent use.
type Server struct {
	options Options
	journal journal
}

var formats = map[string]format{Anthropic: anthropicFormat{}, OpenAI: openaiFormat{}, Gemini: geminiFormat{}, Grok: grokFormat{}}

// modelPrefixes is what the names of a provider's models begin with.
var modelPrefixes = map[string]string{Anthropic: "claude-", OpenAI: "gpt-", Gemini: "gemini-", Grok: "grok-"}

// listed is what the lists of models show; other names are answered too.
var listed = map[string][]string{
	Anthropic: {"claude-haiku-5-5", "claude-sonnet-5-5"},
	OpenAI:    {"gpt-6-luna", "gpt-6.1-sol"},
	Gemini:    {"gemini-3.5-flash-lite", "gemini-3.8-flash"},
	Grok:      {"grok-4.20-0309-non-reasoning", "grok-4.7"},
}

// New makes a handler. It panics where a fault or provider in options.Faults is
// unknown: ParseFaults and Start give an error for that instead.
func New(options Options) *Server {
	if err := checkScript(options.Faults); err != nil {
		panic("simulator: " + err.Error())
	}
	if options.Slow == 0 {
		options.Slow = defaultSlow
	}
	if options.Keep == 0 {
		options.Keep = defaultKeep
	}
	return &Server{options: options, journal: journal{keep: options.Keep}}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	provider, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	format, known := formats[provider]
	if !known {
		s.journal.note("", nil, r, nil)
		http.Error(w, "The simulator has the paths /"+strings.Join(Providers, "/…, /")+"/…: set a provider's base URL to this server with its name.", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	script := s.options.Faults
	c := &call{w: w, r: r, format: format, provider: provider, path: "/" + rest, body: body, slow: s.options.Slow}
	if s.options.Each != nil {
		fault, told := s.options.Each(provider, body)
		script = map[string][]Fault{provider: {Fault(fault.name()) + "*"}}
		if told != nil {
			c.sent = &bytes.Buffer{}
			defer func() { told(c.status, c.sent.Bytes(), c.status != 0 && c.sent.Len() == c.length) }()
		}
	}
	var name string
	c.number, name = s.journal.note(provider, script, r, body)
	c.fault, _ = faultByName(name)
	c.id, _ = format.requestID(c.number)
	if err != nil {
		c.fail(unreadable(err))
		return
	}
	s.serve(c)
}

// serve checks first, as a service would: a script does not hide a wrong request.
func (s *Server) serve(c *call) {
	asked, wrong := s.check(c)
	if wrong != nil {
		c.fail(wrong)
		return
	}
	if !pause(c.r.Context(), s.latency(c.provider, c.number)) {
		abort()
	}
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

// latency draws what the nth answer takes. It depends on seed, provider and n
// alone, so that the order in which requests arrive changes nothing.
func (s *Server) latency(provider string, n int) time.Duration {
	if s.options.Latency <= 0 {
		return 0
	}
	name := fnv.New64a()
	fmt.Fprint(name, provider)
	pace := 0.5 + rand.New(rand.NewPCG(s.options.Seed, name.Sum64())).Float64()                // of the provider
	turn := 0.75 + rand.New(rand.NewPCG(s.options.Seed+uint64(n), name.Sum64()+1)).Float64()/2 // of the request
	return time.Duration(float64(s.options.Latency) * pace * turn)
}
