//go:build unix

package e2e

// The metrics that a function writes into its log for CloudWatch.

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// metrics gives what the function has written: the sum of each metric by the value
// of its dimension, as in "Function consensus". It waits until last is in the log.
func (s *sandbox) metrics(t *testing.T, last string) map[string]map[string]float64 {
	t.Helper()
	late := make(chan struct{})
	patience := time.AfterFunc(guard, func() { close(late) })
	defer patience.Stop()
	if s.log.await(regexp.MustCompile(last), late) == nil {
		t.Fatalf("the log has no %s", last)
	}
	sums := map[string]map[string]float64{}
	for text := range strings.Lines(s.log.String()) {
		if !strings.HasPrefix(text, "{") { // the runtime library tells the errors of a function in its own form
			continue
		}
		var line map[string]any
		var meta struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
			Level, Timestamp string
		}
		if err := errors.Join(json.Unmarshal([]byte(text), &line), json.Unmarshal([]byte(text), &meta)); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, directive := range meta.AWS.CloudWatchMetrics {
			if directive.Namespace != "Test/Own" || meta.Level != "INFO" || meta.Timestamp == "" {
				t.Errorf("namespace, level or time are not right: %s", text)
			}
			of := directive.Dimensions[0][0] + " " + line[directive.Dimensions[0][0]].(string)
			if sums[of] == nil {
				sums[of] = map[string]float64{}
			}
			for _, m := range directive.Metrics {
				sums[of][m.Name] += line[m.Name].(float64)
			}
		}
	}
	return sums
}

func TestLambdaMetrics(t *testing.T) {
	// Asked with a key that is refused, gemini is left out, but where the quorum needs it.
	c := newCloud(t, dynamoDB(t), "gemini=wrong_key*")
	c.env = append(c.env, "METRICS_NAMESPACE=Test/Own")
	s := c.consensus(t)
	cost := 0.0
	for range 2 {
		cost += s.decide(t, lambdaTime).TotalCostUSD
		s.ready(t)
	}
	for _, request := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, "/v1/consensus", strings.Replace(lambdaQuestion, "{", `{"min_providers":3,`, 1), http.StatusServiceUnavailable}, // a run without a decision
		{http.MethodPost, "/v1/consensus", "{}", http.StatusUnprocessableEntity},                                                          // no run
		{http.MethodGet, "/v1/consensus/latest?pair=BTC/USDT", "", http.StatusOK},                                                         // nor this
	} {
		if answer := s.invoke(t, request.method, request.path, request.body, lambdaTime); answer.StatusCode != request.status {
			t.Errorf("%s %s: status %d: %s", request.method, request.path, answer.StatusCode, answer.Body)
		}
		s.ready(t)
	}

	cost *= 3. / 2 // the run without a decision was paid for like the others
	got := s.metrics(t, `"QuorumFailures":1.*\n`)
	run := got["Function consensus"]
	if run["Runs"] != 3 || run["Decisions"] != 2 || run["QuorumFailures"] != 1 || run["NotStored"] != 0 || math.Abs(run["CostUSD"]-cost) > 1e-9 || run["LatencyMs"] <= run["OverheadMs"] || run["OverheadMs"] <= 0 {
		t.Errorf("three runs, which cost %v: %v", cost, run)
	}
	if p := got["Provider anthropic"]; p["Calls"] != 3 || p["Failures"] != 0 || p["ProviderLatencyMs"] <= 0 || p["ProviderCostUSD"] <= 0 {
		t.Errorf("anthropic voted three times: %v", p)
	}
	if p := got["Provider gemini"]; p["Calls"] != 2 || p["Failures"] != 2 || p["AuthenticationFailures"] != 2 || p["ProviderLatencyMs"] != 0 {
		t.Errorf("gemini was asked at first and for the quorum, with a wrong key: %v", p)
	}
	if log := s.log.String(); strings.Contains(log, lambdaKey) {
		t.Error("a key is in the log")
	}
}
