package main

// thalas replay against a server whose answers are known: pages, totals, notes.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReplayFollowsPages(t *testing.T) {
	change := func(hour int, was, now string, early bool) string {
		return fmt.Sprintf(`{"id":"019ab10f-6b62-7cc0-8000-%012d","candle_time":"2026-11-23T%02d:00:00Z","decided_early":%v,"was":%s,"now":%s}`, hour, hour, early, was, now)
	}
	const (
		buy  = `{"decision":"BUY","raw_decision":"BUY","hold_reason":null,"confidence":0.65,"agreement_score":0.8}`
		held = `{"decision":"HOLD","raw_decision":"BUY","hold_reason":"below_min_confidence","confidence":0.65,"agreement_score":0.8}`
		sell = `{"decision":"SELL","raw_decision":"SELL","hold_reason":null,"confidence":0.72,"agreement_score":0.55}`
		tied = `{"decision":"HOLD","raw_decision":"HOLD","hold_reason":"tie","confidence":0,"agreement_score":0}`
	)
	pages := map[string]string{
		"":   `{"simulated":false,"runs":500,"changed":2,"policy_assumed":0,"items":[` + change(9, buy, held, false) + "," + change(8, tied, sell, true) + `],"next_cursor":"p2"}`,
		"p2": `{"simulated":false,"runs":500,"changed":0,"policy_assumed":0,"items":[],"next_cursor":"p3"}`,
		"p3": `{"simulated":false,"runs":7,"changed":1,"policy_assumed":3,"items":[` + change(7, buy, held, false) + `],"next_cursor":null}`,
	}
	var requests []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request map[string]any
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || r.URL.Path != "/v1/replay" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		requests = append(requests, request)
		cursor, _ := request["cursor"].(string)
		_, _ = w.Write([]byte(pages[cursor]))
	}))
	t.Cleanup(server.Close)
	args := strings.Fields("replay BTC/USDT --timeframe 1h --from 2026-11-23 --min-confidence 0.7 --weights Grok=0,openai=1 --url " + server.URL)

	got := thalas(t, nil, "", args...)
	if got.code != 0 || got.err != "" {
		t.Errorf("exit code %d, error output %q", got.code, got.err)
	}
	golden(t, "replay-pages", got.out)
	if len(requests) != 3 {
		t.Fatalf("%d requests, want 3", len(requests))
	}
	sent, _ := json.Marshal(requests[0])
	const want = `{"from":"2026-11-23T00:00:00Z","limit":500,"min_confidence":0.7,"pair":"BTC/USDT","provider_weights":{"grok":0,"openai":1},"timeframe":"1h"}`
	if string(sent) != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}

	got = thalas(t, nil, "", append(args, "--json")...)
	var all struct {
		Runs, Changed int
		Assumed       int     `json:"policy_assumed"`
		Next          *string `json:"next_cursor"`
		Items         []any
	}
	if err := json.Unmarshal([]byte(got.out), &all); err != nil || all.Runs != 1007 || all.Changed != 3 || len(all.Items) != 3 || all.Assumed != 3 || all.Next != nil {
		t.Errorf("%v: %+v", err, all)
	}
}

func TestReplayOfAnotherServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"runs":1}`)) }))
	t.Cleanup(server.Close)
	wantRefusal(t, nil, 1, "is not what this version knows", "replay", "BTC/USDT", "--url", server.URL)
}
