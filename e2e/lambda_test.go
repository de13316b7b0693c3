//go:build unix

package e2e

// The Lambda functions as they are deployed, over a real DynamoDB engine, a
// Secrets Manager and the simulator in the place of the providers.

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/signal"
	"thalas/internal/simulator"
	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

const (
	lambdaQuestion = `{"pair":"BTC/USDT","timeframe":"5m","current_price":50000,"market_data":{"rsi":65.5}}`
	lambdaKey      = "planted-key-of-the-secret"
	lambdaTime     = 28 * time.Second // as the template has it
)

// secretsManager holds one secret, and can be down.
type secretsManager struct {
	*httptest.Server
	key   atomic.Pointer[string] // of every provider
	down  atomic.Bool
	calls atomic.Int32
}

func newSecretsManager(t *testing.T) *secretsManager {
	t.Helper()
	m := &secretsManager{}
	m.key.Store(new(lambdaKey))
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.calls.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if m.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		key := *m.key.Load()
		secret, _ := json.Marshal(map[string]string{"ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key, "GEMINI_API_KEY": key})
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": string(secret)})
	}))
	t.Cleanup(m.Close)
	return m
}

// dynamoDB starts an engine for a test, which is skipped where there is none.
func dynamoDB(t *testing.T) *dynamotest.Server {
	t.Helper()
	engine, err := dynamotest.Start(t.Context(), dynamotest.Local)
	if missing := (*dynamotest.NotInstalled)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// cloud is what the functions run on.
type cloud struct {
	secrets *secretsManager
	models  *simulator.Running
	front   *httptest.Server       // of the models: its connections can be cut
	revoked atomic.Pointer[string] // a key that the models refuse
	store   *dynamo.Store
	env     []string
}

func newCloud(t *testing.T, engine *dynamotest.Server, faults string) *cloud {
	t.Helper()
	client := engine.Client()
	tables := dynamotest.NewTables(t, client)
	c := &cloud{secrets: newSecretsManager(t), models: simulated(t, faults), store: dynamo.New(client, tables)}
	c.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if revoked := c.revoked.Load(); revoked != nil {
			for _, values := range r.Header {
				if strings.Contains(values[0], *revoked) {
					http.Error(w, `{"error":{"message":"invalid key"}}`, http.StatusUnauthorized)
					return
				}
			}
		}
		c.models.ServeHTTP(w, r)
	}))
	t.Cleanup(c.front.Close)
	c.warm(t)
	c.env = []string{
		"RESULTS_TABLE=" + tables.Results, "METRICS_TABLE=" + tables.Metrics, "COORDINATION_TABLE=" + tables.Coordination,
		"AWS_ENDPOINT_URL_DYNAMODB=" + engine.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + c.secrets.URL, "DAILY_BUDGET_USD=10",
	}
	for _, name := range []string{"anthropic", "openai", "gemini", "grok"} {
		c.env = append(c.env, strings.ToUpper(name)+"_BASE_URL="+c.front.URL+"/"+name)
	}
	return c
}

// warm writes into tables before a function does: an engine that has just started
// may take longer for its first writes than a run waits for them.
func (c *cloud) warm(t *testing.T) {
	t.Helper()
	if err := c.store.Record(t.Context(), nil, store.Count{At: time.Unix(0, 0), Add: map[string]int64{"warm": 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.Claim(t.Context(), "warm", store.Claim{Owner: "test", Until: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) consensus(t *testing.T) *sandbox {
	t.Helper()
	s := startSandbox(t, append(c.env, "PROVIDER_KEYS_SECRET_ID=thalas/keys")...)
	s.ready(t)
	if n := c.secrets.calls.Load(); n != 0 {
		t.Errorf("%d calls of Secrets Manager before the first request", n)
	}
	return s
}

// decide asks, and gives the decision.
func (s *sandbox) decide(t *testing.T, within time.Duration) signal.Consensus {
	t.Helper()
	answer := s.invoke(t, http.MethodPost, "/v1/consensus", lambdaQuestion, within)
	var c signal.Consensus
	if answer.StatusCode != http.StatusOK || json.Unmarshal([]byte(answer.Body), &c) != nil {
		t.Fatalf("status %d: %s", answer.StatusCode, answer.Body)
	}
	return c
}

func TestLambda(t *testing.T) {
	engine := dynamoDB(t)
	for name, test := range map[string]func(*testing.T, *dynamotest.Server){
		"answers and keeps":      lambdaAnswers,
		"secret down, then up":   lambdaWithoutSecret,
		"key replaced":           lambdaRotation,
		"a provider that hangs":  lambdaDeadline,
		"frozen between events":  lambdaFrozen,
		"health without the key": lambdaHealth,
		"tables unreachable":     lambdaWithoutTables,
		"by the clock":           lambdaSchedule,
	} {
		t.Run(name, func(t *testing.T) { test(t, engine) })
	}
}

func lambdaAnswers(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	s := c.consensus(t)
	const runs = 5
	for range runs {
		result := s.decide(t, lambdaTime)
		s.ready(t)
		if len(result.Responses) != 3 || len(result.Warnings) > 0 || result.Simulated {
			t.Errorf("%d votes, warnings %v, simulated %v", len(result.Responses), result.Warnings, result.Simulated)
		}
		stored, err := c.store.Result(t.Context(), result.ID)
		if err != nil {
			t.Fatal(err)
		}
		read := s.invoke(t, http.MethodGet, "/v1/consensus/"+result.ID, "", lambdaTime)
		s.ready(t)
		if read.StatusCode != http.StatusOK || !keeps(read.Body, string(stored.Body)) {
			t.Errorf("read back with status %d:\n%s\nstored:\n%s", read.StatusCode, read.Body, stored.Body)
		}
	}
	if n := c.secrets.calls.Load(); n != 1 {
		t.Errorf("%d calls of Secrets Manager for %d runs, want 1", n, runs)
	}
	now := time.Now().UTC()
	hours, err := c.store.Hours(t.Context(), now.Add(-time.Hour).Format(time.DateOnly), now.Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]int64{}
	for _, h := range hours {
		for name, n := range h.Counts {
			counted[name] += n
		}
	}
	if counted["requests"] != runs || counted["anthropic.successes"] != runs {
		t.Errorf("counted %v", counted)
	}
	for line := range strings.Lines(s.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has a line that is not JSON: %s", line)
		}
	}
	if strings.Contains(s.log.String(), lambdaKey) {
		t.Error("a key is in the log")
	}
}

// The first requests are refused with a text that helps; once the secret can be
// read, the same process answers.
func lambdaWithoutSecret(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	s := c.consensus(t)
	c.secrets.down.Store(true)
	refused := s.invoke(t, http.MethodPost, "/v1/consensus", lambdaQuestion, lambdaTime)
	s.ready(t)
	if refused.StatusCode != http.StatusServiceUnavailable || !strings.Contains(refused.Body, "/problems/keys-unavailable") || !strings.Contains(refused.Body, "the secret thalas/keys can't be read now") {
		t.Errorf("status %d: %s", refused.StatusCode, refused.Body)
	}
	if n := len(c.models.Recorded()); n != 0 {
		t.Errorf("%d providers were asked without a key", n)
	}
	c.secrets.down.Store(false)
	for until := time.Now().Add(guard); ; {
		answer := s.invoke(t, http.MethodPost, "/v1/consensus", lambdaQuestion, lambdaTime)
		s.ready(t)
		if answer.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("still refused: %s", answer.Body)
		}
	}
}

// A key that is replaced while it is cached costs no vote, and one call.
func lambdaRotation(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	s := c.consensus(t)
	for i := range 6 {
		if i == 3 {
			c.secrets.key.Store(new("planted-key-of-tomorrow"))
			c.revoked.Store(new(lambdaKey))
		}
		result := s.decide(t, lambdaTime)
		s.ready(t)
		if len(result.Responses) != 3 || len(result.Failures) > 0 {
			t.Errorf("question %d: %d votes, failures %+v", i, len(result.Responses), result.Failures)
		}
	}
	if n := c.secrets.calls.Load(); n != 2 {
		t.Errorf("%d calls of Secrets Manager, want 2", n)
	}
}

// The invocation's deadline comes before the run's own: the others decide in time.
func lambdaDeadline(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "gemini=hang*")
	s := c.consensus(t)
	result := s.decide(t, 4*time.Second) // fails where the answer comes later
	if len(result.Responses) != 2 || len(result.Failures) != 1 || result.Failures[0].Error != signal.FailureTimeout {
		t.Errorf("votes %+v, failures %+v", result.Responses, result.Failures)
	}
	if _, err := c.store.Result(t.Context(), result.ID); err != nil {
		t.Error(err)
	}
}

func lambdaFrozen(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	s := c.consensus(t)
	seen := map[string]bool{}
	for range 20 {
		s.freeze(t)
		c.front.CloseClientConnections() // an idle connection does not outlive a freeze
		before := len(c.models.Recorded())
		s.thaw(t)
		result := s.decide(t, lambdaTime)
		s.ready(t)
		if len(result.Responses) != 3 || seen[result.ID] || len(c.models.Recorded())-before != 3 {
			t.Errorf("%d votes, %d calls, seen before %v", len(result.Responses), len(c.models.Recorded())-before, seen[result.ID])
		}
		seen[result.ID] = true
	}
}

func lambdaHealth(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	asked := c.consensus(t)
	asked.decide(t, lambdaTime)
	s := startSandbox(t, c.env...)
	s.ready(t)
	health := s.invoke(t, http.MethodGet, "/v1/health", "", lambdaTime)
	s.ready(t)
	// The day's budget is read from the table too, with what the run has cost.
	budget := regexp.MustCompile(`"budget":\{"limit_usd":10,"spent_usd":0\.\d*[1-9]\d*,"reserved_usd":0\}`)
	if health.StatusCode != http.StatusOK || !strings.Contains(health.Body, `"status":"healthy"`) || !budget.MatchString(health.Body) {
		t.Errorf("status %d: %s", health.StatusCode, health.Body)
	}
	calls := len(c.models.Recorded())
	probe := s.invoke(t, http.MethodGet, "/v1/health?probe=true", "", lambdaTime)
	if probe.StatusCode != http.StatusForbidden || !strings.Contains(probe.Body, "/problems/probe-not-allowed") || len(c.models.Recorded()) != calls {
		t.Errorf("status %d: %s", probe.StatusCode, probe.Body)
	}
}

// A decision that was paid for is answered, stored or not.
func lambdaWithoutTables(t *testing.T, engine *dynamotest.Server) {
	c := newCloud(t, engine, "")
	c.env = append(c.env, "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", "DAILY_BUDGET_USD=0") // of two the last one counts
	s := c.consensus(t)
	result := s.decide(t, lambdaTime)
	if len(result.Responses) != 3 || len(result.Warnings) != 1 || result.Warnings[0].Code != signal.WarnNotStored {
		t.Errorf("%d votes, warnings %+v", len(result.Responses), result.Warnings)
	}
}

func TestLambdaRefusesToStart(t *testing.T) {
	t.Parallel()
	s := startSandbox(t, "SIMULATE_PROVIDERS=true", "MIN_PROVIDERS=9", "SETTINGS=GROK_ENABLED=true GROK_MODLE=grok-4.7")
	<-s.ended
	for _, want := range []string{"SIMULATE_PROVIDERS", "MIN_PROVIDERS", "RESULTS_TABLE", "SETTINGS: GROK_MODLE is not known: did you mean GROK_MODEL?", "4 mistakes"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("it does not name %s:\n%s", want, s.log)
		}
	}
}
