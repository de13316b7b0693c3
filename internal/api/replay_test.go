package api_test

// POST /v1/replay: stored votes under another policy.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/api"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const wholeSeries = `{"pair":"BTC/USDT"`

// replay asks for one page.
func (f *fixture) replay(t *testing.T, body string) (page api.Replay) {
	t.Helper()
	f.post(t, "/v1/replay", body).want(t, 200).into(t, &page)
	return page
}

// asked asks the server different questions, and gives the answers.
func asked(t *testing.T, f *fixture) (answers []signal.Consensus) {
	t.Helper()
	for i, rsi := range []string{"15", "28.5", "50", "65.5", "71", "85"} {
		for _, policy := range []string{`{}`, `{"min_confidence":0.9}`, `{"min_confidence":0,"min_agreement":0.95}`, `{"provider_weights":{"openai":0.05,"Gemini":0}}`} {
			changes := []string{"market_data", fmt.Sprintf(`{"rsi":%s,"macd":%d,"price_change_24h":%d}`, rsi, 100-60*i, 3-2*i)}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(policy), &fields); err != nil {
				t.Fatal(err)
			}
			for name, value := range fields {
				changes = append(changes, name, string(value))
			}
			var c signal.Consensus
			f.post(t, "/v1/consensus", edited(changes...)).want(t, 200).into(t, &c)
			answers = append(answers, c)
		}
	}
	return answers
}

func TestReplay(t *testing.T) {
	f := newServer(t, setup{})
	answers := asked(t, f)
	calls := len(f.simulator.Recorded())

	t.Run("as it was", func(t *testing.T) {
		if got := f.replay(t, wholeSeries+`}`); got.Runs != len(answers) || got.Changed != 0 || len(got.Items) != 0 || got.PolicyAssumed != 0 || got.NextCursor != nil || !got.Simulated {
			t.Errorf("%+v", got)
		}
	})
	t.Run("every BUY and SELL is held", func(t *testing.T) {
		traded := map[string]signal.Consensus{}
		for _, c := range answers {
			if c.Decision != signal.Hold {
				traded[c.ID] = c
			}
		}
		got := f.replay(t, wholeSeries+`,"min_confidence":1}`)
		if got.Runs != len(answers) || got.Changed != len(traded) || got.Changed != len(got.Items) || got.Changed == 0 {
			t.Errorf("%d runs, %d changed, %d items; %d were BUY or SELL", got.Runs, got.Changed, len(got.Items), len(traded))
		}
		for _, item := range got.Items {
			c := traded[item.ID]
			if item.Was.Decision != c.Decision || item.Was.Confidence != c.Confidence || item.Was.AgreementScore != c.AgreementScore || !item.CandleTime.Equal(c.CandleTime) {
				t.Errorf("%s was %+v", item.ID, item.Was)
			}
			if diff := cmp.Diff(c.SuggestedStopLoss, item.Was.SuggestedStopLoss); diff != "" {
				t.Error(diff)
			}
			now := item.Now
			if now.Decision != signal.Hold || now.RawDecision != c.RawDecision || now.HoldReason == nil || *now.HoldReason != signal.HoldBelowMinConfidence || now.Confidence != c.Confidence || now.SuggestedStopLoss != nil {
				t.Errorf("%s is now %+v", item.ID, now)
			}
		}
	})
	t.Run("only one has a say", func(t *testing.T) {
		got := f.replay(t, wholeSeries+`,"provider_weights":{"OpenAI":1,"anthropic":0,"gemini":0,"grok":null},"min_confidence":0,"min_agreement":0}`)
		now := map[string]signal.Decision{}
		for _, item := range got.Items {
			now[item.ID] = item.Now.Decision
		}
		for _, c := range answers {
			want := c.Decision
			for _, v := range c.Responses {
				if v.Provider == "openai" {
					want = v.Decision
				}
			}
			if got, changed := now[c.ID]; changed != (want != c.Decision) || changed && got != want {
				t.Errorf("%s: openai said %s, it was %s and is %s", c.ID, want, c.Decision, got)
			}
		}
	})
	t.Run("page by page", func(t *testing.T) {
		whole := f.replay(t, wholeSeries+`,"min_confidence":1}`)
		var pages api.Replay
		cursor := ""
		for range len(answers) {
			page := f.replay(t, wholeSeries+`,"min_confidence":1,"limit":5`+cursor+`}`)
			pages.Runs, pages.Changed, pages.Items = pages.Runs+page.Runs, pages.Changed+page.Changed, append(pages.Items, page.Items...)
			if page.NextCursor == nil {
				break
			}
			cursor = `,"cursor":"` + *page.NextCursor + `"`
		}
		if diff := cmp.Diff(whole.Items, pages.Items); diff != "" || pages.Runs != whole.Runs || pages.Changed != whole.Changed {
			t.Errorf("%d of %d, want %d of %d\n%s", pages.Changed, pages.Runs, whole.Changed, whole.Runs, diff)
		}
	})
	t.Run("by time", func(t *testing.T) {
		candle := answers[10].CandleTime // most often of all of them
		for body, want := range map[string]int{
			`,"from":"` + candle.Format(time.RFC3339Nano) + `"}`:                       countSince(answers, candle),
			`,"from":"` + candle.Add(time.Millisecond).Format(time.RFC3339Nano) + `"}`: countSince(answers, candle.Add(time.Millisecond)),
			fmt.Sprintf(`,"to":%d}`, candle.UnixMilli()):                               len(answers) - countSince(answers, candle),
			fmt.Sprintf(`,"to":%d}`, candle.UnixMilli()+1):                             len(answers) - countSince(answers, candle.Add(time.Millisecond)),
			`,"to":"2026-01-01T01:00:00+01:00"}`:                                       0,
			`,"from":1767225600,"to":null,"timeframe":null,"cursor":null}`:             len(answers),
			`,"timeframe":"1h"}`: 0,
			`,"provider_weights":null,"min_confidence":null,"min_agreement":null}`: len(answers),
		} {
			if got := f.replay(t, wholeSeries+body); got.Runs != want || got.Changed != 0 {
				t.Errorf("%s: %d runs, %d changed; want %d and none", body, got.Runs, got.Changed, want)
			}
		}
	})
	if n := len(f.simulator.Recorded()); n != calls {
		t.Errorf("%d calls of providers", n-calls)
	}
	if got := f.get(t, "/v1/metrics").want(t, 200).object(t)["total_requests"]; got != float64(len(answers)) {
		t.Errorf("%v requests are counted, want %d", got, len(answers))
	}
}

func countSince(answers []signal.Consensus, from time.Time) (n int) {
	for _, c := range answers {
		if !c.CandleTime.Before(from) {
			n++
		}
	}
	return n
}

// Results from before the gates were recorded are replayed under the present ones.
func TestReplayOfOldResults(t *testing.T) {
	f := newServer(t, setup{})
	at := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	r := planted(t, f, "BTC/USDT", "1h", at.Add(-time.Hour), at)
	rewrite := func(change func(map[string]any)) {
		var document map[string]any
		if err := json.Unmarshal(r.Body, &document); err != nil {
			t.Fatal(err)
		}
		change(document)
		again := r
		var err error
		if again.Body, err = json.Marshal(document); err != nil {
			t.Fatal(err)
		}
		if err := f.store.Record(t.Context(), &again, store.Count{At: at}); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(func(d map[string]any) { delete(d, "policy"); d["later"] = "unknown keys do no harm" })
	for body, assumed := range map[string]int{`}`: 1, `,"min_confidence":0.5}`: 1, `,"min_confidence":0.5,"min_agreement":0}`: 0} {
		if got := f.replay(t, `{"pair":"BTC/USDT","timeframe":"1h"`+body); got.Runs != 1 || got.Changed != 0 || got.PolicyAssumed != assumed {
			t.Errorf("%s: %+v, want %d assumed", body, got, assumed)
		}
	}
	rewrite(func(d map[string]any) { d["provider_responses"] = []any{} })
	p := f.post(t, "/v1/replay", `{"pair":"BTC/USDT","timeframe":"1h"}`).problem(t, 500, "internal-error")
	if strings.Contains(p.Detail, "votes") || !strings.Contains(f.log.String(), r.ID+" can't be replayed: it has no votes") {
		t.Errorf("detail %q; log:\n%s", p.Detail, f.log)
	}
}

// A run that was decided early may lack votes: an item says so.
func TestReplayOfEarlyDecisions(t *testing.T) {
	f := newServer(t, setup{faults: "gemini=hang*"})
	var c signal.Consensus
	f.post(t, "/v1/consensus", edited("wait", `"decided"`, "market_data", `{"rsi":15,"price_change_24h":-4}`, "provider_weights", `{"gemini":0.01}`, "timeout_seconds", "5")).want(t, 200).into(t, &c)
	if !c.DecidedEarly || c.Decision == signal.Hold {
		t.Fatalf("it was %s, decided early %v", c.Decision, c.DecidedEarly)
	}
	if got := f.replay(t, wholeSeries+`}`); got.Runs != 1 || got.Changed != 0 {
		t.Errorf("as it was: %+v", got)
	}
	if got := f.replay(t, wholeSeries+`,"min_confidence":1}`); got.Changed != 1 || !got.Items[0].DecidedEarly {
		t.Errorf("%+v", got)
	}
}

func TestReplayMistakes(t *testing.T) {
	f := newServer(t, setup{})
	for _, tt := range []struct {
		field, value string
		location     string
		message      string
		told         string
	}{
		{"pair", ``, "body.pair", "is missing", ""},
		{"pair", `null`, "body.pair", "is missing", "null"},
		{"pair", `" "`, "body.pair", "is empty", `" "`},
		{"pair", `"BTC-PERP"`, "body.pair", "names a contract and no pair: write its pair, such as BTC/USDT", `"BTC-PERP"`},
		{"pair", `"` + strings.Repeat("x", 301) + `"`, "body.pair", "longer than 300", `"` + strings.Repeat("x", 100) + `…"`},
		{"pair", `7`, "body.pair", "is not a text", "7"},
		{"timeframe", `"7m"`, "body.timeframe", "", `"7m"`},
		{"from", `"yesterday"`, "body.from", "is no time", `"yesterday"`},
		{"from", `{}`, "body.from", "is no time", ""},
		{"from", `true`, "body.from", "is no time", "true"},
		{"from", `-1`, "body.from", "is no time", "-1"},
		{"from", `""`, "body.from", "is no time", `""`},
		{"from", `"1969-12-31T23:59:59Z"`, "body.from", "is no time", `"1969-12-31T23:59:59Z"`},
		{"to", `"2026-11-22T00:00:00Z"`, "body.to", "is not after from", `"2026-11-22T00:00:00Z"`},
		{"provider_weights", `{"nobody":1}`, "body.provider_weights.nobody", "known provider", "1"},
		{"provider_weights", `{"openai":1.5}`, "body.provider_weights.openai", "outside 0…1", "1.5"},
		{"provider_weights", `{"openai":1,"OpenAI":1}`, "body.provider_weights.openai", "twice", "1"},
		{"provider_weights", `[]`, "body.provider_weights", "is not an object", ""},
		{"min_confidence", `75`, "body.min_confidence", "outside 0…1", "75"},
		{"min_agreement", `"0.5"`, "body.min_agreement", "is not a number", `"0.5"`},
		{"min_providers", `2`, "body.min_providers", "is no field of this request", "2"},
		{"min_confidance", `0.5`, "body.min_confidance", `did you mean "min_confidence"`, "0.5"},
		{"limit", `0`, "body.limit", "from 1 to 500", "0"},
		{"limit", `501`, "body.limit", "from 1 to 500", "501"},
		{"limit", `1.5`, "body.limit", "from 1 to 500", "1.5"},
		{"cursor", `""`, "body.cursor", "is not a next_cursor", `""`},
		{"cursor", `"!"`, "body.cursor", "is not a next_cursor", `"!"`},
		{"cursor", `"AAAA"`, "body.cursor", "is not a next_cursor", `"AAAA"`},
		{"cursor", `3`, "body.cursor", "is not a text", "3"},
	} {
		t.Run(tt.field+" "+tt.value, func(t *testing.T) {
			fields := map[string]json.RawMessage{"pair": json.RawMessage(`"BTC/USDT"`), "from": json.RawMessage(`"2026-11-22T00:00:00Z"`)}
			delete(fields, tt.field)
			if tt.value != "" {
				fields[tt.field] = json.RawMessage(tt.value)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			p := f.post(t, "/v1/replay", string(body)).problem(t, 422, "invalid-request")
			if len(p.Errors) == 0 || !strings.EqualFold(p.Errors[0].Location, tt.location) || !strings.Contains(p.Errors[0].Message, tt.message) || string(p.Errors[0].Value) != tt.told {
				t.Errorf("%+v, want %q at %s and the value %s", p.Errors, tt.message, tt.location, tt.told)
			}
		})
	}
	for name, tt := range map[string]struct {
		body    string
		status  int
		problem string
	}{
		"no object": {`[]`, 422, "invalid-request"}, "NaN": {`{"pair":"BTC/USDT","min_confidence":NaN}`, 400, "unreadable-body"},
		"empty": {` `, 400, "unreadable-body"}, "too large": {`{"pair":"` + strings.Repeat("x", 300<<10) + `"}`, 413, "body-too-large"},
	} {
		t.Run(name, func(t *testing.T) { f.post(t, "/v1/replay", tt.body).problem(t, tt.status, tt.problem) })
	}
	f.store.off.Store(true)
	f.post(t, "/v1/replay", wholeSeries+`}`).problem(t, 503, "store-unreachable")
	f.get(t, "/v1/replay").problem(t, 405, "method-not-allowed")
}
