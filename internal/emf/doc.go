// Package emf writes the metrics that CloudWatch draws and alarms on, as lines of
// its embedded metric format: a JSON object that says of itself which of its
// members are metrics. On Lambda standard output becomes the function's log, and
// CloudWatch takes the metrics out of it; there is no call to AWS and nothing to
// wait for.
//
// Each run gives a line for itself and one for each provider that was asked; each
// round of the schedule gives one. The alarms and the dashboard of template.yaml go by
// their names, which a test holds against it.
//
// Invariants:
//   - A line is one write, so that lines of the log never mix with it.
//   - A line has a level. One without counts as INFO for Lambda, and where the
//     function logs less than that it is dropped, metrics and all.
//   - Nothing but numbers, names and the run's id is written: no key, no prompt,
//     no text of a model or of a provider's error.
package emf
