package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
)

func TestSettingsAreVariables(t *testing.T) {
	temperature := 0.5
	tests := []struct {
		name    string
		environ []string
		want    func(*config.Config)
	}{
		{"none", []string{"SETTINGS= \t\n"}, func(*config.Config) {}},
		{
			"providers and venues, separated by white space of every kind",
			[]string{"SETTINGS=\nGROK_ENABLED=True GROK_MODEL=grok-4\n\tGROK_TEMPERATURE=0.5  GROK_TIMEOUT_SECONDS=20 OKX_BASE_URL=http://proxy/okx\n"},
			func(c *config.Config) {
				grok := &c.Providers[3]
				grok.Enabled, grok.Model, grok.Temperature, grok.Timeout = true, "grok-4", &temperature, 20*time.Second
				c.Venues.OKX = "http://proxy/okx"
			},
		},
		{
			"an equals sign in a value, and any other variable",
			[]string{"SETTINGS=ANTHROPIC_MODEL=a=b MAX_CONCURRENT_RUNS=3"},
			func(c *config.Config) { c.Providers[0].Model, c.MaxRuns = "a=b", 3 },
		},
		{
			"quotation marks, as of an env file",
			[]string{`SETTINGS="GROK_MODEL='grok-4' GROK_EFFORT='low'"`},
			func(c *config.Config) { c.Providers[3].Model, c.Providers[3].Effort = "grok-4", "low" },
		},
		{
			"a variable of its own wins",
			[]string{"GROK_MODEL=own", "SETTINGS=GROK_MODEL=settings GROK_EFFORT=low"},
			func(c *config.Config) { c.Providers[3].Model, c.Providers[3].Effort = "own", "low" },
		},
		{
			"an empty one does not",
			[]string{"GROK_MODEL=", "SETTINGS=GROK_MODEL=settings"},
			func(c *config.Config) { c.Providers[3].Model = "settings" },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := config.Load(test.environ, known)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			test.want(&want)
			if diff := cmp.Diff(want, got, compareKeys); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	const notAPair = " is not NAME=value: words are separated by white space, so a value can't hold any"
	secret := func(name string) string {
		return "SETTINGS: " + name + " is a secret, and SETTINGS is shown in the console: remove it, make a new key, and put that one into the secret of the stack (docs/deploy.md)"
	}
	tests := []struct{ settings, want string }{
		{"GROK_MODLE=x", "SETTINGS: GROK_MODLE is not known: did you mean GROK_MODEL?"},
		{"grok_model=x", "SETTINGS: grok_model is not known: did you mean GROK_MODEL?"},
		{"DAILY_BUDGET=1", "SETTINGS: DAILY_BUDGET is not known: did you mean DAILY_BUDGET_USD?"},
		{"MISTRAL_MODEL=x", "SETTINGS: MISTRAL_MODEL is not known: docs/configuration.md lists the variables"},
		{"AWS_REGION=eu-central-1", "SETTINGS: AWS_REGION is not known: docs/configuration.md lists the variables"},
		{"GROK_MODEL=x GROK_MODEL=x", "SETTINGS: GROK_MODEL is there twice: remove one of them"},
		{"GROK_MODEL=", "SETTINGS: GROK_MODEL has no value: leave it out for its default"},
		{`GROK_MODEL=""`, "SETTINGS: GROK_MODEL has no value: leave it out for its default"},
		{"GROK_MODEL=grok 4", "SETTINGS: word 2" + notAPair},
		{"GROK_MODEL", "SETTINGS: word 1" + notAPair},
		{"GROK_MODEL= x", "SETTINGS: GROK_MODEL has no value: leave it out for its default\n  SETTINGS: word 2" + notAPair},
		{"=x", "SETTINGS: word 1" + notAPair},
		{"xai-1aB=", "SETTINGS: word 1" + notAPair},
		{"GROK_WEIGHT=2", `SETTINGS: GROK_WEIGHT is "2": allowed is a number from 0 to 1`},
		{"SETTINGS=GROK_MODEL=x", "SETTINGS: SETTINGS can't be set here: the stack sets it for each function"},
		{"PROVIDER_KEYS_SECRET_ID=keys", "SETTINGS: PROVIDER_KEYS_SECRET_ID can't be set here: the stack sets it for each function"},
		{"FUNCTION_ROLE=schedule", "SETTINGS: FUNCTION_ROLE can't be set here: the stack sets it for each function"},
		{"OPENAI_API_KEY=planted-1", secret("OPENAI_API_KEY")},
		{"API_KEYS=planted-1", secret("API_KEYS")},
		{"OPENAI_APIKEY=planted-1", secret("OPENAI_APIKEY")},
		{"openai_api_key=planted-1", secret("openai_api_key")},
		{"MISTRAL_API_KEY=planted-1", secret("MISTRAL_API_KEY")},
		{"AWS_SECRET_ACCESS_KEY=planted-1", secret("AWS_SECRET_ACCESS_KEY")},
		{"OPENAI_MAX_TOKEN=99", "SETTINGS: OPENAI_MAX_TOKEN is not known: did you mean OPENAI_MAX_TOKENS?"},
		{
			"OPENAI_API_KEY=planted-1 GROK_BASE_URL=x/planted-1 MODEL_PROFILE=planted-1",
			secret("OPENAI_API_KEY") + "\n  SETTINGS: MODEL_PROFILE is a value that is not shown: allowed is fast or flagship" +
				"\n  SETTINGS: GROK_BASE_URL is a value that is not shown: allowed is an address such as https://host/path, without user, query and fragment",
		},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			want := "configuration: " + test.want
			if n := strings.Count(test.want, "\n") + 1; n > 1 {
				want = fmt.Sprintf("configuration: %d mistakes:\n  %s", n, test.want)
			}
			got, err := config.Load([]string{"SETTINGS=" + test.settings}, known)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if diff := cmp.Diff(config.Config{}, got, compareKeys); diff != "" {
				t.Errorf("a refused configuration is not empty: %s", diff)
			}
		})
	}
}

func TestMistakesOfSettingsComeWithAllOthers(t *testing.T) {
	_, err := config.Load([]string{"GROK_WEIGHT=3", "SETTINGS=GROK_WEIGHT=2 GROK_MODLE=x LOG_FORMAT=xml", "LOG_LEVEL=loud"}, known)
	want := `configuration: 4 mistakes:
  SETTINGS: GROK_MODLE is not known: did you mean GROK_MODEL?
  LOG_LEVEL is "loud": allowed is debug, info, warn or error
  SETTINGS: LOG_FORMAT is "xml": allowed is text or json
  GROK_WEIGHT is "3": allowed is a number from 0 to 1`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// On Lambda the variables come from parameters of the stack, which win over SETTINGS. Nobody
// would notice that a budget in SETTINGS has no effect.
func TestSettingsAgainstTheParametersOfTheStack(t *testing.T) {
	lambda := []string{
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_LOG_LEVEL=INFO", "RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c",
		"DAILY_BUDGET_USD=10", "MIN_PROVIDERS=2",
	}
	const otherwise = " has another value by a parameter of its own, which wins: change that parameter and remove this word"
	tests := []struct{ name, settings, want string }{
		{"no variable of its own", "GROK_ENABLED=true MAX_CONCURRENT_RUNS=9", ""},
		{"the same", "MIN_PROVIDERS=2", ""},
		{
			"otherwise", "DAILY_BUDGET_USD=2 MIN_PROVIDERS=3",
			"configuration: 2 mistakes:\n  SETTINGS: DAILY_BUDGET_USD" + otherwise + "\n  SETTINGS: MIN_PROVIDERS" + otherwise,
		},
		{"the level that Lambda sets", "LOG_LEVEL=DEBUG", "configuration: SETTINGS: LOG_LEVEL" + otherwise},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Load(append([]string{"SETTINGS=" + test.settings}, lambda...), known)
			if test.want == "" {
				if err != nil || c.DailyBudget != 10 || c.MinProviders != 2 || len(c.Warnings) > 0 {
					t.Errorf("got %+v, %v", c, err)
				}
				return
			}
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}
