package sam_test

// The API over HTTP, as a bot meets it, but for keys, limits and what API Gateway
// answers itself: sam local has none of that.

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"thalas/e2e/sam"
	"thalas/internal/signal"
)

const question = `{"pair":"BTC/USDT","timeframe":"5m","current_price":50000,"market_data":{"rsi":65.5,"macd":12}}`

// local is the running API.
type local struct{ *sam.API }

func serves(t *testing.T, s *stack) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port // free, since nobody has taken it yet
	_ = listener.Close()
	api, err := s.StartAPI(within(t, long), port, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		api.Stop()
		if t.Failed() {
			t.Logf("sam local start-api said:\n%s", api.Log())
		}
	})
	l := local{api}
	t.Run("decisions", func(t *testing.T) { decides(t, s, l) })
	for _, c := range requests {
		t.Run(c.name, func(t *testing.T) {
			status, _, body := l.send(t, c.method, c.path, c.body)
			if status != c.status {
				t.Errorf("status %d, want %d: %.2000s", status, c.status, body)
			}
			for _, text := range c.has {
				if !strings.Contains(body, text) {
					t.Errorf("%s is not in %.2000s", text, body)
				}
			}
		})
	}
	for _, key := range []string{"planted-anthropic-key", "planted-openai-key", "planted-gemini-key"} {
		if strings.Contains(api.Log(), key) {
			t.Error("a key is in the log")
		}
	}
}

// decides asks several times, reads each result back from the table and over the
// API, and looks at what else that left.
func decides(t *testing.T, s *stack, l local) {
	const runs = 5
	keys, asked, before := s.SecretReads(), len(s.Models.Recorded()), s.counted(t)
	for range runs {
		status, _, body := l.send(t, http.MethodPost, "/v1/consensus", question)
		var result signal.Consensus
		if err := json.Unmarshal([]byte(body), &result); err != nil || status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		if len(result.Responses) != 3 || len(result.Failures) > 0 || len(result.Warnings) > 0 {
			t.Errorf("%d votes, failures %v, warnings %v", len(result.Responses), result.Failures, result.Warnings)
		}
		stored, err := s.Store().Result(t.Context(), result.ID)
		if err != nil {
			t.Fatal(err)
		}
		status, _, read := l.send(t, http.MethodGet, "/v1/consensus/"+result.ID, "")
		if status != http.StatusOK || !strings.HasPrefix(read, strings.TrimSuffix(string(stored.Body), "}")+`,"outcome":`) {
			t.Errorf("read back with status %d:\n%s\nstored:\n%s", status, read, stored.Body)
		}
	}
	if n := s.SecretReads() - keys; n != 1 {
		t.Errorf("%d calls of GetSecretValue for %d requests to one container, want 1", n, runs)
	}
	if n := len(s.Models.Recorded()) - asked; n != 3*runs {
		t.Errorf("%d calls of models for %d requests", n, runs)
	}
	after := s.counted(t)
	for _, name := range []string{"requests", "successes", "anthropic.successes", "openai.successes", "gemini.successes"} {
		if n := after[name] - before[name]; n != runs {
			t.Errorf("%s is counted %d times for %d requests", name, n, runs)
		}
	}
	// One line for the run and one for each provider.
	if n := strings.Count(l.Log(), `"CloudWatchMetrics"`); n != 4*runs {
		t.Errorf("%d lines for CloudWatch after %d requests, want %d", n, runs, 4*runs)
	}
}

// counted sums the counters of today.
func (s *stack) counted(t *testing.T) map[string]int64 {
	t.Helper()
	now := time.Now().UTC()
	hours, err := s.Store().Hours(t.Context(), now.Add(-time.Hour).Format(time.DateOnly), now.Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]int64{}
	for _, h := range hours {
		for name, n := range h.Counts {
			counted[name] += n
		}
	}
	return counted
}

var requests = []struct {
	name, method, path, body string
	status                   int
	has                      []string
}{
	{"latest", http.MethodGet, "/v1/consensus/latest?pair=BTC/USDT&timeframe=5m", "", http.StatusOK, []string{`"decision":"`}},
	{"a slash that is escaped", http.MethodGet, "/v1/consensus/latest?pair=BTC%2FUSDT&timeframe=5m", "", http.StatusOK, []string{`"decision":"`}},
	{"latest of two", http.MethodGet, "/v1/consensus/latest?pair=BTC/USDT&pair=SOL/USDT&timeframe=5m", "", http.StatusOK, []string{`"missing":["SOL/USDT"]`}},
	{"history", http.MethodGet, "/v1/consensus?pair=BTC/USDT&timeframe=5m&limit=3", "", http.StatusOK, []string{`"items":[{`, `"next_cursor":"`}},
	{"no such result", http.MethodGet, "/v1/consensus/01a206c6-7d62-7000-8000-0123456789ab", "", http.StatusNotFound, []string{"/problems/"}},
	{"an escaped slash in the path", http.MethodGet, "/v1/consensus/BTC%2FUSDT", "", http.StatusForbidden, nil},                                    // no such route, in sam's words
	{"outcomes", http.MethodGet, "/v1/outcomes?pair=BTC/USDT&timeframe=5m", "", http.StatusOK, []string{`"reason":"late"`, `"next_cursor":null}`}}, // what was asked above had old candles
	{"scoreboard", http.MethodGet, "/v1/scoreboard?timeframe=5m", "", http.StatusOK, []string{`"timeframe":"5m"`}},
	{"health", http.MethodGet, "/v1/health", "", http.StatusOK, []string{`"status":"healthy"`}},
	{"a probe, which is not allowed", http.MethodGet, "/v1/health?probe=true", "", http.StatusForbidden, []string{"/problems/probe-not-allowed"}},
	{"metrics", http.MethodGet, "/v1/metrics?window=day", "", http.StatusOK, []string{`"anthropic"`}},
	{"the original's route, asked", http.MethodPost, "/api/v1/strategies/llm-consensus", question, http.StatusOK, []string{`"consensus_metadata":`}},
	{"the original's route, described", http.MethodGet, "/api/v1/strategies/llm-consensus", "", http.StatusOK, []string{`"status":`}},
	{"the contract", http.MethodGet, "/openapi.json", "", http.StatusOK, []string{`"openapi":"3.1`}},
	{"the contract as YAML", http.MethodGet, "/openapi.yaml", "", http.StatusOK, []string{"openapi: 3.1"}},
	{"no such route", http.MethodGet, "/v2/consensus", "", http.StatusForbidden, nil}, // sam's; API Gateway's is in the template
	{"broken JSON", http.MethodPost, "/v1/consensus", `{"pair":`, http.StatusBadRequest, []string{"/problems/"}},
	{"a wrong pair", http.MethodPost, "/v1/consensus", strings.Replace(question, "BTC/USDT", "BTC", 1), http.StatusUnprocessableEntity, []string{"/problems/"}},
	{"a body that is too large", http.MethodPost, "/v1/consensus", `{"pair":"` + strings.Repeat("A", 300<<10) + `"}`, http.StatusRequestEntityTooLarge, []string{"/problems/body-too-large"}},
}

// client has time for a container's start.
var client = &http.Client{Timeout: 2 * time.Minute}

func (l local) send(t *testing.T, method, path, body string) (status int, header http.Header, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, l.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(all)
}
