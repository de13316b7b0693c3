package emf

// The lines, and their metrics.

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"thalas/internal/signal"
)

// The dimensions.
const (
	function = "Function"
	provider = "Provider"
)

// The units as CloudWatch names them. It has no unit for money.
const (
	count        = "Count"
	milliseconds = "Milliseconds"
	usd          = "None"
)

// Writer writes the metrics of one function. It is safe for concurrent use. A nil
// Writer does nothing.
type Writer struct {
	namespace, function string

	mu  sync.Mutex
	out io.Writer // guarded by mu
}

// New makes a Writer for the function of that name. out must be the standard output,
// where Lambda reads the log.
func New(out io.Writer, namespace, function string) *Writer {
	return &Writer{namespace: namespace, function: function, out: out}
}

// Decided writes the metrics of a run with a decision, and whether it could be stored.
func (w *Writer) Decided(c *signal.Consensus, stored bool) {
	w.line("", c.ID, []metric{
		{"Runs", count, 1}, {"Decisions", count, 1}, {"QuorumFailures", count, 0}, {"NotStored", count, oneIf(!stored)},
		{"CostUSD", usd, c.TotalCostUSD}, {"LatencyMs", milliseconds, c.TotalLatencyMS}, {"OverheadMs", milliseconds, c.OverheadMS},
	})
	if c.SharedFrom == nil { // else the run whose votes these are has counted them
		w.providers(c.ID, c.Responses, c.Failures)
	}
}

// Undecided writes the metrics of a run without a decision: too few votes, or no provider
// to ask. run is its id, or "" if it did not begin because the keys could not be read.
// votes and failures are those of the providers that were asked; latencyMS and costUSD are
// of all of them together.
func (w *Writer) Undecided(run string, votes []signal.Vote, failures []signal.Failure, latencyMS, costUSD float64) {
	metrics := []metric{
		{"Runs", count, 1}, {"Decisions", count, 0}, {"QuorumFailures", count, 1}, {"NotStored", count, 0}, {"CostUSD", usd, costUSD},
	}
	if len(failures) > 0 { // otherwise no model was waited for
		metrics = append(metrics, metric{"LatencyMs", milliseconds, latencyMS})
	}
	w.line("", run, metrics)
	w.providers(run, votes, failures)
}

// OverBudget counts a question that was refused because the day's budget is used up. Such
// a question is not a run, so no other metric counts it.
func (w *Writer) OverBudget() {
	w.line("", "", []metric{{"BudgetRefusals", count, 1}})
}

// Settled writes the metrics of results of one series that were settled: how many, how many
// raw BUYs and SELLs and how many of them were right, and the sum of the net returns of what
// was acted on, as shares.
func (w *Writer) Settled(settled, directional, hits int, netReturn float64) {
	w.line("", "", []metric{
		{"Settled", count, float64(settled)}, {"Directional", count, float64(directional)}, {"Hits", count, float64(hits)}, {"NetReturn", usd, netReturn},
	})
}

// Round writes the metrics of a finished round of the schedule: how many series of the
// watch list were decided, were skipped because their candle was decided before, failed,
// and were not reached in time.
func (w *Writer) Round(decided, skipped, failed, notReached int) {
	w.line("", "", []metric{
		{"ScheduledRuns", count, 1}, {"SeriesDecided", count, float64(decided)}, {"SeriesSkipped", count, float64(skipped)},
		{"SeriesFailed", count, float64(failed)}, {"SeriesNotReached", count, float64(notReached)},
	})
}

// providers writes the lines of the providers that were asked. A provider that was not
// needed any more has not failed.
func (w *Writer) providers(run string, votes []signal.Vote, failures []signal.Failure) {
	for i := range votes {
		v := &votes[i]
		w.provider(run, v.Provider, v.CostUSD, metric{"Failures", count, 0}, metric{"AuthenticationFailures", count, 0}, metric{"ProviderLatencyMs", milliseconds, v.LatencyMS})
	}
	for i := range failures {
		f := &failures[i]
		if f.Attempts == 0 { // it was not asked
			continue
		}
		w.provider(run, f.Provider, f.CostUSD,
			metric{"Failures", count, oneIf(f.Error.IsFault())},
			metric{"AuthenticationFailures", count, oneIf(f.Error == signal.FailureAuthentication)})
	}
}

// provider writes the line of one provider that was asked. An unknown cost is left out.
func (w *Writer) provider(run, name string, costUSD *float64, metrics ...metric) {
	metrics = append(metrics, metric{"Calls", count, 1})
	if costUSD != nil {
		metrics = append(metrics, metric{"ProviderCostUSD", usd, *costUSD})
	}
	w.line(name, run, metrics)
}

// metric is a value with its name and unit.
type metric struct {
	Name  string
	Unit  string
	value float64
}

// line writes one line: the metrics of a provider, or without a name those of the function.
func (w *Writer) line(ofProvider, run string, metrics []metric) {
	if w == nil {
		return
	}
	dimension, value := function, w.function
	if ofProvider != "" {
		dimension, value = provider, ofProvider
	}
	now := time.Now().UTC()
	line := map[string]any{
		"level": "INFO", "timestamp": now.Format(time.RFC3339Nano), "message": "Metrics:",
		"_aws": map[string]any{
			"Timestamp": now.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": w.namespace, "Dimensions": [][]string{{dimension}}, "Metrics": metrics,
			}},
		},
		dimension: value,
	}
	if run != "" {
		line["run"] = run
	}
	for _, m := range metrics {
		line[m.Name] = m.value
	}
	// NaN can't be written as JSON, and a failed write of the log can't be logged: in both
	// cases the line is lost.
	if text, err := json.Marshal(line); err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, _ = w.out.Write(append(text, '\n'))
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
