package main

// The providers: the simulator behind a front that picks the fault of each call and
// notes what the call must be billed, by what went over the wire and nothing else.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thalas/internal/provider"
	"thalas/internal/simulator"
)

// call is one question that reached a provider.
type call struct {
	provider string
	usd      float64       // billed, as the answer tells
	unknown  bool          // may be billed, and the answer does not tell how much
	done     chan struct{} // closed when the call has ended; what it is billed is known then
}

// providers serve all four wire formats.
type providers struct {
	http    *httptest.Server
	latency time.Duration
	pick    func(provider, pair string, n int) simulator.Fault // of the nth call about a pair, from 1
	arrived func()                                             // told of each question; may be nil

	mu      sync.Mutex
	servers map[simulator.Fault]*simulator.Server // guarded by mu
	calls   map[string][]*call                    // guarded by mu; by pair
}

// sound answers every call.
func sound(string, string, int) simulator.Fault { return simulator.OK }

// providers starts providers, which end with the scenario.
func (c *chaos) providers(pick func(provider, pair string, n int) simulator.Fault) *providers {
	p := &providers{pick: pick, servers: map[simulator.Fault]*simulator.Server{}, calls: map[string][]*call{}}
	p.http = httptest.NewServer(p)
	c.later(func() { p.http.CloseClientConnections(); p.http.Close() })
	return p
}

// env leads a server to these providers.
func (p *providers) env() (env []string) {
	for _, name := range simulator.Providers {
		variable := strings.ToUpper(name)
		env = append(env, variable+"_BASE_URL="+p.http.URL+"/"+name, variable+"_API_KEY=chaos-test-key", variable+"_ENABLED=true")
	}
	return env
}

// pairAsked finds the pair in the text of a question: every one has this form.
var pairAsked = regexp.MustCompile(`C\d{6}`)

func pairOf(i int) string { return fmt.Sprintf("C%06d", i) }

func (p *providers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	made := &call{provider: name, done: make(chan struct{})}
	server := p.begin(string(pairAsked.Find(body)), made)
	out := &recorder{ResponseWriter: w}
	defer func() {
		whole := out.status != 0 && strconv.Itoa(out.body.Len()) == out.Header().Get("Content-Length")
		made.usd, made.unknown = bill(name, out.status, whole, out.body.Bytes())
		close(made.done)
	}()
	server.ServeHTTP(out, r)
}

// begin notes a call and gives the simulator that has its fault.
func (p *providers) begin(pair string, made *call) *simulator.Server {
	if p.arrived != nil {
		defer p.arrived()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 1
	for _, before := range p.calls[pair] {
		if before.provider == made.provider {
			n++
		}
	}
	p.calls[pair] = append(p.calls[pair], made)
	fault := p.pick(made.provider, pair, n)
	if p.servers[fault] == nil {
		options := simulator.Options{Latency: p.latency, Seed: 1, Keep: 1, Slow: time.Hour, Faults: map[string][]simulator.Fault{}}
		for _, name := range simulator.Providers {
			options.Faults[name] = []simulator.Fault{fault + "*"}
		}
		p.servers[fault] = simulator.New(options)
	}
	return p.servers[fault]
}

// about gives the calls about a pair, or about all where it is empty, once they have ended.
func (p *providers) about(pair string) []*call {
	p.mu.Lock()
	calls := slices.Clone(p.calls[pair])
	if pair == "" {
		calls = slices.Concat(slices.Collect(maps.Values(p.calls))...)
	}
	p.mu.Unlock()
	for _, made := range calls {
		<-made.done
	}
	return calls
}

// recorder keeps what is answered.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets the simulator flush and reset the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.body.Write(p[:n])
	return n, err
}

// readable is the longest answer that the server reads, in bytes.
const readable = 1 << 20

// bill says what a call must be booked with. An error that the provider answers costs
// nothing; where a gateway answers, or an answer can't be read, nobody knows.
func bill(name string, status int, whole bool, body []byte) (usd float64, unknown bool) {
	switch {
	case !whole, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return 0, true
	case status/100 != 2:
		return 0, false
	case len(body) > readable:
		return 0, true
	}
	var told struct {
		Model         string
		ModelVersion  string
		Usage         map[string]any
		UsageMetadata map[string]any
		Error         any
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&told) != nil {
		return 0, true
	}
	if told.Error != nil { // an error like one with a status
		return 0, false
	}
	figures := map[string]float64{}
	readFigures(told.Usage, figures)
	readFigures(told.UsageMetadata, figures)
	sum := func(names ...string) (n int) {
		for _, name := range names {
			n += int(figures[name])
		}
		return n
	}
	used := provider.Usage{
		Known:        true,
		InputTokens:  sum("input_tokens", "cache_read_input_tokens", "prompt_tokens", "promptTokenCount"),
		CachedTokens: sum("cache_read_input_tokens", "cached_tokens", "cachedContentTokenCount"),
		OutputTokens: sum("output_tokens", "completion_tokens", "candidatesTokenCount", "thoughtsTokenCount"),
	}
	model := told.Model + told.ModelVersion
	cost := provider.DefaultCatalog().Cost(name, model, model, used, time.Now())
	switch ticks, are := figures["cost_in_usd_ticks"]; {
	case are:
		return ticks / 1e10, false
	case used.InputTokens == 0 || cost == nil:
		return 0, true
	}
	return *cost, false
}

// readFigures collects the numbers of a usage and of its details by name. A number may
// be written as text or with decimals; one that can't be a count of tokens is left out.
func readFigures(usage map[string]any, into map[string]float64) {
	for name, value := range usage {
		if details, are := value.(map[string]any); are {
			readFigures(details, into)
		} else if n, err := strconv.ParseFloat(fmt.Sprint(value), 64); err == nil && n >= 0 {
			into[name] = n
		}
	}
}
