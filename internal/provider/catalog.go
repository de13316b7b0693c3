package provider

// The table of models: prices, default models, and which settings a model takes. It is
// data that ages, so it is a file (models.json) and not code.

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/strictjson"
)

//go:embed models.json
var embedded []byte

// Catalog is a valid table of models and prices. It never changes, and is safe for
// concurrent use.
type Catalog struct {
	AsOf      string                  `json:"as_of"`  // the day or month of the prices: 2026-10
	Source    string                  `json:"source"` // where the prices come from
	Profiles  map[string]profileEntry `json:"profiles"`
	Providers map[string]makerEntry   `json:"providers"`
}

type profileEntry struct {
	MaxTokens int `json:"max_tokens"`
}

type makerEntry struct {
	AsOf     string                `json:"as_of"`    // of its prices, if another than the Catalog's
	Source   string                `json:"source"`   // likewise
	Defaults map[string]string     `json:"defaults"` // profile → model
	Models   map[string]modelEntry `json:"models"`
}

// modelEntry is one model. If a list is nil, nothing is known, and every setting is sent
// as configured; an empty list allows no setting.
type modelEntry struct {
	Effort       string       `json:"effort"` // default
	Efforts      []string     `json:"efforts"`
	NoThinking   bool         `json:"no_thinking"`
	Temperatures []float64    `json:"temperatures"`
	Prices       []priceEntry `json:"prices"`
}

// DefaultCatalog is the table that is built into the program.
var DefaultCatalog = sync.OnceValue(func() *Catalog {
	c, err := ParseCatalog(embedded)
	if err != nil {
		panic("models.json: " + err.Error()) // unreachable: a test parses it
	}
	return c
})

// LoadCatalog reads a table that replaces the built-in one.
func LoadCatalog(file string) (*Catalog, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the table of models and prices can't be read: %w", err)
	}
	c, err := ParseCatalog(data)
	if err != nil {
		return nil, fmt.Errorf("the table of models and prices %s: %w", file, err)
	}
	return c, nil
}

// ParseCatalog reads a table in the form of models.json. It refuses unknown fields and
// impossible values, since a mistake in a price costs money.
func ParseCatalog(data []byte) (*Catalog, error) {
	var c Catalog
	decoder := json.NewDecoder(bytes.NewReader(strictjson.WithoutBOM(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("is not a table of models: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has something after the table")
	}
	return &c, c.validate()
}

func (c *Catalog) validate() error {
	if !isMonthOrDay(c.AsOf) {
		return fmt.Errorf("as_of %q is not a date such as 2026-10", c.AsOf)
	}
	if len(c.Providers) == 0 || len(c.Profiles) == 0 {
		return errors.New("has no providers or no profiles")
	}
	for name, p := range c.Profiles {
		if p.MaxTokens <= 0 {
			return fmt.Errorf("profiles.%s.max_tokens is not above 0", name)
		}
	}
	for name, maker := range c.Providers {
		if maker.AsOf != "" && !isMonthOrDay(maker.AsOf) {
			return fmt.Errorf("providers.%s.as_of %q is not a date such as 2026-10", name, maker.AsOf)
		}
		for profile, model := range maker.Defaults {
			if _, ok := c.Profiles[profile]; !ok {
				return fmt.Errorf("providers.%s.defaults.%s is not a profile: profiles are %s", name, profile, list(maps.Keys(c.Profiles)))
			}
			if _, ok := maker.Models[model]; !ok {
				return fmt.Errorf("providers.%s.defaults.%s is %q, which is not among its models", name, profile, model)
			}
		}
		for id, model := range maker.Models {
			if err := model.validate(); err != nil {
				return fmt.Errorf("providers.%s.models.%s: %w", name, id, err)
			}
		}
	}
	return nil
}

func (m modelEntry) validate() error {
	for _, effort := range m.Efforts {
		if effort == "" || effort != strings.ToLower(effort) {
			return fmt.Errorf("effort %q is not a word in lower case", effort)
		}
	}
	if m.Efforts != nil && m.Effort != "" && !slices.Contains(m.Efforts, m.Effort) {
		return fmt.Errorf("effort %q is not among its efforts", m.Effort)
	}
	for i, p := range m.Prices {
		if err := p.validate(); err != nil {
			return fmt.Errorf("prices[%d]: %w", i, err)
		}
	}
	return nil
}

// PricesAsOf is the day or month of a maker's prices.
func (c *Catalog) PricesAsOf(maker string) string { return cmp.Or(c.Providers[maker].AsOf, c.AsOf) }

// DefaultModel is the model of a provider in a profile; empty if none is known.
func (c *Catalog) DefaultModel(provider, profile string) string {
	return c.Providers[provider].Defaults[profile]
}

// Configure decides how a maker's model is asked: as the settings say, and otherwise by
// the defaults of the model and the profile. A setting that the model is known to refuse is
// an error that names the variable to change; an unknown model gets every setting.
func (c *Catalog) Configure(maker string, s Settings) (Model, error) {
	profile := cmp.Or(s.Profile, ProfileFast)
	limits, ok := c.Profiles[profile]
	if !ok {
		return Model{}, fmt.Errorf("MODEL_PROFILE %q is not known: choose one of %s", profile, list(maps.Keys(c.Profiles)))
	}
	provider := cmp.Or(s.Name, maker)
	m := Model{ID: cmp.Or(s.Model, c.DefaultModel(maker, profile)), MaxTokens: cmp.Or(s.MaxTokens, limits.MaxTokens), Temperature: s.Temperature}
	if m.ID == "" {
		return Model{}, fmt.Errorf("%s has no default model in profile %s: set %s", provider, profile, Variable(provider, "MODEL"))
	}
	if m.MaxTokens < 0 {
		return Model{}, fmt.Errorf("%s is %d: it must be above 0", Variable(provider, "MAX_TOKENS"), m.MaxTokens)
	}
	entry := c.Providers[maker].Models[m.ID]
	m.Effort, m.NoThinking = cmp.Or(strings.ToLower(s.Effort), entry.Effort), entry.NoThinking
	return m, entry.allow(provider, m)
}

// allow refuses an effort or a temperature that the model does not take.
func (e modelEntry) allow(provider string, m Model) error {
	if e.Efforts != nil && m.Effort != "" && !slices.Contains(e.Efforts, m.Effort) {
		variable := Variable(provider, "EFFORT")
		if len(e.Efforts) == 0 {
			return fmt.Errorf("%s is %q, but model %s takes no effort: unset it", variable, m.Effort, m.ID)
		}
		return fmt.Errorf("%s is %q, but model %s takes one of %s", variable, m.Effort, m.ID, strings.Join(e.Efforts, ", "))
	}
	if m.Temperature == nil {
		return nil
	}
	variable := Variable(provider, "TEMPERATURE")
	if t := *m.Temperature; !(t >= 0 && t <= 2) {
		return fmt.Errorf("%s is %v: it must be 0…2", variable, t)
	}
	if e.Temperatures != nil && !slices.Contains(e.Temperatures, *m.Temperature) {
		if len(e.Temperatures) == 0 {
			return fmt.Errorf("%s is %v, but model %s takes no temperature: unset it", variable, *m.Temperature, m.ID)
		}
		return fmt.Errorf("%s is %v, but model %s takes only %v: unset it", variable, *m.Temperature, m.ID, e.Temperatures[0])
	}
	return nil
}

// Variable is the name of a provider's environment variable, such as GROK_MODEL.
func Variable(provider, suffix string) string {
	return strings.ReplaceAll(strings.ToUpper(provider), "-", "_") + "_" + suffix
}

func list(names func(yield func(string) bool)) string {
	return strings.Join(slices.Sorted(names), ", ")
}

func isMonthOrDay(text string) bool { return isDate(text, "2006-01") || isDate(text, time.DateOnly) }

func isDate(text, layout string) bool {
	_, err := time.Parse(layout, text)
	return err == nil
}
