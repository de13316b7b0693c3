package config_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
)

var tables = []string{"RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c"}

func onLambda(entries ...string) []string {
	return append(append([]string{"AWS_LAMBDA_FUNCTION_NAME=consensus"}, tables...), entries...)
}

func TestLoadForAWS(t *testing.T) {
	withTables := func(c *config.Config) { c.ResultsTable, c.MetricsTable, c.CoordinationTable = "r", "m", "c" }
	tests := []struct {
		name    string
		environ []string
		want    func(*config.Config)
	}{
		{"tables and secret", append([]string{"PROVIDER_KEYS_SECRET_ID=arn:aws:secretsmanager:eu-central-1:1:secret:k-1", "SECRET_CACHE_SECONDS=60", "METRICS_SHARDS=8"}, tables...), func(c *config.Config) {
			withTables(c)
			c.SecretID, c.SecretAge, c.MetricsShards = "arn:aws:secretsmanager:eu-central-1:1:secret:k-1", time.Minute, 8
		}},
		{"the schedule", onLambda("FUNCTION_ROLE=Schedule", `WATCHLIST=[{"pair": "BTC/USDT"}]`, "METRICS_NAMESPACE=Mine/Own"), func(c *config.Config) {
			withTables(c)
			c.OnLambda, c.FunctionName, c.Role, c.Watchlist, c.MetricsNamespace = true, "consensus", "schedule", `[{"pair": "BTC/USDT"}]`, "Mine/Own"
		}},
		{"Lambda's own logging rules", onLambda("LOG_LEVEL=error", "LOG_FORMAT=text", "AWS_LAMBDA_LOG_LEVEL=DEBUG", "AWS_LAMBDA_LOG_FORMAT=JSON"), func(c *config.Config) {
			withTables(c)
			c.OnLambda, c.FunctionName, c.LogLevel, c.LogFormat = true, "consensus", slog.LevelDebug, "json"
		}},
		{"levels that only Lambda has", onLambda("AWS_LAMBDA_LOG_LEVEL=FATAL", "AWS_LAMBDA_LOG_FORMAT=Text"), func(c *config.Config) {
			withTables(c)
			c.OnLambda, c.FunctionName, c.LogLevel, c.LogFormat = true, "consensus", slog.LevelError, "text"
		}},
		{"ours do not count on Lambda", onLambda("LOG_LEVEL=error", "LOG_FORMAT=text", "SIMULATE_PROVIDERS=false"), func(c *config.Config) {
			withTables(c)
			c.OnLambda, c.FunctionName = true, "consensus"
		}},
		{"theirs do not count elsewhere", []string{"AWS_LAMBDA_LOG_LEVEL=DEBUG"}, func(*config.Config) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.Load(tt.environ, known)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			tt.want(&want)
			if diff := cmp.Diff(want, got, compareKeys); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadRefusesForAWS(t *testing.T) {
	tests := []struct {
		name, want string
		environ    []string
	}{
		{"one table", "RESULTS_TABLE without METRICS_TABLE and COORDINATION_TABLE: set all three tables or none", tables[:1]},
		{"two tables", "RESULTS_TABLE and METRICS_TABLE without COORDINATION_TABLE: set all three tables or none", tables[:2]},
		{"tables and a file", "DATA_FILE and RESULTS_TABLE name two stores: set one of them", append([]string{"DATA_FILE=my.db"}, tables...)},
		{"no table on Lambda", "RESULTS_TABLE, METRICS_TABLE, COORDINATION_TABLE are not set: on Lambda there is no other store, since its files go away", []string{"AWS_LAMBDA_FUNCTION_NAME=f"}},
		{"simulated on Lambda", `SIMULATE_PROVIDERS is "true": on Lambda votes are never simulated, set it to false`, onLambda("SIMULATE_PROVIDERS=true")},
		{"perhaps simulated on Lambda", `SIMULATE_PROVIDERS is "auto": on Lambda votes are never simulated, set it to false`, onLambda("SIMULATE_PROVIDERS=auto")},
		{"role", `FUNCTION_ROLE is "cron": allowed is http or schedule`, []string{"FUNCTION_ROLE=cron"}},
		{"age of the secret", `SECRET_CACHE_SECONDS is "0": allowed is a number of seconds from 1 to 86400`, []string{"SECRET_CACHE_SECONDS=0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := config.Load(tt.environ, known); err == nil || err.Error() != "configuration: "+tt.want {
				t.Errorf("got  %v\nwant configuration: %s", err, tt.want)
			}
		})
	}
	_, err := config.Load([]string{"AWS_LAMBDA_FUNCTION_NAME=f", "SIMULATE_PROVIDERS=true", "MIN_PROVIDERS=9"}, known)
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("not every mistake is reported at once: %v", err)
	}
}

// A secret means that real votes are wanted.
func TestASecretCountsAsAKey(t *testing.T) {
	c, err := config.Load([]string{"PROVIDER_KEYS_SECRET_ID=keys", "SIMULATE_PROVIDERS=auto"}, known)
	if err != nil || c.Simulate.Resolve(c.HasKey()) {
		t.Errorf("simulated, or refused: %v", err)
	}
}
