package app

// From a configuration to a running orchestrator, and the venues that candles are fetched
// from.

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/config"
	"thalas/internal/emf"
	"thalas/internal/market"
	"thalas/internal/market/venue"
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
	Metrics      *emf.Writer // nil outside Lambda, where no program reads them
	Log          *slog.Logger

	secret *secrets.Source          // nil: no secret is configured
	keyed  map[string]keyedProvider // by name; the providers whose keys are in the secret
	tracer *tracing.Tracer          // nil: tracing is off

	sourcesMu sync.Mutex
	sources   map[string]market.CandleSource // the venues that were asked for so far, by name; guarded by sourcesMu
}

// Simulator starts simulated providers, and gives the base URL of each by its name.
type Simulator func() (baseURL func(provider string) string, err error)

// lambdaReserve is the part of an invocation's time that a run leaves for the vote, the
// write and the answer. At its deadline a function is stopped, and its answer is lost.
const lambdaReserve = 1500 * time.Millisecond

// New builds the App. With a nil log nothing is logged. New calls simulate if the
// configuration asks for simulated providers; nil means that this program has no
// simulator. If providers are configured wrongly, the error is config.Mistakes with all of
// them.
func New(c config.Config, log *slog.Logger, simulate Simulator) (*App, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a := &App{Config: c, Registry: &provider.Registry{}, Simulated: c.Simulate.Resolve(c.HasKey()), Log: log}
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
	if a.tracer, err = tracing.New(log); err != nil { // the program starts without tracing
		log.Warn("No traces:", "error", err.Error())
	}
	if err := a.openSecret(); err != nil {
		return nil, err
	}
	if len(c.SettleVenues) > 0 {
		if _, err := a.Venue(c.SettleVenues...); err != nil {
			return nil, config.Mistakes{"SETTLE_VENUES: " + err.Error()}
		}
	}
	if err := a.register(baseURL); err != nil {
		return nil, err
	}
	reserve := time.Duration(0)
	if c.OnLambda {
		reserve = lambdaReserve
		a.Metrics = emf.New(os.Stdout, c.MetricsNamespace, c.FunctionName)
	}
	var tracer orchestrator.Tracer // nil and not a nil *tracing.Tracer, so that runs skip tracing
	if a.tracer != nil {
		tracer = a.tracer
	}
	a.Orchestrator = orchestrator.New(a.Registry, orchestrator.Options{
		Reserve: reserve, Tracer: tracer,
		MinProviders: c.MinProviders, MinConfidence: &c.MinConfidence, MinAgreement: c.MinAgreement,
		Timeout: c.Timeout, MaxAttempts: c.MaxAttempts, Simulated: a.Simulated, Logger: log,
	})
	return a, nil
}

// register constructs every provider, even those that can't be asked, so that health can
// name them with the reason.
func (a *App) register(simulated func(provider string) string) error {
	client := provider.NewClient()
	var mistakes config.Mistakes
	for _, c := range a.Config.Providers {
		settings := provider.Settings{
			Key: c.Key, Profile: a.Config.Profile, Model: c.Model, Effort: c.Effort,
			MaxTokens: c.MaxTokens, Temperature: c.Temperature, BaseURL: c.BaseURL,
			Name: c.Name, KeyVariable: c.KeyVariable(), Keyless: c.KeyVariable() == "",
		}
		if c.Further != nil {
			settings.Price = c.Further.Price
		}
		if a.Simulated {
			// A real key never goes to a simulator, nor do headers that may hold one.
			settings.Key, settings.BaseURL = provider.NewKey("simulated"), simulated(wireName(c))
			c = c.WithoutHeaders()
		}
		for _, v := range [...]struct{ suffix, value string }{{"MODEL", c.Model}, {"BASE_URL", c.BaseURL}} {
			if withoutKeys(v.value, a.Config) != v.value { // the key would be shown, or sent in a URL
				mistakes = append(mistakes, provider.Variable(c.Name, v.suffix)+" holds an API key: remove it from there")
			}
		}
		breaker := provider.NewBreaker()
		p, err := a.construct(c, settings, client, breaker)
		if err != nil {
			for mistake := range strings.SplitSeq(withoutKeys(err.Error(), a.Config), "\n") { // joined: a line each
				if c.Further != nil {
					mistake += " (or its field in PROVIDERS_FILE, " + c.Further.Place + ")"
				}
				mistakes = append(mistakes, mistake)
			}
			continue
		}
		entry := provider.Entry{Provider: p, Weight: &c.Weight, Disabled: !c.Enabled, Timeout: c.Timeout, Breaker: breaker}
		if _, inSecret := a.keyed[c.Name]; !inSecret && !settings.Key.IsSet() && !settings.Keyless {
			entry.Unavailable = "no API key: set " + c.KeyVariable()
		}
		if mistake := a.priced(c, p); mistake != "" {
			mistakes = append(mistakes, mistake)
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

// shortestKey is the least length of a real key. A shorter one is a word in a test.
const shortestKey = 16

// withoutKeys hides the configured keys in a text, in any letter case. A message may
// quote a value, which may be a key that was put into the wrong variable.
func withoutKeys(text string, c config.Config) string {
	for _, p := range c.Providers {
		if len(p.Key.Reveal()) >= shortestKey {
			text = regexp.MustCompile("(?i)"+regexp.QuoteMeta(p.Key.Reveal())).ReplaceAllString(text, p.Key.String())
		}
	}
	return text
}

// Venue gives the named venues as one source, which asks them in that order until one has
// the candles. Without names they are venue.Defaults. Use market.Fetch to learn which
// venue answered. An error names the unknown venue, or the variable of a wrong address. An
// opt-in venue is logged as a warning.
func (a *App) Venue(names ...string) (market.CandleSource, error) {
	if len(names) == 0 {
		names = venue.Defaults()
	}
	a.sourcesMu.Lock()
	defer a.sourcesMu.Unlock()
	var chosen []market.CandleSource
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		source, err := a.source(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, source)
	}
	if len(chosen) == 1 {
		return chosen[0], nil
	}
	return venue.NewChain(chosen...), nil
}

// source gives a venue's source. It makes each source once, so that callers share a fetch,
// and all of them respect a venue's pause. The caller holds sourcesMu.
func (a *App) source(name string) (market.CandleSource, error) {
	if s, is := a.sources[name]; is {
		return s, nil
	}
	address := a.Config.Venues.BaseURL(name)
	if withoutKeys(address, a.Config) != address { // the key would be sent in a URL
		return nil, fmt.Errorf("%s_BASE_URL holds an API key: remove it from there", strings.ToUpper(name))
	}
	s, err := venue.New(name, address, provider.NewClient())
	if err != nil {
		return nil, err
	}
	if venue.IsOptIn(name) {
		a.Log.Warn("Venue "+name+" is asked for candles:", "licence", venue.LicenceWarning)
	}
	if a.sources == nil {
		a.sources = map[string]market.CandleSource{}
	}
	a.sources[name] = venue.NewShared(s)
	return a.sources[name], nil
}
