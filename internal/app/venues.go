package app

// Where the candles of a schedule come from.

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/provider"
)

// sources are the venues that somebody has asked for so far. Each is made once,
// so that one fetch serves all who ask and a venue that wants to be left alone is.
type sources struct {
	mu   sync.Mutex
	made map[string]market.CandleSource // guarded by mu; by name
}

// Venue gives the named venues as one source, which asks them in that order until
// one has the candles; without a name venue.Defaults. Use market.Fetch to learn
// which venue answered. The error names a venue that there is not, or the variable
// of an address that is none. An opt-in venue is warned about in the log.
func (a *App) Venue(names ...string) (market.CandleSource, error) {
	if len(names) == 0 {
		names = venue.Defaults()
	}
	a.sources.mu.Lock()
	defer a.sources.mu.Unlock()
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

// source makes a venue's source the first time. sources.mu is held.
func (a *App) source(name string) (market.CandleSource, error) {
	if s, is := a.sources.made[name]; is {
		return s, nil
	}
	address := a.Config.Venues.BaseURL(name)
	if withoutKeys(address, a.Config) != address { // it would be sent in a URL
		return nil, fmt.Errorf("%s_BASE_URL holds an API key: remove it from there", strings.ToUpper(name))
	}
	s, err := venue.New(name, address, provider.NewClient())
	if err != nil {
		return nil, err
	}
	if venue.IsOptIn(name) && a.log != nil {
		a.log.Warn("Venue "+name+" is asked for candles:", "licence", venue.LicenceWarning)
	}
	if a.sources.made == nil {
		a.sources.made = map[string]market.CandleSource{}
	}
	a.sources.made[name] = venue.NewShared(s)
	return a.sources.made[name], nil
}
