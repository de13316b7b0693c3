package emf

// The lines and what is in them.

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

// The units, in CloudWatch's words. It knows no currency.
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

// New makes a Writer for the function of that name. out is where Lambda reads the
// log: standard output.
func New(out io.Writer, namespace, function string) *Writer {
	return &Writer{namespace: namespace, function: function, out: out}
}

// Decided tells a run that came to a decision, and whether it could be stored.
func (w *Writer) Decided(c *signal.Consensus, stored bool) {
	if w == nil {
		return
	}
	w.line(function, w.function, c.ID, []metric{
		{"Runs", count, 1}, {"Decisions", count, 1}, {"QuorumFailures", count, 0}, {"NotStored", count, oneIf(!stored)},
		{"CostUSD", usd, c.TotalCostUSD}, {"LatencyMs", milliseconds, c.TotalLatencyMS}, {"OverheadMs", milliseconds, c.OverheadMS},
	})
	w.providers(c.ID, c.Responses, c.Failures)
}

// Undecided tells a run that came to none: too few votes, or nobody to ask. run is
// its id, "" where it had not begun: the keys could not be read. votes and failures are
// of the providers that were asked, latencyMS and costUSD what they took together.
func (w *Writer) Undecided(run string, votes []signal.Vote, failures []signal.Failure, latencyMS, costUSD float64) {
	if w == nil {
		return
	}
	metrics := []metric{
		{"Runs", count, 1}, {"Decisions", count, 0}, {"QuorumFailures", count, 1}, {"NotStored", count, 0}, {"CostUSD", usd, costUSD},
	}
	if len(failures) > 0 { // else it is no time that anybody waited for a model
		metrics = append(metrics, metric{"LatencyMs", milliseconds, latencyMS})
	}
	w.line(function, w.function, run, metrics)
	w.providers(run, votes, failures)
}

// OverBudget tells a question that was refused since the day's budget is used up:
// no run, so that nothing else tells of it.
func (w *Writer) OverBudget() {
	if w == nil {
		return
	}
	w.line(function, w.function, "", []metric{{"BudgetRefusals", count, 1}})
}

// Round tells a round of the schedule that came to its end: how many series of the
// watch list were decided, skipped since their candle was decided before, failed,
// and not reached in the time there was.
func (w *Writer) Round(decided, skipped, failed, notReached int) {
	if w == nil {
		return
	}
	w.line(function, w.function, "", []metric{
		{"ScheduledRuns", count, 1}, {"SeriesDecided", count, float64(decided)}, {"SeriesSkipped", count, float64(skipped)},
		{"SeriesFailed", count, float64(failed)}, {"SeriesNotReached", count, float64(notReached)},
	})
}

// providers tells those that were asked. Not to be needed is no failure.
func (w *Writer) providers(run string, votes []signal.Vote, failures []signal.Failure) {
	for i := range votes {
		v := &votes[i]
		w.provider(run, v.Provider, v.CostUSD, metric{"Failures", count, 0}, metric{"AuthenticationFailures", count, 0}, metric{"ProviderLatencyMs", milliseconds, v.LatencyMS})
	}
	for i := range failures {
		f := &failures[i]
		if f.Error == signal.FailureLeftOut {
			continue
		}
		w.provider(run, f.Provider, f.CostUSD,
			metric{"Failures", count, oneIf(f.Error.IsFault())},
			metric{"AuthenticationFailures", count, oneIf(f.Error == signal.FailureAuthentication)})
	}
}

// provider tells one provider that was asked. Where its cost is not known, none is told.
func (w *Writer) provider(run, name string, costUSD *float64, metrics ...metric) {
	metrics = append(metrics, metric{"Calls", count, 1})
	if costUSD != nil {
		metrics = append(metrics, metric{"ProviderCostUSD", usd, *costUSD})
	}
	w.line(provider, name, run, metrics)
}

// metric is a value with its name and unit.
type metric struct {
	Name  string
	Unit  string
	value float64
}

// line writes the metrics of one dimension's value.
func (w *Writer) line(dimension, value, run string, metrics []metric) {
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
	// A number that is none can't be written, and nobody decides on one; a log that
	// takes no line can't be told of it.
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
