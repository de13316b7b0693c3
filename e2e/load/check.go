package main

// The checks after a phase: is every answer kept, and do the counters say what
// was sent?

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const lookups = 8 // at once

// findAgain looks up at most sample of the answers by their ids (0: all), evenly
// spread. It gives how many it looked up, and what was wrong.
func findAgain(ctx context.Context, client *http.Client, address string, answers []answer, sample int) (looked int, faults map[string]int) {
	faults = map[string]int{}
	looked = len(answers)
	if sample > 0 {
		looked = min(sample, looked)
	}
	if looked == 0 {
		return 0, faults
	}
	var next atomic.Int64
	byID := func(t *vegeta.Target) error {
		i := int(next.Add(1)-1) * len(answers) / looked
		*t = vegeta.Target{Method: http.MethodGet, URL: numbered("http://"+address+"/v1/consensus/"+url.PathEscape(answers[i].ID), i)}
		return nil
	}
	results, _ := attack(ctx, client, byID, exactly(looked, lookups))
	for _, result := range results {
		var got answer
		switch want := answers[numberOf(result)]; {
		case want.ID == "":
			faults["a 200 had no id"]++
		case result.Code == 0:
			faults["GET by id: no answer: "+cause(result)]++
		case result.Code != http.StatusOK:
			faults[fmt.Sprintf("GET by id: %d", result.Code)]++
		case json.Unmarshal(result.Body, &got) != nil:
			faults["GET by id: the body is no JSON"]++
		case got.ID != want.ID || got.Pair != want.Pair || got.Price != want.Price || got.Decision != want.Decision:
			faults["GET by id: not what was answered"]++
		}
	}
	return len(results), faults
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
// midnight changes nothing. The server's store is fresh: all that it counts is ours.
func readCounters(ctx context.Context, client *http.Client, address string, since time.Time) (read counters, err error) {
	day := since.UTC().Truncate(24 * time.Hour)
	span := url.Values{"window": {"day"}, "from": {day.Format(time.RFC3339)}, "to": {day.Add(48 * time.Hour).Format(time.RFC3339)}}
	body, err := get(ctx, client, "http://"+address+"/v1/metrics?"+span.Encode())
	if err == nil {
		err = json.Unmarshal(body, &read)
	}
	if err != nil {
		return read, fmt.Errorf("GET /v1/metrics: %w", err)
	}
	return read, nil
}

// compareCounters holds the counters against what was answered.
func compareCounters(c counters, t *tally) (faults []string) {
	compare := func(name string, got, want int) {
		if got != want {
			faults = append(faults, fmt.Sprintf("counter %s is %d, want %d", name, got, want))
		}
	}
	decided := t.statuses["200"]
	compare("total_requests", c.Total, decided+t.runs)
	compare("successful_requests", c.Successful, decided)
	compare("failed_requests", c.Failed, t.runs)
	successes := map[string]int{}
	for _, p := range c.Providers {
		successes[p.Provider] += p.Successes
	}
	for _, name := range providerNames {
		// Failed runs may hold votes of some; they fail the phase anyway.
		if t.runs == 0 {
			compare(name+" successes", successes[name], decided)
		}
	}
	return faults
}
