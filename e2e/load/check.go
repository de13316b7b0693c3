package main

// The checks after a phase: is every answer kept, and do the counters say what
// was sent?

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const lookups = 8 // connections that look up at once

// findAgain looks up at most sample of the answers by their ids (0: all), evenly
// spread. It gives how many it looked up, and what was wrong.
func findAgain(ctx context.Context, address string, answers []kept, sample int) (looked int, faults map[string]int) {
	step := 1.0
	looked = len(answers)
	if sample > 0 && sample < looked {
		step, looked = float64(looked)/float64(sample), sample
	}
	faults = map[string]int{}
	var mu sync.Mutex // guards faults
	var next atomic.Int64
	var done sync.WaitGroup
	for range lookups {
		done.Go(func() {
			c := newConnection(address)
			defer c.close()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= looked {
					return
				}
				if fault := findOne(ctx, c, answers[int(float64(i)*step)]); fault != "" {
					mu.Lock()
					faults[fault]++
					mu.Unlock()
				}
			}
		})
	}
	done.Wait()
	return looked, faults
}

// findOne gives what is wrong with what is kept of an answer, empty if nothing.
func findOne(ctx context.Context, c *connection, want kept) string {
	if want.id == "" {
		return "a 200 had no id"
	}
	status, body, err := c.get(ctx, "/v1/consensus/"+url.PathEscape(want.id))
	var got struct {
		ID       string      `json:"id"`
		Pair     string      `json:"pair"`
		Price    json.Number `json:"current_price"`
		Decision string      `json:"decision"`
	}
	switch {
	case err != nil:
		return "GET by id: no answer: " + cause(err)
	case status != http.StatusOK:
		return fmt.Sprintf("GET by id: %d", status)
	case json.Unmarshal(body, &got) != nil:
		return "GET by id: the body is no JSON"
	case got.ID != want.id || got.Pair != want.pair || got.Price.String() != want.price || got.Decision != want.decision:
		return "GET by id: not what was answered"
	}
	return ""
}

// counters are what GET /v1/metrics says that can be held against what was sent.
type counters struct {
	Total      int `json:"total_requests"`
	Successful int `json:"successful_requests"`
	Failed     int `json:"failed_requests"`
	Providers  []struct {
		Provider  string `json:"provider"`
		Successes int    `json:"successes"`
	} `json:"providers"`
}

// readCounters asks for the day that since lies in and the next one, so that
// midnight changes nothing.
func readCounters(ctx context.Context, address string, since time.Time) (counters, error) {
	c := newConnection(address)
	defer c.close()
	day := since.UTC().Truncate(24 * time.Hour)
	span := url.Values{"window": {"day"}, "from": {day.Format(time.RFC3339)}, "to": {day.Add(48 * time.Hour).Format(time.RFC3339)}}
	status, body, err := c.get(ctx, "/v1/metrics?"+span.Encode())
	var read counters
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body[:min(len(body), 300)])
	}
	if err == nil {
		err = json.Unmarshal(body, &read)
	}
	if err != nil {
		return read, fmt.Errorf("GET /v1/metrics: %w", err)
	}
	return read, nil
}

// compareCounters holds what the counters rose by against what was answered.
func compareCounters(before, after counters, t *tally) (faults []string) {
	compare := func(name string, got, want int) {
		if got != want {
			faults = append(faults, "counter "+name+" rose by "+strconv.Itoa(got)+", want "+strconv.Itoa(want))
		}
	}
	decided := t.answers["200"]
	compare("total_requests", after.Total-before.Total, decided+t.runs)
	compare("successful_requests", after.Successful-before.Successful, decided)
	compare("failed_requests", after.Failed-before.Failed, t.runs)
	successes := map[string]int{}
	for _, p := range after.Providers {
		successes[p.Provider] += p.Successes
	}
	for _, p := range before.Providers {
		successes[p.Provider] -= p.Successes
	}
	for _, name := range providerNames {
		// Failed runs may hold votes of some; they fail the phase anyway.
		if t.runs == 0 {
			compare(name+" successes", successes[name], decided)
		}
	}
	return faults
}
