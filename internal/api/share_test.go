package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/service"
	"thalas/internal/signal"
)

func TestSharedAnswers(t *testing.T) {
	f := newServer(t, setup{service: service.Options{ShareVotes: service.ShareCaller}})
	consensus := func(r reply) (c signal.Consensus) {
		t.Helper()
		if err := json.Unmarshal(r.want(t, 200).body, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := consensus(f.post(t, "/v1/consensus", goodBody))
	for _, tt := range []struct {
		name, maxAge string
		header       []string
		want         signal.Cache
	}{
		{name: "votes that are there", maxAge: "3600", want: signal.CacheHit},
		{name: "no age", maxAge: "0", want: signal.CacheMiss},
		{name: "null", maxAge: "null", want: signal.CacheMiss},
		{name: "no-cache", maxAge: "3600", header: []string{"Cache-Control", "max-age=0, No-Cache"}, want: signal.CacheMiss},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := f.post(t, "/v1/consensus", edited("max_age", tt.maxAge), tt.header...)
			c := consensus(r)
			if isHit := tt.want == signal.CacheHit; c.Cache != tt.want || (r.header.Get("Age") == "0") != isHit || (c.SharedFrom != nil && *c.SharedFrom == first.ID) != isHit {
				t.Errorf("cache %s, Age %q, from %v", c.Cache, r.header.Get("Age"), c.SharedFrom)
			}
		})
	}
	for _, wrong := range []string{"-1", "1e9", `"60"`} {
		f.post(t, "/v1/consensus", edited("max_age", wrong)).problem(t, 422, "invalid-request")
	}
}

// The contract lists every way in which an answer may come by its votes.
func TestContractOfCache(t *testing.T) {
	var contract struct {
		Components struct {
			Schemas struct {
				Consensus struct {
					Properties struct{ Cache struct{ Enum []signal.Cache } }
				}
			}
		}
	}
	newServer(t, setup{}).get(t, "/openapi.json").want(t, 200).into(t, &contract)
	want := []signal.Cache{signal.CacheMiss, signal.CacheCoalesced, signal.CacheHit, signal.CacheReplay}
	if diff := cmp.Diff(want, contract.Components.Schemas.Consensus.Properties.Cache.Enum); diff != "" {
		t.Errorf("cache (-want +got):\n%s", diff)
	}
}

// One that waits gets no answer in its time.
func TestStillBeingAsked(t *testing.T) {
	f := newServer(t, setup{faults: "anthropic=hang*", service: service.Options{ShareVotes: service.ShareCaller}})
	first := make(chan reply)
	go func() { first <- f.post(t, "/v1/consensus", edited("timeout_seconds", "2.5")) }()
	for len(f.simulator.Recorded()) == 0 {
		time.Sleep(time.Millisecond) // until the first run is under way
	}
	p := f.post(t, "/v1/consensus", edited("timeout_seconds", "0.1")).problem(t, 504, "still-being-asked")
	if !p.Retryable {
		t.Error("not retryable")
	}
	if c := (<-first).want(t, 200); c.header.Get("Age") != "" {
		t.Error("an Age without a hit")
	}
}
