package config

// What AWS asks for beyond the limits of single variables.

import "strings"

// lambdaLogging are the variables that rule on Lambda instead of ours: they are
// what the function's LoggingConfig says.
var lambdaLogging = map[string]string{"AWS_LAMBDA_LOG_LEVEL": "LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT": "LOG_FORMAT"}

// lambdaLevels are the levels of Lambda that we have no word for.
var lambdaLevels = map[string]string{"trace": "debug", "fatal": "error"}

// takeLambdaLogging puts Lambda's own logging variables in the place of ours, and
// reports whether this is Lambda.
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

// checkAWS holds the variables against each other.
func (r *reader) checkAWS(c Config) {
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
		r.mistakes = append(r.mistakes, "DATA_FILE and RESULTS_TABLE name two stores: set one of them")
	case len(missing) == 0:
	case len(set) > 0:
		r.mistakes = append(r.mistakes, strings.Join(set, " and ")+" without "+strings.Join(missing, " and ")+": set all three tables or none")
	case c.OnLambda:
		r.mistakes = append(r.mistakes, strings.Join(missing, ", ")+" are not set: on Lambda there is no other store, since its files go away")
	}
	if c.OnLambda && c.Simulate != SimulateNever {
		r.mistakes = append(r.mistakes, "SIMULATE_PROVIDERS is "+r.quote(string(c.Simulate))+": on Lambda votes are never simulated, set it to false")
	}
}
