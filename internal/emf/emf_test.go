package emf

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/signal"
)

// every has each kind of line.
func every(w *Writer) {
	cost := 0.0015
	votes := []signal.Vote{
		{Provider: "anthropic", LatencyMS: 812.5, CostUSD: &cost, Reasoning: "planted reasoning"},
		{Provider: "openai", LatencyMS: 90}, // of unknown price
	}
	failures := []signal.Failure{
		{Provider: "gemini", Error: signal.FailureAuthentication, Message: "planted message", Attempts: 1, CostUSD: &cost},
		{Provider: "grok", Error: signal.FailureNotNeeded, Attempts: 1},
		{Provider: "mistral", Error: signal.FailureLeftOut}, // not asked: no line
	}
	w.Decided(&signal.Consensus{ID: "run-1", TotalCostUSD: 2 * cost, TotalLatencyMS: 900, OverheadMS: 1.25, Responses: votes, Failures: failures}, true)
	w.Decided(&signal.Consensus{ID: "run-2"}, false)
	w.Undecided("run-3", nil, failures[:1], 30, cost)
	w.Undecided("", nil, nil, 0, 0)
	w.OverBudget()
	w.Round(2, 1, 3, 4)
	w.Settled(5, 4, 3, -0.01)
}

func TestLines(t *testing.T) {
	var log bytes.Buffer
	every(New(&log, "ThalasConsensus", "ask"))
	type line struct {
		Of      string
		Run     any
		Metrics map[string]float64
	}
	var got []line
	for _, l := range parse(t, log.String()) {
		got = append(got, line{l.dimension + " " + l.value, l.members["run"], l.metrics})
	}
	want := []line{
		{"Function ask", "run-1", map[string]float64{"Runs": 1, "Decisions": 1, "QuorumFailures": 0, "NotStored": 0, "CostUSD": 0.003, "LatencyMs": 900, "OverheadMs": 1.25}},
		{"Provider anthropic", "run-1", map[string]float64{"Calls": 1, "Failures": 0, "AuthenticationFailures": 0, "ProviderLatencyMs": 812.5, "ProviderCostUSD": 0.0015}},
		{"Provider openai", "run-1", map[string]float64{"Calls": 1, "Failures": 0, "AuthenticationFailures": 0, "ProviderLatencyMs": 90}},
		{"Provider gemini", "run-1", map[string]float64{"Calls": 1, "Failures": 1, "AuthenticationFailures": 1, "ProviderCostUSD": 0.0015}},
		{"Provider grok", "run-1", map[string]float64{"Calls": 1, "Failures": 0, "AuthenticationFailures": 0}},
		{"Function ask", "run-2", map[string]float64{"Runs": 1, "Decisions": 1, "QuorumFailures": 0, "NotStored": 1, "CostUSD": 0, "LatencyMs": 0, "OverheadMs": 0}},
		{"Function ask", "run-3", map[string]float64{"Runs": 1, "Decisions": 0, "QuorumFailures": 1, "NotStored": 0, "CostUSD": 0.0015, "LatencyMs": 30}},
		{"Provider gemini", "run-3", map[string]float64{"Calls": 1, "Failures": 1, "AuthenticationFailures": 1, "ProviderCostUSD": 0.0015}},
		{"Function ask", nil, map[string]float64{"Runs": 1, "Decisions": 0, "QuorumFailures": 1, "NotStored": 0, "CostUSD": 0}},
		{"Function ask", nil, map[string]float64{"BudgetRefusals": 1}},
		{"Function ask", nil, map[string]float64{"ScheduledRuns": 1, "SeriesDecided": 2, "SeriesSkipped": 1, "SeriesFailed": 3, "SeriesNotReached": 4}},
		{"Function ask", nil, map[string]float64{"Settled": 5, "Directional": 4, "Hits": 3, "NetReturn": -0.01}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(log.String(), "planted") {
		t.Errorf("a text is in the log: %s", &log)
	}
	for _, l := range parse(t, log.String()) {
		if l.members["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)["Namespace"] != "ThalasConsensus" {
			t.Errorf("another namespace: %v", l.members)
		}
	}
}

// The alarms and the dashboard use only metrics that are written, and every metric is used.
func TestTheTemplateNamesTheMetrics(t *testing.T) {
	var log bytes.Buffer
	every(New(&log, "ThalasConsensus", "ask"))
	written := map[string]bool{}
	for _, l := range parse(t, log.String()) {
		for name := range l.metrics {
			written[l.dimension+" "+name] = true
		}
	}
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	found := 0
	for _, pattern := range []string{
		`Namespace: !Ref MetricsNamespace,?\s+MetricName: (?P<metric>\w+),?\s+Dimensions:\s+[-[]\s?\{Name: (?P<dimension>\w+)`, // alarms
		`SUM\((?P<metric>\w+)\) FROM SCHEMA\("\$\{MetricsNamespace\}", (?P<dimension>\w+)\)`,                                   // alarms for all providers
		`"\$\{MetricsNamespace\}", "(?P<metric>\w+)", "(?P<dimension>\w+)"`,                                                    // the dashboard
		`\{\\"\$\{MetricsNamespace\}\\",(?P<dimension>\w+)\} MetricName=\\"(?P<metric>\w+)\\"`,                                 // and what it searches for
	} {
		form := regexp.MustCompile(pattern)
		for _, m := range form.FindAllStringSubmatch(string(template), -1) {
			named[m[form.SubexpIndex("dimension")]+" "+m[form.SubexpIndex("metric")]] = true
			found++
		}
	}
	if all := strings.Count(string(template), "Namespace: !Ref MetricsNamespace") + strings.Count(string(template), "${MetricsNamespace}"); found != all {
		t.Errorf("%d of %d metrics of ours in the template were found", found, all)
	}
	if diff := cmp.Diff(written, named); diff != "" {
		t.Errorf("(-written +named in template.yaml):\n%s", diff)
	}
}

// oneByOne fails if two writes overlap.
type oneByOne struct {
	t       *testing.T
	writing sync.Mutex
	log     bytes.Buffer
}

func (o *oneByOne) Write(p []byte) (int, error) {
	if !o.writing.TryLock() {
		o.t.Error("two lines at once")
		return 0, nil
	}
	defer o.writing.Unlock()
	if bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		o.t.Errorf("not one line: %q", p)
	}
	return o.log.Write(p)
}

func TestALineIsOneWrite(t *testing.T) {
	out := &oneByOne{t: t}
	w := New(out, "ThalasConsensus", "ask")
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() { every(w) })
	}
	writers.Wait()
	if n := len(parse(t, out.log.String())); n != 8*12 {
		t.Errorf("%d lines", n)
	}
}

func TestANilWriterDoesNothing(t *testing.T) { every(nil) }
