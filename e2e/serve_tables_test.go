//go:build unix

package e2e

// serve with the three tables of DynamoDB for a store: several processes are one
// service then.

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

func TestServeOnTables(t *testing.T) {
	c := newCloud(t, dynamoDB(t), "openai=wrong_key*")
	env := append(c.env, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "LOG_LEVEL=error", "LISTEN_ADDR=127.0.0.1:0",
		"ANTHROPIC_API_KEY="+lambdaKey, "OPENAI_API_KEY="+lambdaKey)
	serve := func() *server { return startCommand(t, child(t, env, "serve")) }
	first, second := serve(), serve()
	if log := first.log.String(); !strings.Contains(log, "Store:     DynamoDB tables ") {
		t.Errorf("it does not say where it keeps results:\n%s", log)
	}

	// A key that the one has answered is replayed by the other.
	asked := first.ask(t, lambdaQuestion, "Idempotency-Key", "one")
	again := second.ask(t, lambdaQuestion, "Idempotency-Key", "one")
	var result, replayed signal.Consensus
	for _, of := range []struct {
		reply
		into *signal.Consensus
	}{{asked, &result}, {again, &replayed}} {
		if of.err != nil || of.status != http.StatusOK || json.Unmarshal([]byte(of.body), of.into) != nil {
			t.Fatalf("status %d, %v: %s", of.status, of.err, of.body)
		}
	}
	if result.ID != replayed.ID || replayed.Cache != signal.CacheReplay || len(c.models.Recorded()) != 2 {
		t.Errorf("%s, then %s from %s after %d calls", result.ID, replayed.ID, replayed.Cache, len(c.models.Recorded()))
	}
	if total, successful := second.count(t); total != 1 || successful != 1 {
		t.Errorf("%d runs counted, %d of them successful", total, successful)
	}
	// What the calls of the one have shown of a provider, the other knows.
	var health struct {
		Providers []struct {
			Name    string
			LeftOut *provider.LeftOut `json:"left_out"`
		}
	}
	told := map[string]signal.LeftOutReason{}
	if err := json.Unmarshal([]byte(second.get(t, "/v1/health").body), &health); err != nil {
		t.Fatal(err)
	}
	for _, p := range health.Providers {
		if p.LeftOut != nil {
			told[p.Name] = p.LeftOut.Reason
		}
	}
	if want := map[string]signal.LeftOutReason{simulator.OpenAI: signal.LeftOutKeyRefused}; !maps.Equal(told, want) {
		t.Errorf("the second process leaves out %v, want %v", told, want)
	}
	first.terminate(t, syscall.SIGTERM)
	second.terminate(t, syscall.SIGTERM)

	// Without a server the reading commands read the tables.
	for _, args := range [][]string{{"latest", "BTC/USDT", "--json"}, {"show", result.ID, "--json"}, {"history", "BTC/USDT", "--timeframe", "5m", "--json"}, {"export", "BTC/USDT", "--timeframe", "5m", "--from", "2020-01-01"}} {
		if o := thalas(t, env, "", args...); o.code != 0 || !strings.Contains(o.out, result.ID) {
			t.Errorf("%s does not show the result: %s", args[0], o)
		}
	}
	if o := thalas(t, env, "", "metrics"); o.code != 0 {
		t.Errorf("metrics: %s", o)
	}
	// A file that is named on the command line wins.
	if o := thalas(t, env, "", "history", "--data-file", t.TempDir()+"/none.db"); o.code != 2 || !strings.Contains(o.err, "there is no store at") {
		t.Errorf("history of a file: %s", o)
	}
}

func TestServeWithoutItsTables(t *testing.T) {
	c := newCloud(t, dynamoDB(t), "")
	env := append(c.env, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "LISTEN_ADDR=127.0.0.1:0")
	for name, tt := range map[string]struct {
		change string
		code   int
		says   string
	}{
		"nobody listens": {"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", 1, "the DynamoDB tables can't be read: "},
		"no such table":  {"RESULTS_TABLE=none", 1, "there is no table none: create it, or correct its name"},
		"no region":      {"AWS_REGION=", 2, "AWS_REGION is not set"},
		"a file as well": {"DATA_FILE=my.db", 2, "DATA_FILE and RESULTS_TABLE name two stores: set one of them"},
		"one is missing": {"COORDINATION_TABLE=", 2, "set all three tables or none"},
	} {
		for _, command := range []string{"serve", "history"} {
			t.Run(name+", "+command, func(t *testing.T) {
				// The first of two counts for our variables, the last for the SDK's.
				o := thalas(t, append(append([]string{tt.change}, env...), tt.change), "", command)
				if o.code != tt.code || !strings.Contains(o.err, tt.says) || o.out != "" {
					t.Errorf("want exit code %d and %q: %s", tt.code, tt.says, o)
				}
			})
		}
	}
}
