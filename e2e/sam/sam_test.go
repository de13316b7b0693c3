package sam_test

// The stack as the SAM command line runs it: validated, built, each event of
// events/ given to its function, and the API over HTTP.

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"thalas/e2e/backends"
	"thalas/e2e/sam"
	"thalas/internal/store"
	"thalas/internal/watch"
)

// stack is a built stack and the servers that it calls.
type stack struct {
	*sam.CLI
	*backends.Running
}

// long bounds each use of the command line; a cold machine with two cores builds in
// a minute.
const long = 5 * time.Minute

func TestSAM(t *testing.T) {
	if os.Getenv("THALAS_E2E_SAM") == "" {
		t.Skip("it needs a Docker engine and the SAM command line: make e2e-sam")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cli, err := sam.New(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{CLI: cli}
	steps := []struct {
		name string
		do   func(*testing.T, *stack)
	}{
		{"validate", validates}, {"build", builds}, {"back ends", meets},
		{"invoke", invokes}, {"by the clock", fires}, {"start-api", serves},
	}
	defer func() {
		if s.Running != nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, s) }) {
			t.Fatalf("%s has failed; what comes after it is left out", step.name)
		}
	}
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func validates(t *testing.T, s *stack) {
	for _, args := range [][]string{{"validate"}, {"validate", "--lint"}} {
		if _, err := s.Run(within(t, long), args...); err != nil {
			t.Error(err)
		}
	}
}

func builds(t *testing.T, s *stack) {
	if err := s.Build(within(t, long)); err != nil {
		t.Fatal(err)
	}
}

// scheduled is the time of events/schedule.json.
var scheduled = time.Date(2026, 11, 23, 5, 1, 0, 0, time.UTC)

func meets(t *testing.T, s *stack) {
	reach, err := sam.Reach(within(t, long))
	if err != nil {
		t.Fatal(err)
	}
	if s.Running, err = backends.Start(t.Context(), backends.Options{Reach: reach, VenueTime: func() time.Time { return scheduled.Add(30 * time.Second) }}); err != nil {
		t.Fatal(err)
	}
	if err := s.Configure(s.Environment()); err != nil {
		t.Fatal(err)
	}
}

// proxied is what a function answers to an event of API Gateway.
type proxied struct {
	StatusCode        int                 `json:"statusCode"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Body              string              `json:"body"`
}

// invocations says for each file of events/ which function it is for, and what that
// answers. In this order: the first one stores what others read.
var invocations = []struct {
	event, function string
	status          int
	has             []string
}{
	{"consensus-post", "ConsensusFunction", http.StatusOK, []string{`"decision":"`, `"anthropic"`, `"openai"`, `"gemini"`}},
	{"compat-post", "ConsensusFunction", http.StatusOK, []string{`"decision":"`, `"consensus_metadata":`}},
	{"consensus-by-id", "ConsensusReadFunction", http.StatusNotFound, []string{"/problems/", "01a206c6-7d62-7000-8000-0123456789ab"}},
	{"consensus-latest", "ConsensusReadFunction", http.StatusOK, []string{`"missing":["ETH/USDT"]`}},
	{"consensus-history", "ConsensusReadFunction", http.StatusOK, []string{`"items":[{`}},
	{"replay-post", "ConsensusReadFunction", http.StatusOK, []string{`"runs":`, `"changed":`}},
	{"openapi", "ConsensusReadFunction", http.StatusOK, []string{`"openapi":"3.1`}},
	{"health", "HealthFunction", http.StatusOK, []string{`"status":"healthy"`}},
	{"metrics", "HealthFunction", http.StatusOK, []string{`"total_requests":`}},
	{"compat-get", "HealthFunction", http.StatusOK, []string{`"status":`}},
}

func invokes(t *testing.T, s *stack) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d events, %v", len(files), err)
	}
	known := []string{"schedule"} // no request: see fires
	for _, i := range invocations {
		known = append(known, i.event)
		t.Run(i.event, func(t *testing.T) {
			answer, err := s.Invoke(within(t, long), i.function, "events/"+i.event+".json")
			if err != nil {
				t.Fatal(err)
			}
			var got proxied
			if err := json.Unmarshal(answer, &got); err != nil || got.StatusCode != i.status {
				t.Fatalf("status %d, want %d: %s", got.StatusCode, i.status, answer)
			}
			for _, text := range i.has {
				if !strings.Contains(got.Body, text) {
					t.Errorf("%s is not in %s", text, got.Body)
				}
			}
		})
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !slices.Contains(known, name) {
			t.Errorf("no function is invoked with %s", file)
		}
	}
}

// fires gives the schedule's function its event twice: the first time each series is
// asked about and stored, the second time nobody is asked.
func fires(t *testing.T, s *stack) {
	round := func() watch.Summary {
		answer, err := s.Invoke(within(t, long), "ScheduledConsensusFunction", "events/schedule.json")
		if err != nil {
			t.Fatal(err)
		}
		var summary watch.Summary
		if err := json.Unmarshal(answer, &summary); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		return summary
	}
	stored := func() (n int) {
		for _, series := range []string{"BTC/USDT#5m", "ETH/USDT#5m"} {
			page, err := s.Store().Series(t.Context(), series, store.Range{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range page.Results {
				if strings.HasPrefix(result.Position, "2026-11-23T04:55:00Z#") {
					n++
				}
			}
		}
		return n
	}
	if summary := round(); summary.Decided != 2 || stored() != 2 {
		t.Fatalf("%d stored, %+v", stored(), summary)
	}
	asked, fetched := len(s.Models.Recorded()), len(s.Venues.Requests("kraken"))
	if summary := round(); summary.Skipped != 2 || stored() != 2 || len(s.Models.Recorded()) != asked || len(s.Venues.Requests("kraken")) != fetched {
		t.Errorf("once more: %d stored, %d further calls of models, %+v", stored(), len(s.Models.Recorded())-asked, summary)
	}
}
