package config

// Rules for AWS that concern more than one variable.

import "strings"

// lambdaLogging has the variables that replace ours on Lambda. Lambda sets them to the
// LoggingConfig of the function.
var lambdaLogging = map[string]string{"AWS_LAMBDA_LOG_LEVEL": "LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT": "LOG_FORMAT"}

// lambdaLevels has the levels of Lambda that we do not have, and ours for them.
var lambdaLevels = map[string]string{"trace": "debug", "fatal": "error"}

// takeLambdaLogging reports whether this is Lambda. If so, it replaces our logging variables.
func (r *reader) takeLambdaLogging() bool {
	if r.values["AWS_LAMBDA_FUNCTION_NAME"] == "" {
		return false
	}
	for theirs, ours := range lambdaLogging {
		delete(r.values, ours)
		value, set := r.values[theirs]
		if !set {
			continue
		}
		if level, known := lambdaLevels[strings.ToLower(value)]; known {
			value = level
		}
		r.values[ours] = value
	}
	return true
}

// checkAWS checks the variables that depend on each other.
func (r *reader) checkAWS(c Config) {
	wrong := func(text string) { r.mistakes = append(r.mistakes, text) }
	var set, missing []string
	for _, table := range [...]struct{ name, value string }{
		{"RESULTS_TABLE", c.ResultsTable}, {"METRICS_TABLE", c.MetricsTable}, {"COORDINATION_TABLE", c.CoordinationTable},
	} {
		if table.value != "" {
			set = append(set, table.name)
		} else {
			missing = append(missing, table.name)
		}
	}
	switch {
	case len(missing) == 0 && c.DataFile != "":
		wrong("DATA_FILE and RESULTS_TABLE name two stores: set one of them")
	case len(missing) == 0:
	case len(set) > 0:
		wrong(strings.Join(set, " and ") + " without " + strings.Join(missing, " and ") + ": set all three tables or none")
	case c.OnLambda:
		wrong(strings.Join(missing, ", ") + " are not set: on Lambda there is no other store, since its files go away")
	}
	if c.OnLambda && c.Simulate != SimulateNever {
		wrong("SIMULATE_PROVIDERS is " + r.quote(string(c.Simulate)) + ": on Lambda votes are never simulated, set it to false")
	}
}
