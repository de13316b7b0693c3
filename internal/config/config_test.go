package config_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
	"thalas/internal/provider"
)

var known = []config.Known{
	{Name: "anthropic", Enabled: true, Weight: 1},
	{Name: "openai", Enabled: true, Weight: 0.9},
	{Name: "gemini", Enabled: true, Weight: 0.8},
	{Name: "grok", Enabled: false, Weight: 0.7},
}

var compareKeys = cmp.Comparer(func(a, b provider.Key) bool { return a.Reveal() == b.Reveal() })

func defaults() config.Config {
	c := config.Config{
		Profile: "fast", MinProviders: 1, MinConfidence: 0.5, MinAgreement: 0, Timeout: 25 * time.Second,
		MaxAttempts: 3, Simulate: config.SimulateNever, LogLevel: slog.LevelInfo,
		MaxRuns: 256, ResultDays: 90, MetricsDays: 400, RoundTripCost: 0.003, ListenAddr: "127.0.0.1:8787",
		SecretAge: 5 * time.Minute, MetricsShards: 1, MetricsNamespace: "ThalasConsensus", Role: "http",
	}
	for _, k := range known {
		c.Providers = append(c.Providers, config.Provider{Name: k.Name, Enabled: k.Enabled, Weight: k.Weight})
	}
	return c
}

func TestLoad(t *testing.T) {
	temperature := 0.0
	tests := []struct {
		name    string
		environ []string
		want    func(*config.Config)
	}{
		{"nothing set", nil, func(*config.Config) {}},
		{
			"empty and blank are unset",
			[]string{"ANTHROPIC_API_KEY=", "ANTHROPIC_ENABLED=", "ANTHROPIC_WEIGHT= ", "MIN_CONFIDENCE=", "TIMEOUT_SECONDS=\t", "LOG_LEVEL=", "SIMULATE_PROVIDERS="},
			func(*config.Config) {},
		},
		{
			"quotation marks of an env file",
			[]string{`ANTHROPIC_API_KEY="planted-test-key"`, `OPENAI_API_KEY=' planted-test-key '`, `OPENAI_MODEL="m"`, `MIN_PROVIDERS="2"`, `GROK_ENABLED='true'`, `MODEL_PROFILE="Flagship"`, `DATA_FILE="/my data/t.db"`,
				`GEMINI_API_KEY=""`, `WATCHLIST='{"pairs":["BTC/USDT"]}'`, `OPENAI_EFFORT="low"x`},
			func(c *config.Config) {
				c.Providers[0].Key, c.Providers[1].Key = provider.NewKey("planted-test-key"), provider.NewKey("planted-test-key")
				c.Providers[1].Model, c.Providers[1].Effort, c.Providers[3].Enabled = "m", `"low"x`, true
				c.MinProviders, c.Profile, c.DataFile, c.Watchlist = 2, "flagship", "/my data/t.db", `{"pairs":["BTC/USDT"]}`
			},
		},
		{
			"the server",
			[]string{
				"DAILY_BUDGET_USD=2.5", "REQUEST_BUDGET_USD=.1", "MAX_CONCURRENT_RUNS=8", "RESULT_RETENTION_DAYS=7", "METRICS_RETENTION_DAYS=30", "ROUND_TRIP_COST=0.001", "SETTLE_VENUES=kraken,okx",
				"DATA_FILE=/var/lib/thalas/my.db", "LISTEN_ADDR=[::1]:80", "API_KEYS=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08,9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			},
			func(c *config.Config) {
				c.DailyBudget, c.RequestBudget, c.MaxRuns, c.ResultDays, c.MetricsDays = 2.5, 0.1, 8, 7, 30
				c.RoundTripCost, c.SettleVenues = 0.001, []string{"kraken", "okx"}
				c.DataFile, c.ListenAddr, c.APIKeys = "/var/lib/thalas/my.db", "[::1]:80", []string{"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
			},
		},
		{
			"the run",
			[]string{
				"MODEL_PROFILE=flagship", "MIN_PROVIDERS=4", "MIN_CONFIDENCE=0.65", "MIN_AGREEMENT=1", "TIMEOUT_SECONDS=2.5",
				"MAX_ATTEMPTS=10", "SIMULATE_PROVIDERS=auto", "PRICES_FILE=/etc/thalas/my prices.json", "LOG_LEVEL=debug", "LOG_FORMAT=json",
			},
			func(c *config.Config) {
				c.Profile, c.MinProviders, c.MinConfidence, c.MinAgreement, c.Timeout = "flagship", 4, 0.65, 1, 2500*time.Millisecond
				c.MaxAttempts, c.Simulate, c.PricesFile, c.LogLevel, c.LogFormat = 10, config.SimulateAuto, "/etc/thalas/my prices.json", slog.LevelDebug, "json"
			},
		},
		{
			"a provider, each variable",
			[]string{
				"GROK_API_KEY= xai-123=\r\n", "GROK_ENABLED=true", "GROK_WEIGHT=0", "GROK_MODEL=grok-4", "GROK_EFFORT=low", "GROK_MAX_TOKENS=16",
				"GROK_TEMPERATURE=0", "GROK_BASE_URL=http://127.0.0.1:8080/grok/v1", "GROK_TIMEOUT_SECONDS=30",
			},
			func(c *config.Config) {
				c.Providers[3] = config.Provider{
					Name: "grok", Key: provider.NewKey("xai-123="), Enabled: true, Weight: 0, Model: "grok-4", Effort: "low", MaxTokens: 16,
					Temperature: &temperature, BaseURL: "http://127.0.0.1:8080/grok/v1", Timeout: 30 * time.Second,
				}
			},
		},
		{
			"the venues",
			[]string{"KRAKEN_BASE_URL=http://127.0.0.1:1/kraken", "COINBASE_BASE_URL=http://c", "OKX_BASE_URL=http://o", "BINANCE_BASE_URL=http://b", "BINANCEUS_BASE_URL=https://us"},
			func(c *config.Config) {
				c.Venues = config.Venues{Kraken: "http://127.0.0.1:1/kraken", Coinbase: "http://c", OKX: "http://o", Binance: "http://b", BinanceUS: "https://us"}
			},
		},
		{
			"words in any case",
			[]string{"MODEL_PROFILE=Fast", "LOG_LEVEL=WARN", "LOG_FORMAT=JSON", "SIMULATE_PROVIDERS=True", "OPENAI_ENABLED=False"},
			func(c *config.Config) {
				c.LogLevel, c.LogFormat, c.Simulate, c.Providers[1].Enabled = slog.LevelWarn, "json", config.SimulateAlways, false
			},
		},
		{
			"the first of two counts",
			[]string{"MIN_PROVIDERS=2", "MIN_PROVIDERS=3", "nonsense", "=C:=x"},
			func(c *config.Config) { c.MinProviders = 2 },
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

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ entry, want string }{
		{"MODEL_PROFILE=slow", `MODEL_PROFILE is "slow": allowed is fast or flagship`},
		{"MIN_PROVIDERS=0", `MIN_PROVIDERS is "0": allowed is a whole number from 1 to the number of providers, 4`},
		{"MIN_PROVIDERS=5", `MIN_PROVIDERS is "5": allowed is a whole number from 1 to the number of providers, 4`},
		{"MIN_PROVIDERS=1.0", `MIN_PROVIDERS is "1.0": allowed is a whole number from 1 to the number of providers, 4`},
		{"MIN_CONFIDENCE=50%", `MIN_CONFIDENCE is "50%": allowed is a number from 0 to 1`},
		{"MIN_CONFIDENCE=NaN", `MIN_CONFIDENCE is "NaN": allowed is a number from 0 to 1`},
		{"MIN_CONFIDENCE=1.0000001", `MIN_CONFIDENCE is "1.0000001": allowed is a number from 0 to 1`},
		{"MIN_AGREEMENT=-0.1", `MIN_AGREEMENT is "-0.1": allowed is a number from 0 to 1`},
		{"MIN_AGREEMENT=Inf", `MIN_AGREEMENT is "Inf": allowed is a number from 0 to 1`},
		{"TIMEOUT_SECONDS=0", `TIMEOUT_SECONDS is "0": allowed is a number of seconds above 0 and at most 30`},
		{"TIMEOUT_SECONDS=30.1", `TIMEOUT_SECONDS is "30.1": allowed is a number of seconds above 0 and at most 30`},
		{"TIMEOUT_SECONDS=25s", `TIMEOUT_SECONDS is "25s": allowed is a number of seconds above 0 and at most 30`},
		{"TIMEOUT_SECONDS=NaN", `TIMEOUT_SECONDS is "NaN": allowed is a number of seconds above 0 and at most 30`},
		{"TIMEOUT_SECONDS=1e300", `TIMEOUT_SECONDS is "1e300": allowed is a number of seconds above 0 and at most 30`},
		{"MAX_ATTEMPTS=11", `MAX_ATTEMPTS is "11": allowed is a whole number from 1 to 10`},
		{"SIMULATE_PROVIDERS=yes", `SIMULATE_PROVIDERS is "yes": allowed is false, true or auto`},
		{"LOG_LEVEL=INFO+2", `LOG_LEVEL is "info+2": allowed is debug, info, warn or error`},
		{"LOG_FORMAT=xml", `LOG_FORMAT is "xml": allowed is text or json`},
		{"OPENAI_ENABLED=on", `OPENAI_ENABLED is "on": allowed is true or false`},
		{"OPENAI_WEIGHT=-1", `OPENAI_WEIGHT is "-1": allowed is a number from 0 to 1`},
		{"OPENAI_WEIGHT=nan", `OPENAI_WEIGHT is "nan": allowed is a number from 0 to 1`},
		{`GEMINI_API_KEY="planted-test-key`, "GEMINI_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone"},
		{`GEMINI_API_KEY=planted"-test-key`, "GEMINI_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone"},
		{"OPENAI_MODEL=gpt 6", `OPENAI_MODEL is "gpt 6": allowed is one word without white space`},
		{"OPENAI_MAX_TOKENS=15", `OPENAI_MAX_TOKENS is "15": allowed is a whole number of at least 16`},
		{"OPENAI_MAX_TOKENS=99999999999", `OPENAI_MAX_TOKENS is "99999999999": allowed is a whole number of at least 16`},
		{"OPENAI_TEMPERATURE=-0.1", `OPENAI_TEMPERATURE is "-0.1": allowed is a number from 0 to 2`},
		{"OPENAI_TEMPERATURE=NaN", `OPENAI_TEMPERATURE is "NaN": allowed is a number from 0 to 2`},
		{"OPENAI_BASE_URL=api.openai.com", `OPENAI_BASE_URL is "api.openai.com": allowed is an address such as https://host/path, without user, query and fragment`},
		{"OPENAI_BASE_URL=ftp://host", `OPENAI_BASE_URL is "ftp://host": allowed is an address such as https://host/path, without user, query and fragment`},
		{"OPENAI_BASE_URL=https://u:secret@host", `OPENAI_BASE_URL is a value that is not shown: allowed is an address such as https://host/path, without user, query and fragment`},
		{"OPENAI_BASE_URL=https://host/?key=secret", `OPENAI_BASE_URL is a value that is not shown: allowed is an address such as https://host/path, without user, query and fragment`},
		{"OPENAI_TIMEOUT_SECONDS=1e-12", `OPENAI_TIMEOUT_SECONDS is "1e-12": allowed is a number of seconds above 0 and at most 30`},
		{"OPENAI_MODEL=a b" + strings.Repeat("é", 80), `OPENAI_MODEL is "a b` + strings.Repeat("é", 57) + `"…: allowed is one word without white space`},
	}
	for _, test := range tests {
		t.Run(test.entry, func(t *testing.T) {
			got, err := config.Load([]string{test.entry}, known)
			if err == nil || err.Error() != "configuration: "+test.want {
				t.Errorf("got  %v\nwant configuration: %s", err, test.want)
			}
			if diff := cmp.Diff(config.Config{}, got, compareKeys); diff != "" {
				t.Errorf("a refused configuration is not empty: %s", diff)
			}
		})
	}
}

func TestLoadReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := config.Load([]string{"GROK_WEIGHT=2", "LOG_LEVEL=loud", "ANTHROPIC_API_KEY=a b", "MIN_CONFIDENCE=x", "MIN_AGREEMENT=9", "GROK_ENABLED=2"}, known)
	want := `configuration: 6 mistakes:
  MIN_CONFIDENCE is "x": allowed is a number from 0 to 1
  MIN_AGREEMENT is "9": allowed is a number from 0 to 1
  LOG_LEVEL is "loud": allowed is debug, info, warn or error
  ANTHROPIC_API_KEY has a space, a line break, a quotation mark or another character that no key has: set it to the key alone
  GROK_ENABLED is "2": allowed is true or false
  GROK_WEIGHT is "2": allowed is a number from 0 to 1`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestKeysNeverShow(t *testing.T) {
	const secret = "sk-planted-7f3a9"
	tests := []struct {
		name    string
		environ []string
		fails   bool
	}{
		{"good key", []string{"OPENAI_API_KEY=" + secret}, false},
		{"space inside", []string{"OPENAI_API_KEY=" + secret + " " + secret}, true},
		{"line break inside", []string{"OPENAI_API_KEY=" + secret + "\r\nX-Evil: 1"}, true},
		{"invisible character", []string{"OPENAI_API_KEY=" + secret + "\u200b"}, true},
		{"not UTF-8", []string{"OPENAI_API_KEY=" + secret + "\xff"}, true},
		{"pasted into the wrong variable too", []string{"OPENAI_API_KEY=" + secret, "OPENAI_WEIGHT=" + secret, "GROK_BASE_URL=x/" + secret, "MODEL_PROFILE=" + secret}, true},
		{"pasted in other case", []string{"OPENAI_API_KEY=" + strings.ToUpper(secret), "LOG_LEVEL=" + strings.ToUpper(secret)}, true},
		{"misspelt name", []string{"OPENAI_APIKEY=" + secret, "ANTROPIC_API_KEY=" + secret, "MIN_PROVIDERS=" + secret}, true},
		{"misspelt name only", []string{"OPENAI_APIKEY=" + secret}, false},
		{"in SETTINGS", []string{"SETTINGS=OPENAI_API_KEY=" + secret + " GROK_MODEL=" + secret + " MODEL_PROFILE=" + secret}, true},
		{"in SETTINGS, misspelt", []string{"SETTINGS=OPENAI_APIKEY=" + secret + " MODEL_PROFILE=" + secret}, true},
		{"in SETTINGS without a name, or as one", []string{"SETTINGS=" + secret + " " + secret + "= OPENAI_API_KEY= " + secret}, true},
		{"in SETTINGS, of an unknown name", []string{"SETTINGS=MISTRAL_MODEL=" + secret}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Load(test.environ, known)
			if (err != nil) != test.fails {
				t.Fatalf("error %v, want one: %v", err, test.fails)
			}
			asJSON, marshalErr := json.Marshal(c)
			if marshalErr != nil {
				t.Fatal(marshalErr)
			}
			shown := fmt.Sprintf("%v %+v %#v %s %v", c, c, c, asJSON, err)
			if strings.Contains(strings.ToLower(shown), secret) {
				t.Errorf("the key shows: %s", shown)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name    string
		environ []string
		want    []string
	}{
		{
			"misspelt, in the order of the names",
			[]string{"MIN_PROVIDER=2", "DAILY_BUDGET=5", "ANTROPIC_API_KEY=x", "openai_api_key=x", "LOGLEVEL=debug", "GEMINI_WEIGTH=1"},
			[]string{
				"ANTROPIC_API_KEY is not known: did you mean ANTHROPIC_API_KEY?",
				"DAILY_BUDGET is not known: did you mean DAILY_BUDGET_USD?",
				"GEMINI_WEIGTH is not known: did you mean GEMINI_WEIGHT?",
				"LOGLEVEL is not known: did you mean LOG_LEVEL?",
				"MIN_PROVIDER is not known: did you mean MIN_PROVIDERS?",
				"openai_api_key is not known: did you mean OPENAI_API_KEY?",
			},
		},
		{"the nearest is named", []string{"MAX_ATEMPTS=1", "GROKK_API_KEY=x"}, []string{
			"GROKK_API_KEY is not known: did you mean GROK_API_KEY?", "MAX_ATEMPTS is not known: did you mean MAX_ATTEMPTS?",
		}},
		{"known ones", []string{"MIN_PROVIDERS=1", "GROK_MODEL=x", "GROK_API_KEY=x"}, nil},
		{"other people's", []string{"PATH=/bin", "HOME=/root", "LANG=C", "GROQ_API_KEY=x", "GOOGLE_API_KEY=x", "OPENAI_ORG_ID=x", "AWS_LAMBDA_LOG_LEVEL=info", "HTTP_PROXY=x", "LC_ALL=C"}, nil},
		{"empty", []string{"ANTROPIC_API_KEY="}, nil},
		{"three edits away", []string{"ANTHROPI_APIKE=x"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Load(test.environ, known)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, c.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAProviderNeedsNoCodeHere(t *testing.T) {
	c, err := config.Load([]string{"MY_MODEL_API_KEY=k", "MIN_PROVIDERS=1", "OPENAI_API_KEY=a b"}, []config.Known{{Name: "my-model", Weight: 0.3}})
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Provider{{Name: "my-model", Key: provider.NewKey("k"), Weight: 0.3}}
	if diff := cmp.Diff(want, c.Providers, compareKeys); diff != "" {
		t.Error(diff)
	}
}

func TestSimulate(t *testing.T) {
	tests := []struct {
		text   string
		hasKey bool
		want   bool
	}{
		{"false", false, false},
		{"false", true, false},
		{"true", false, true},
		{"true", true, true},
		{"auto", false, true},
		{"auto", true, false},
	}
	for _, test := range tests {
		s, err := config.ParseSimulate(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Resolve(test.hasKey); got != test.want {
			t.Errorf("%s with a key %v: got %v, want %v", test.text, test.hasKey, got, test.want)
		}
	}
	if s, err := config.ParseSimulate("on"); err == nil || s.Resolve(false) {
		t.Errorf("on: got %q, %v; want an error", s, err)
	}
	if (config.Config{}).Simulate.Resolve(false) {
		t.Error("the zero Simulate simulates")
	}
}

func TestHasKeyCountsDisabledProviders(t *testing.T) {
	for entry, want := range map[string]bool{"GROK_API_KEY=x": true, "GROK_API_KEY= ": false, "GROK_ENABLED=true": false} {
		c, err := config.Load([]string{entry}, known)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.HasKey(); got != want {
			t.Errorf("%s: got %v, want %v", entry, got, want)
		}
	}
}

// Every variable has a meaning, a default and allowed values.
func TestVariablesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range config.Variables() {
		if v.About == "" || v.Default == "" || v.Allowed == "" || seen[v.Name] {
			t.Errorf("%+v lacks something, or is there twice", v)
		}
		seen[v.Name] = true
	}
	if !seen["{PROVIDER}_API_KEY"] || !seen["MIN_PROVIDERS"] {
		t.Errorf("variables are missing: %v", seen)
	}
}

// If the keys themselves stand in the place of their hashes, the error must not show them.
func TestLoadNeverShowsAnAPIKeysValue(t *testing.T) {
	_, err := config.Load([]string{"API_KEYS=planted-caller-key", "LISTEN_ADDR=nowhere"}, known)
	if err == nil || strings.Contains(err.Error(), "planted") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"API_KEYS is not right", "sha256sum", `LISTEN_ADDR is "nowhere"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// With the hash of an empty key, which a variable that is not set leads to, the server would
// accept everybody.
func TestLoadRefusesTheHashOfNothing(t *testing.T) {
	sound := fmt.Sprintf("%x", sha256.Sum256([]byte("test-key-of-a-caller")))
	for name, hashed := range map[string]string{
		"printf of nothing": "", "echo of nothing": "\n", "echo on Windows": "\r\n", "a space": " ", "echo of a space": " \n", "a tab": "\t", "a here-document": "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			hash := fmt.Sprintf("%x", sha256.Sum256([]byte(hashed)))
			for _, value := range []string{hash, strings.ToUpper(hash), sound + ", " + hash} {
				_, err := config.Load([]string{"API_KEYS=" + value}, known)
				if err == nil || !strings.Contains(err.Error(), "API_KEYS holds the hash of an empty key") {
					t.Errorf("API_KEYS=%s: %v", value, err)
				}
			}
		})
	}
	if _, err := config.Load([]string{"API_KEYS=" + sound}, known); err != nil {
		t.Errorf("the hash of a key is refused: %v", err)
	}
}

// The line in the docs sets nothing, and the shell gives an error, if its variable is not set.
func TestDocsHashNoUnsetKey(t *testing.T) {
	for _, tool := range []string{"sh", "sha256sum", "cut"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the line needs " + tool)
		}
	}
	docs, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^.*export API_KEYS=.*$`).FindString(string(docs))
	if line == "" {
		t.Fatal("docs/operations.md has lost the line that sets API_KEYS")
	}
	shell := func(environ ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line+"\nprintf %s \"$API_KEYS\"")
		cmd.Env = append(environ, "PATH="+os.Getenv("PATH"))
		out, err := cmd.Output()
		return string(out), err
	}
	for name, environ := range map[string][]string{"unset": nil, "empty": {"CALLER_KEY="}} {
		if out, err := shell(environ...); err == nil || out != "" {
			t.Errorf("with the variable %s the line gives %q, %v", name, out, err)
		}
	}
	const key = "test-key-of-a-caller"
	if out, err := shell("CALLER_KEY=" + key); err != nil || out != fmt.Sprintf("%x", sha256.Sum256([]byte(key))) {
		t.Errorf("with the variable set the line gives %q, %v", out, err)
	}
}
