package main

// The providers: the simulator, with the fault of each call and what it must cost. The
// cost is computed from nothing but the bytes that were sent.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"thalas/internal/provider"
	"thalas/internal/simulator"
)

// call is one question that reached a provider.
type call struct {
	provider string
	done     chan struct{} // closed when the call has ended; its cost is known then
	usd      float64       // cost by the answer
	unknown  bool          // the call may cost something, and the answer does not say how much
}

// picker returns the fault of the nth call to a provider about a pair; n counts from 1.
type picker func(provider, pair string, n int) simulator.Fault

// noFault is the picker of providers that answer every call.
func noFault(string, string, int) simulator.Fault { return simulator.OK }

// providers serve all four wire formats.
type providers struct {
	*simulator.Running
	pick    picker
	arrived func() // called for each question; may be nil

	mu    sync.Mutex
	calls map[string][]*call // guarded by mu; by pair
}

// providers starts providers, which end with the scenario.
func (c *chaos) providers(latency time.Duration, pick picker) *providers {
	p := &providers{pick: pick, calls: map[string][]*call{}}
	var err error
	p.Running, err = simulator.Start(simulator.Options{Latency: latency, Slow: time.Hour, Keep: 1, Each: p.each})
	c.must(err)
	c.later(func() { _ = p.Close() })
	return p
}

// pairAsked finds the pair in a question. All pairs have the form of pairOf.
var pairAsked = regexp.MustCompile(`C\d{6}`)

func pairOf(i int) string { return fmt.Sprintf("C%06d", i) }

// each records a call, picks its fault, and computes its cost once it has ended.
func (p *providers) each(name string, body []byte) (simulator.Fault, func(int, []byte, bool)) {
	if p.arrived != nil {
		defer p.arrived()
	}
	pair, made, n := string(pairAsked.Find(body)), &call{provider: name, done: make(chan struct{})}, 1
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, before := range p.calls[pair] {
		if before.provider == name {
			n++
		}
	}
	p.calls[pair] = append(p.calls[pair], made)
	return p.pick(name, pair, n), func(status int, body []byte, whole bool) {
		made.usd, made.unknown = bill(name, status, whole, body)
		close(made.done)
	}
}

// about returns the calls about a pair, or all calls if it is empty, once they have ended.
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

// readable is the longest answer that the server reads, in bytes.
const readable = 1 << 20

// bill computes what a call must cost. An error answer of the provider costs nothing. The
// cost is unknown if a gateway answers or if the answer can't be read.
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

// readFigures collects the numbers of a usage and of its details by name. A number may be
// written as text or with decimals. Negative numbers and texts are left out.
func readFigures(usage map[string]any, into map[string]float64) {
	for name, value := range usage {
		if details, are := value.(map[string]any); are {
			readFigures(details, into)
		} else if n, err := strconv.ParseFloat(fmt.Sprint(value), 64); err == nil && n >= 0 {
			into[name] = n
		}
	}
}
