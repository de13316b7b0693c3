package e2e

// A day of runs under other policies, through the program as it is shipped.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"thalas/internal/signal"
)

// replayAnswer is what tests look at of a replay.
type replayAnswer struct {
	Runs, Changed int
	Assumed       int `json:"policy_assumed"`
	Items         []struct {
		ID  string
		Was struct{ Decision signal.Decision }
		Now struct{ Decision signal.Decision }
	}
	Next *string `json:"next_cursor"`
}

// replayAgrees holds a replay that leaves nothing but BUY and SELL above
// min_confidence 1, which is none, against the runs themselves.
func replayAgrees(t *testing.T, document string, runs []signal.Consensus) {
	t.Helper()
	var got replayAnswer
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	was := map[string]signal.Decision{}
	traded := 0
	for _, c := range runs {
		was[c.ID] = c.Decision
		if c.Decision != signal.Hold {
			traded++
		}
	}
	if got.Runs != len(runs) || got.Changed != traded || len(got.Items) != traded || got.Assumed != 0 || got.Next != nil {
		t.Errorf("%d runs, %d changed, %d listed, %d assumed; want %d and %d", got.Runs, got.Changed, len(got.Items), got.Assumed, len(runs), traded)
	}
	if traded == 0 || traded == len(runs) {
		t.Errorf("%d of %d runs were BUY or SELL: the test says nothing", traded, len(runs))
	}
	for _, item := range got.Items {
		if was[item.ID] != item.Was.Decision || item.Now.Decision != signal.Hold {
			t.Errorf("%s was %s and is listed as %s → %s", item.ID, was[item.ID], item.Was.Decision, item.Now.Decision)
		}
	}
}

// questions are about one pair in different states, under different policies.
func questions() (bodies []string) {
	for i := range 40 {
		policy := []string{``, `,"min_confidence":0.8`, `,"min_confidence":0,"min_agreement":0.9`, `,"provider_weights":{"openai":0.1}`, `,"wait":"decided"`}[i%5]
		bodies = append(bodies, fmt.Sprintf(`{"pair":"BTC/USDT","timeframe":"5m","current_price":50000,"market_data":{"rsi":%d,"macd":%d,"price_change_24h":%d}%s}`, 10+2*i, 200-11*i, 4-i%9, policy))
	}
	return bodies
}

func TestReplayOfADay(t *testing.T) {
	t.Parallel()
	s := startServer(t, storeFile(t), "SIMULATE_PROVIDERS=true", "MIN_CONFIDENCE=0.55")
	bodies := questions()
	runs := make([]signal.Consensus, len(bodies))
	for i, r := range many(len(bodies), func(i int) reply { return s.ask(t, bodies[i]) }) {
		resultOf(t, r)
		if err := json.Unmarshal([]byte(r.body), &runs[i]); err != nil {
			t.Fatal(err)
		}
	}
	over := func(args ...string) string {
		t.Helper()
		// Another configuration than the server had: what a run was decided under is kept with it.
		o := thalas(t, []string{"DATA_FILE=" + s.file, "SIMULATE_PROVIDERS=true", "MIN_CONFIDENCE=0.99"}, "", append([]string{"replay", "BTC/USDT"}, args...)...)
		if o.code != 0 {
			t.Fatal(o)
		}
		return o.out
	}
	online := s.do(t.Context(), "POST", "/v1/replay", `{"pair":"BTC/USDT","min_confidence":1}`)
	if online.status != 200 {
		t.Fatalf("%d %s", online.status, online.body)
	}
	replayAgrees(t, online.body, runs)
	s.terminate(t, sigterm)

	replayAgrees(t, over("--min-confidence", "1", "--json"), runs)
	if out := over(); !strings.Contains(out, fmt.Sprintf("None of %d runs would have differed.", len(runs))) || !strings.HasPrefix(out, "SIMULATED: ") {
		t.Errorf("as it was:\n%s", out)
	}
	if out := over("--weights", "anthropic=0,openai=0,gemini=0,grok=0"); strings.Count(out, "HOLD, no conviction") == 0 {
		t.Errorf("nobody has a say:\n%s", out)
	}
}
