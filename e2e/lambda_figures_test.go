//go:build unix

package e2e

// Figures of a function for docs/performance.md, printed by `make bench-lambda`.
// They are reported, not judged: no test depends on how fast a machine is.

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"thalas/e2e/process"
	"thalas/internal/signal"
)

var figures = flag.Bool("figures", false, "measure the functions and print what docs/performance.md lists")

const (
	figureStarts   = 30
	figureRequests = 2000
)

func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("measured by make bench-lambda")
	}
	env := instantCloud(t)

	starts := make([]time.Duration, figureStarts)
	for i := range starts {
		began := time.Now()
		s := startSandbox(t, env...)
		s.ready(t)
		starts[i] = time.Since(began)
		if i == len(starts)-1 {
			t.Logf("%s from the start of the process to its first /next (smallest, median and 90th of %d), %s", timesOf(starts), len(starts), s.memory())
		}
		_ = s.process.Kill()
		<-s.ended
	}

	s := startSandbox(t, env...)
	s.ready(t)
	took, overhead := make([]time.Duration, figureRequests), make([]time.Duration, figureRequests)
	var busy time.Duration
	for i := range took {
		if i == figureRequests/10 {
			busy = s.processorTime() // what comes before warms up
		}
		began := time.Now()
		answer := s.invoke(t, http.MethodPost, "/v1/consensus", lambdaQuestion, lambdaTime)
		took[i] = time.Since(began)
		s.ready(t)
		var c signal.Consensus
		if err := json.Unmarshal([]byte(answer.Body), &c); err != nil || len(c.Responses) != 3 || len(c.Warnings) > 0 {
			t.Fatalf("status %d, %v: %s", answer.StatusCode, err, answer.Body)
		}
		overhead[i] = time.Duration(c.OverheadMS * float64(time.Millisecond))
	}
	measured := figureRequests - figureRequests/10
	t.Logf("first request %.1f ms", milliseconds(took[0]))
	t.Logf("a request, three providers and two DynamoDB writes that answer at once: %s, overhead_ms %s (smallest, median and 90th of %d)",
		timesOf(took[figureRequests/10:]), timesOf(overhead[figureRequests/10:]), measured)
	if total := s.processorTime() - busy; total > 0 {
		t.Logf("%.2f ms of processor time a request, then %s", milliseconds(total)/float64(measured), s.memory())
	}
}

// instantCloud gives the environment of a function whose neighbours answer at once.
func instantCloud(t *testing.T) []string {
	t.Helper()
	models := simulated(t, "")
	front := httptest.NewServer(models)
	t.Cleanup(front.Close)
	tables := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(tables.Close)
	env := []string{"RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c", "AWS_ENDPOINT_URL_DYNAMODB=" + tables.URL}
	for _, name := range []string{"anthropic", "openai", "gemini"} {
		upper := strings.ToUpper(name)
		env = append(env, upper+"_BASE_URL="+front.URL+"/"+name, upper+"_API_KEY="+lambdaKey)
	}
	return env
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// timesOf gives the smallest, the median and the 90th percentile.
func timesOf(times []time.Duration) string {
	sorted := slices.Sorted(slices.Values(times))
	return fmt.Sprintf("%.2f / %.2f / %.2f ms", milliseconds(sorted[0]), milliseconds(sorted[len(sorted)/2]), milliseconds(sorted[len(sorted)*9/10]))
}

// memory describes the memory of the process, where the system tells it.
func (s *sandbox) memory() string {
	used := process.MemoryOf(s.process.Pid)
	if used == nil {
		return "memory not known here"
	}
	return fmt.Sprintf("%.0f MiB resident, %.0f at most", used.Resident, used.Peak)
}

// processorTime is the processor time that the process has used; 0 where the system does not tell it.
func (s *sandbox) processorTime() time.Duration {
	return process.CPUTime(s.process.Pid)
}
