package main

// What a server did with the questions: times, answers by status, and what was
// wrong with them.

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kept is what a 200 said, to be looked up later.
type kept struct {
	id       string
	pair     string
	price    string // as JSON
	decision string
}

// tally counts the answers of one server. It belongs to one goroutine.
type tally struct {
	sent     int
	answers  map[string]int // "200", "503 insufficient-responses", "no answer: EOF"
	latency  []float64      // ms, of 200s
	overhead []float64      // ms, of 200s, as the server says
	late     []float64      // ms after it was due that a question was sent (open loop)
	kept     []kept         // of 200s
	runs     int            // failed runs: the server counted them, without a decision
	faults   map[string]int // wrong 200s, by what is wrong
}

func newTally() *tally { return &tally{answers: map[string]int{}, faults: map[string]int{}} }

// add counts the outcome of one question.
func (t *tally) add(q question, status int, body []byte, err error, latency time.Duration) {
	t.sent++
	switch {
	case err != nil:
		t.answers["no answer: "+cause(err)]++
	case status != http.StatusOK:
		problem := scalar(body, "type")
		problem = problem[strings.LastIndexByte(problem, '/')+1:]
		t.answers[strings.TrimSpace(strconv.Itoa(status)+" "+problem)]++
		if problem == "insufficient-responses" {
			t.runs++
		}
	default:
		t.answers["200"]++
		t.latency = append(t.latency, ms(latency))
		t.read(q, body)
	}
}

// read holds a 200 against its question.
func (t *tally) read(q question, body []byte) {
	if overhead, err := strconv.ParseFloat(scalar(body, "overhead_ms"), 64); err == nil {
		t.overhead = append(t.overhead, overhead)
	} else {
		t.faults["no overhead_ms"]++
	}
	if scalar(body, "pair") != q.pair || scalar(body, "current_price") != q.price {
		t.faults["pair or current_price is not the one that was asked"]++
	}
	if n := scalar(body, "participating_providers"); n != strconv.Itoa(len(providerNames)) {
		t.faults[fmt.Sprintf("%s of %d providers took part", n, len(providerNames))]++
	}
	if scalar(body, "simulated") == "true" {
		t.faults["simulated"]++
	}
	if bytes.Contains(body, []byte(`"not_stored"`)) {
		t.faults["warned of as not_stored"]++
	}
	t.kept = append(t.kept, kept{scalar(body, "id"), q.pair, q.price, scalar(body, "decision")})
}

// scalar gives the first value of a key in a JSON text, without quotes; empty if
// there is none. It is for values without escapes and keys whose first occurrence
// is at the top, and far cheaper than to parse the whole answer.
func scalar(body []byte, key string) string {
	i := bytes.Index(body, []byte(`"`+key+`":`))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(body[i+len(key)+3:], " ")
	if len(rest) > 0 && rest[0] == '"' {
		value, _, _ := bytes.Cut(rest[1:], []byte(`"`))
		return string(value)
	}
	if end := bytes.IndexAny(rest, ",}]\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return string(bytes.TrimSpace(rest))
}

// merge adds what other counted.
func (t *tally) merge(other *tally) {
	t.sent += other.sent
	t.runs += other.runs
	for answer, n := range other.answers {
		t.answers[answer] += n
	}
	for fault, n := range other.faults {
		t.faults[fault] += n
	}
	t.latency = append(t.latency, other.latency...)
	t.overhead = append(t.overhead, other.overhead...)
	t.late = append(t.late, other.late...)
	t.kept = append(t.kept, other.kept...)
}

// forgetTimes drops the times of a warm-up; its answers are checked all the same.
func (t *tally) forgetTimes() { t.latency, t.overhead, t.late = nil, nil, nil }

// percentiles in milliseconds.
type percentiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// percentilesOf sorts the values; nil where there are none. A percentile is the
// least value that so many are not above (nearest rank).
func percentilesOf(values []float64) *percentiles {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[max(0, int(math.Ceil(share*float64(len(values))))-1)] }
	return &percentiles{at(0.5), at(0.9), at(0.99), at(0.999), values[len(values)-1]}
}

// less gives the percentiles of the values less a constant.
func (p *percentiles) less(constant float64) *percentiles {
	if p == nil {
		return nil
	}
	return &percentiles{p.P50 - constant, p.P90 - constant, p.P99 - constant, p.P999 - constant, p.Max - constant}
}
