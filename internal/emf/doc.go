// Package emf writes metrics for CloudWatch in its embedded metric format: each line is a
// JSON object that says which of its members are metrics. On Lambda the standard output
// is the function's log, and CloudWatch extracts the metrics from it. So there is no call
// to AWS, and nothing waits.
//
// Each run writes a line for itself and a line for each provider that was asked. Each
// round of the schedule writes one line. The alarms and the dashboard of template.yaml use
// the names of the metrics; a test compares them.
//
// Invariants:
//   - A line is one write, so that it never mixes with other lines of the log.
//   - A line has a level. Lambda treats a line without one as INFO, and drops it with its
//     metrics if the function's log level is higher.
//   - Only numbers, names and the run's id are written: no key, no prompt, and no text of a
//     model or of a provider's error.
package emf
