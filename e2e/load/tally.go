package main

// The answers of a server: their times, their statuses, and what was wrong with them.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// answer holds the fields of a 200 that are compared with its question, and again when
// it is read back.
type answer struct {
	ID            string      `json:"id"`
	Pair          string      `json:"pair"`
	Price         json.Number `json:"current_price"`
	Decision      string      `json:"decision"`
	Participating int         `json:"participating_providers"`
	Overhead      *float64    `json:"overhead_ms"`
	Simulated     bool        `json:"simulated"`
}

// tally counts the answers of one server.
type tally struct {
	statuses          map[string]int // "200", "503 insufficient-responses", "no answer: EOF"
	latency, overhead []float64      // ms, of 200s: as the caller sees it, as the server says
	answers           []answer       // of 200s
	runs              int            // failed runs: the server counted them, without a decision
	faults            map[string]int // wrong 200s, by what is wrong
}

func newTally() *tally { return &tally{statuses: map[string]int{}, faults: map[string]int{}} }

// add counts the outcomes of an attack.
func (t *tally) add(questions []question, results []*vegeta.Result) {
	for _, result := range results {
		switch {
		case result.Code == 0 || len(result.Body) == 0:
			t.statuses["no answer: "+cause(result)]++
		case result.Code != http.StatusOK:
			var problem struct{ Type string }
			_ = json.Unmarshal(result.Body, &problem) // no JSON: the status says it
			name := strconv.Itoa(int(result.Code))
			if problem.Type != "" {
				name += " " + path.Base(problem.Type)
			}
			t.statuses[name]++
			if strings.HasSuffix(name, " insufficient-responses") {
				t.runs++
			}
		default:
			t.statuses["200"]++
			t.latency = append(t.latency, ms(result.Latency))
			t.read(questions[numberOf(result)], result.Body)
		}
	}
}

// read compares a 200 with its question.
func (t *tally) read(q question, body []byte) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		t.faults["the body is no consensus"]++
		return
	}
	t.answers = append(t.answers, a)
	if a.Overhead == nil {
		t.faults["no overhead_ms"]++
	} else {
		t.overhead = append(t.overhead, *a.Overhead)
	}
	if a.Pair != q.pair || a.Price.String() != q.price {
		t.faults["pair or current_price is not the one that was asked"]++
	}
	if a.Participating != len(providerNames) {
		t.faults[fmt.Sprintf("%d of %d providers took part", a.Participating, len(providerNames))]++
	}
	if a.Simulated {
		t.faults["simulated"]++
	}
	if bytes.Contains(body, []byte(`"not_stored"`)) {
		t.faults["warned of as not_stored"]++
	}
}

// cause is the end of an error, without URL and ports, so that equal ones are counted together.
func cause(result *vegeta.Result) string {
	return result.Error[strings.LastIndex(result.Error, ": ")+1:]
}

// percentile returns the percentile by nearest rank, NaN of no values. It sorts the values.
func percentile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[max(0, int(math.Ceil(share*float64(len(values))))-1)]
}
