package config

// What can be configured, and reading it.

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"thalas/internal/provider"
)

// Known is a provider that can be configured, with its defaults. The caller gives the list,
// so that a new provider changes nothing here.
type Known struct {
	Name    string  // in lower case; its variables begin with the name in upper case
	Enabled bool    // default of {NAME}_ENABLED
	Weight  float64 // default of {NAME}_WEIGHT, 0…1
}

// Config is the whole configuration. The tags of a field give the name of its variable (env),
// its default (envDefault, or default in words), its limits (min, max, above, oneof, form)
// and its meaning (about).
type Config struct {
	Providers []Provider `env:"-"` // in the order of the Known list, and then that of PROVIDERS_FILE
	Venues    Venues     `env:"-"`

	Profile       string        `env:"MODEL_PROFILE" envDefault:"fast" oneof:"fast flagship" about:"which models are asked if no model is named: the fast and cheap ones, or the strongest"`
	MinProviders  int           `env:"MIN_PROVIDERS" envDefault:"1" min:"1" max:"providers" about:"answers needed for a decision; fewer are an error, never a HOLD"`
	MinConfidence float64       `env:"MIN_CONFIDENCE" envDefault:"0.5" min:"0" max:"1" about:"confidence below which a BUY or SELL becomes a HOLD"`
	MinAgreement  float64       `env:"MIN_AGREEMENT" envDefault:"0" min:"0" max:"1" about:"agreement below which a BUY or SELL becomes a HOLD; 0: off"`
	Timeout       time.Duration `env:"TIMEOUT_SECONDS" envDefault:"25" above:"0" max:"30" about:"run budget: how long all providers together may take"`
	MaxAttempts   int           `env:"MAX_ATTEMPTS" envDefault:"3" min:"1" max:"10" about:"attempts for each provider within the run budget; only temporary errors are tried again"`
	Simulate      Simulate      `env:"SIMULATE_PROVIDERS" envDefault:"false" oneof:"false true auto" about:"answers from the built-in simulator instead of real models; auto: only when no key at all is configured"`
	PricesFile    string        `env:"PRICES_FILE" default:"the built-in table" about:"file that replaces the built-in table of models and prices"`
	DailyBudget   float64       `env:"DAILY_BUDGET_USD" envDefault:"0" min:"0" max:"1000000" about:"what all requests of a UTC day may cost together, over all processes; 0: no cap"`
	RequestBudget float64       `env:"REQUEST_BUDGET_USD" envDefault:"0" min:"0" max:"1000000" about:"what one request may cost in the worst case; 0: no cap"`
	MaxRuns       int           `env:"MAX_CONCURRENT_RUNS" envDefault:"256" min:"1" max:"10000" about:"runs at the same time in one process, shared fairly between callers; if there are more, the answer is 503 with Retry-After"`
	ShareVotes    string        `env:"SHARE_VOTES" envDefault:"caller" oneof:"caller all off" about:"among whom equal questions share votes, so that the models are asked once: the requests of one caller, everybody, or nobody (docs/sharing.md)"`
	ResultDays    int           `env:"RESULT_RETENTION_DAYS" envDefault:"90" min:"1" max:"36500" about:"how long results are kept"`
	MetricsDays   int           `env:"METRICS_RETENTION_DAYS" envDefault:"400" min:"1" max:"36500" about:"how long counters are kept"`

	RoundTripCost float64  `env:"ROUND_TRIP_COST" envDefault:"0.003" min:"0" max:"0.5" about:"what buying and selling costs together, as a share of the price; scores are net of it (docs/outcomes.md)"`
	SettleVenues  []string `env:"SETTLE_VENUES" default:"none" form:"names" about:"venues from which serve, watch and the scheduled function settle what is due beside the watch list, once an hour, such as kraken,coinbase"`
	ProvidersFile struct{} `env:"PROVIDERS_FILE" default:"none" form:"providers" about:"JSON or a file's path: further providers beside the built-in ones (docs/providers.md). Their variables begin with their names and win over the file"` // Load expands it

	// AWS.
	SecretID          string        `env:"PROVIDER_KEYS_SECRET_ID" default:"none" form:"word" about:"name or ARN of the secret in AWS Secrets Manager that holds the keys as JSON: {\"ANTHROPIC_API_KEY\": \"…\"}; a key in the environment wins for its provider"`
	SecretAge         time.Duration `env:"SECRET_CACHE_SECONDS" envDefault:"300" min:"1" max:"86400" about:"age at which the secret is fetched again"`
	ResultsTable      string        `env:"RESULTS_TABLE" default:"none" form:"word" about:"DynamoDB table of the results; all three tables or none. On Lambda they have to be set; elsewhere they take the place of the file"`
	MetricsTable      string        `env:"METRICS_TABLE" default:"none" form:"word" about:"DynamoDB table of the counters"`
	CoordinationTable string        `env:"COORDINATION_TABLE" default:"none" form:"word" about:"DynamoDB table of claims and spending"`
	MetricsShards     int           `env:"METRICS_SHARDS" envDefault:"1" min:"1" max:"64" about:"over how many items of the table the counters of an hour are spread, for more than 200 runs a second (docs/scale.md)"`
	MetricsNamespace  string        `env:"METRICS_NAMESPACE" envDefault:"ThalasConsensus" form:"word" about:"namespace of the metrics in CloudWatch; on Lambda only"`
	Role              string        `env:"FUNCTION_ROLE" envDefault:"http" oneof:"http schedule" about:"what a Lambda function answers: requests, or the clock"`
	Watchlist         string        `env:"WATCHLIST" default:"none" about:"JSON or a file's path: what thalas watch and the schedule ask about (docs/schedule.md)"`

	DataFile   string     `env:"DATA_FILE" default:"thalas.db in the user's data folder" about:"file of the embedded store"`
	ListenAddr string     `env:"LISTEN_ADDR" envDefault:"127.0.0.1:8787" form:"address" about:"where thalas serve listens; beyond loopback only with API_KEYS"`
	APIKeys    []string   `env:"API_KEYS" default:"none" form:"hashes" about:"accepted x-api-key values as SHA-256 in hex, separated by commas; if set, every route except health, /livez, /readyz, the contract and the docs needs one"`
	LogLevel   slog.Level `env:"LOG_LEVEL" envDefault:"info" oneof:"debug info warn error" about:"lowest level that is logged"`
	LogFormat  string     `env:"LOG_FORMAT" default:"text on a terminal, else json" oneof:"text json" about:"form of the log lines"` // empty: see its default

	_ string `env:"SETTINGS" default:"none" form:"settings" about:"any of these variables in one, as the template of the stack on AWS gives them; a variable of its own wins. Keys are refused"` // Load expands it

	OnLambda     bool   `env:"-"` // AWS_LAMBDA_FUNCTION_NAME is set
	FunctionName string `env:"-"` // the value of AWS_LAMBDA_FUNCTION_NAME

	// Warnings are sentences about variables that are probably misspelt, and about files with
	// keys that others may read.
	Warnings []string `env:"-"`
}

// Provider is the configuration of one provider. Its variables begin with its name, as in
// ANTHROPIC_API_KEY.
type Provider struct {
	Name string `env:"-"`

	Key         provider.Key  `env:"API_KEY" default:"none" about:"API key; a provider without one is not asked"`
	_           string        `env:"API_KEY_FILE" default:"none" about:"file that holds the key alone, such as a secret of Docker or a credential of systemd, instead of the variable above (docs/containers.md)"` // Load reads it
	Enabled     bool          `env:"ENABLED" default:"by provider, see below" about:"a disabled provider is never asked and never counted"`
	Weight      float64       `env:"WEIGHT" default:"by provider, see below" min:"0" max:"1" about:"weight of its vote if a request gives none; 0: asked and shown, without influence"`
	Model       string        `env:"MODEL" default:"of the profile" form:"word" about:"model that is asked, as the provider calls it"`
	Effort      string        `env:"EFFORT" default:"of the profile" form:"word" about:"how long the model thinks, in the provider's words"`
	MaxTokens   int           `env:"MAX_TOKENS" default:"1024 fast, 4096 flagship" min:"16" about:"cap of one answer, thinking included"`  // 0: of the profile
	Temperature *float64      `env:"TEMPERATURE" default:"not sent" min:"0" max:"2" about:"sampling temperature; many models accept none"` // nil: not sent
	BaseURL     string        `env:"BASE_URL" default:"the provider's" form:"url" about:"another endpoint, such as a proxy, a gateway or a test server; with or without the API version at its end"`
	Timeout     time.Duration `env:"TIMEOUT_SECONDS" default:"the run budget" above:"0" max:"30" about:"the provider's own total inside the run budget"` // 0: the run budget

	Further *Further `env:"-"` // nil for a built-in provider
}

// Venues has the address of each venue from which candles are fetched, or "" for the venue's
// own address.
type Venues struct {
	Kraken    string `env:"KRAKEN_BASE_URL" default:"the venue's" form:"url" about:"another address for Kraken, from which candles are fetched, such as a proxy or a test server; a path in it is kept"`
	Coinbase  string `env:"COINBASE_BASE_URL" default:"the venue's" form:"url" about:"the same for Coinbase Exchange"`
	OKX       string `env:"OKX_BASE_URL" default:"the venue's" form:"url" about:"the same for OKX"`
	Binance   string `env:"BINANCE_BASE_URL" default:"the venue's" form:"url" about:"the same for Binance, which is asked only if it is named"`
	BinanceUS string `env:"BINANCEUS_BASE_URL" default:"the venue's" form:"url" about:"the same for Binance.US, which is asked only if it is named"`
}

// BaseURL gives the address of a venue by its name.
func (v Venues) BaseURL(venue string) string {
	return map[string]string{"kraken": v.Kraken, "coinbase": v.Coinbase, "okx": v.OKX, "binance": v.Binance, "binanceus": v.BinanceUS}[venue]
}

// HasKey reports whether any provider has a key, even if it is disabled. A secret counts as a
// key, since what is in it is not known before the first run, and so does a provider that
// needs none.
func (c Config) HasKey() bool {
	return c.SecretID != "" || slices.ContainsFunc(c.Providers, func(p Provider) bool { return p.Key.IsSet() || p.KeyVariable() == "" })
}

// OnTables reports whether the three tables are the store. A file from a flag wins over
// them. In the environment, both together are a mistake.
func (c Config) OnTables() bool { return c.ResultsTable != "" && c.DataFile == "" }

// Load reads the configuration from an environment in the form of os.Environ. A variable
// that is unset or empty has its default. White space and a pair of quotation marks around
// a value are dropped. The error is a Mistakes that names every variable with a wrong value.
func Load(environ []string, known []Known) (Config, error) {
	r := reader{values: valuesOf(environ), inSettings: map[string]bool{}}
	r.known = namesOf(known)
	r.readKeyFiles() // first, so that no mistake shows a key
	further := r.readFurther(known)
	r.providers = len(known) + len(further)
	c := Config{Providers: make([]Provider, len(known), r.providers), OnLambda: r.takeLambdaLogging(), FunctionName: r.values["AWS_LAMBDA_FUNCTION_NAME"]}
	for i, k := range known {
		c.Providers[i] = Provider{Name: k.Name, Enabled: k.Enabled, Weight: k.Weight}
	}
	for _, p := range further {
		if p.Name != "" { // without a name, which is a mistake, there are no variables
			c.Providers = append(c.Providers, p)
		}
	}
	r.expandSettings(c.OnLambda)
	r.read(&c, "")
	for i := range c.Providers {
		p := &c.Providers[i]
		r.read(p, provider.Variable(p.Name, ""))
		r.findKey(p)
	}
	r.read(&c.Venues, "")
	r.checkAWS(c)
	if len(r.mistakes) > 0 {
		return Config{}, r.mistakes
	}
	c.Warnings = append(r.warnings, misspelt(r.values, r.known)...)
	return c, nil
}

// Mistakes are all wrong values of an environment, one sentence each.
type Mistakes []string

func (m Mistakes) Error() string {
	if len(m) == 1 {
		return "configuration: " + m[0]
	}
	return fmt.Sprintf("configuration: %d mistakes:\n  ", len(m)) + strings.Join(m, "\n  ")
}
