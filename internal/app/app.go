package app

// From a configuration to a running orchestrator.

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"thalas/internal/config"
	"thalas/internal/emf"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/secrets"
	"thalas/internal/tracing"
)

// App is everything that was built from one configuration.
type App struct {
	Config       config.Config
	Registry     *provider.Registry
	Catalog      *provider.Catalog
	Orchestrator *orchestrator.Orchestrator
	Simulated    bool        // the providers are simulated
	Metrics      *emf.Writer // nil: this is not Lambda, so nobody reads them

	log    *slog.Logger
	secret *secrets.Source            // nil: there is none
	keyed  map[string]*provider.Keyed // by name: those whose keys the secret gives
	tracer *tracing.Tracer            // nil: nobody wants a trace

	sources sources
}

// Simulator starts simulated providers. It gives the base URL of each by name.
type Simulator func() (baseURL func(provider string) string, err error)

// lambdaReserve is what a run leaves of an invocation's time for the vote, the
// write and the answer: a function that answers at its deadline has lost.
const lambdaReserve = 1500 * time.Millisecond

// New builds the App. simulate is called where the configuration says that the
// providers are to be simulated; nil means that this program can't. A provider
// that is set up wrongly is a mistake of the configuration; all are reported
// together.
func New(c config.Config, log *slog.Logger, simulate Simulator) (*App, error) {
	a := &App{Config: c, Registry: &provider.Registry{}, Simulated: c.Simulate.Resolve(c.HasKey()), log: log}
	var err error
	a.Catalog = provider.DefaultCatalog()
	if c.PricesFile != "" {
		if a.Catalog, err = provider.LoadCatalog(c.PricesFile); err != nil {
			return nil, config.Mistakes{withoutKeys("PRICES_FILE: "+err.Error(), c)}
		}
	}
	baseURL := func(string) string { return "" }
	if a.Simulated {
		if simulate == nil {
			return nil, errors.New("SIMULATE_PROVIDERS: this program has no simulator: set it to false")
		}
		if baseURL, err = simulate(); err != nil {
			return nil, fmt.Errorf("start the simulator: %w", err)
		}
	}
	if a.tracer, err = tracing.New(log); err != nil { // no reason not to start
		log.Warn("No traces:", "error", err.Error())
	}
	if err := a.openSecret(); err != nil {
		return nil, err
	}
	if err := a.register(baseURL); err != nil {
		return nil, err
	}
	reserve := time.Duration(0)
	if c.OnLambda {
		reserve = lambdaReserve
		a.Metrics = emf.New(os.Stdout, c.MetricsNamespace, c.FunctionName)
	}
	a.Orchestrator = orchestrator.New(a.Registry, orchestrator.Options{
		Reserve:      reserve,
		Tracer:       traced(a.tracer),
		MinProviders: c.MinProviders, MinConfidence: &c.MinConfidence, MinAgreement: c.MinAgreement,
		Timeout: c.Timeout, MaxAttempts: c.MaxAttempts, Simulated: a.Simulated, Logger: log,
	})
	return a, nil
}

// traced keeps the absence of a tracer an absence: a run then does nothing for it.
func traced(t *tracing.Tracer) orchestrator.Tracer {
	if t == nil {
		return nil
	}
	return t
}

// register constructs every provider, also those that can't be asked, so that
// they can be named with the reason.
func (a *App) register(simulated func(provider string) string) error {
	client := provider.NewClient()
	var mistakes config.Mistakes
	for i, c := range a.Config.Providers {
		settings := provider.Settings{
			Key: c.Key, Profile: a.Config.Profile, Model: c.Model, Effort: c.Effort,
			MaxTokens: c.MaxTokens, Temperature: c.Temperature, BaseURL: c.BaseURL,
		}
		if a.Simulated {
			// A real key never goes to a simulator.
			settings.Key, settings.BaseURL = provider.NewKey("simulated"), simulated(c.Name)
		}
		for _, v := range [...]struct{ suffix, value string }{{"MODEL", c.Model}, {"BASE_URL", c.BaseURL}} {
			if withoutKeys(v.value, a.Config) != v.value { // it would be shown, and sent in a URL
				mistakes = append(mistakes, provider.Variable(c.Name, v.suffix)+" holds an API key: remove it from there")
			}
		}
		breaker := provider.NewBreaker()
		p, err := a.construct(i, settings, client, breaker)
		if err != nil {
			mistakes = append(mistakes, strings.Split(withoutKeys(err.Error(), a.Config), "\n")...) // joined: a line each
			continue
		}
		entry := provider.Entry{Provider: p, Weight: &c.Weight, Disabled: !c.Enabled, Timeout: c.Timeout, Breaker: breaker}
		if a.keyed[c.Name] == nil && !settings.Key.IsSet() {
			entry.Unavailable = "no API key: set " + provider.Variable(c.Name, "API_KEY")
		}
		if err := a.Registry.Register(entry); err != nil {
			return err
		}
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	return nil
}

// shortestKey is what a key has at least; a shorter one is a word of a test.
const shortestKey = 16

// withoutKeys hides the configured keys in a text, in any case: a message may
// quote a value, and that value may be a key that was put into the wrong variable.
func withoutKeys(text string, c config.Config) string {
	for _, p := range c.Providers {
		if len(p.Key.Reveal()) >= shortestKey {
			text = regexp.MustCompile("(?i)"+regexp.QuoteMeta(p.Key.Reveal())).ReplaceAllString(text, p.Key.String())
		}
	}
	return text
}
