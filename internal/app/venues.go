package app

// The venues that candles are fetched from.

import (
	"fmt"
	"slices"
	"strings"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/provider"
)

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
	if venue.IsOptIn(name) && a.Log != nil {
		a.Log.Warn("Venue "+name+" is asked for candles:", "licence", venue.LicenceWarning)
	}
	if a.sources == nil {
		a.sources = map[string]market.CandleSource{}
	}
	a.sources[name] = venue.NewShared(s)
	return a.sources[name], nil
}
