//go:build unix

package e2e

// Replay and reading back in the function that may only read results.

import (
	"encoding/json"
	"net/http"
	"testing"

	"thalas/internal/signal"
)

func TestLambdaReplay(t *testing.T) {
	c := newCloud(t, dynamoDB(t), "")
	asked := c.consensus(t)
	var runs []signal.Consensus
	for _, body := range questions() {
		answer := asked.invoke(t, http.MethodPost, "/v1/consensus", body, lambdaTime)
		asked.ready(t)
		var result signal.Consensus
		if answer.StatusCode != http.StatusOK || json.Unmarshal([]byte(answer.Body), &result) != nil {
			t.Fatalf("status %d: %s", answer.StatusCode, answer.Body)
		}
		runs = append(runs, result)
	}
	calls, secrets := len(c.models.Recorded()), c.secrets.calls.Load()

	// It has no secret: it asks nobody.
	s := startSandbox(t, append(c.env, "MIN_CONFIDENCE=0.99")...)
	s.ready(t)
	replay := func(body string) string {
		t.Helper()
		answer := s.invoke(t, http.MethodPost, "/v1/replay", body, lambdaTime)
		s.ready(t)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d: %s", body, answer.StatusCode, answer.Body)
		}
		return answer.Body
	}
	replayAgrees(t, replay(`{"pair":"BTC/USDT","min_confidence":1,"from":"2026-01-01T00:00:00Z"}`), runs)
	var same replayAnswer
	if body := replay(`{"pair":"BTC/USDT"}`); json.Unmarshal([]byte(body), &same) != nil || same.Runs != len(runs) || same.Changed != 0 {
		t.Errorf("as it was: %s", body)
	}
	pages, changed := 0, 0
	for cursor := "null"; cursor != ""; pages++ {
		var page replayAnswer
		if err := json.Unmarshal([]byte(replay(`{"pair":"BTC/USDT","min_confidence":1,"limit":15,"cursor":`+cursor+`}`)), &page); err != nil {
			t.Fatal(err)
		}
		changed += page.Changed
		if cursor = ""; page.Next != nil {
			cursor = `"` + *page.Next + `"`
		}
	}
	var whole replayAnswer
	if err := json.Unmarshal([]byte(replay(`{"pair":"BTC/USDT","min_confidence":1}`)), &whole); err != nil || pages != 3 || changed != whole.Changed {
		t.Errorf("%v: %d pages with %d changed, want 3 with %d", err, pages, changed, whole.Changed)
	}
	refused := s.invoke(t, http.MethodPost, "/v1/replay", `{"pair":"BTC/USDT","min_providers":2}`, lambdaTime)
	s.ready(t)
	if refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d: %s", refused.StatusCode, refused.Body)
	}
	if len(c.models.Recorded()) != calls || c.secrets.calls.Load() != secrets {
		t.Errorf("replaying made %d calls of models and %d of Secrets Manager", len(c.models.Recorded())-calls, c.secrets.calls.Load()-secrets)
	}
}
