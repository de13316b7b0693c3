package provider

// The Registry holds every provider that is known, and which of them can be asked.

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultWeight is the weight of a vote where neither the request nor the
// configuration gives one.
const DefaultWeight = 1.0

// Entry is a registered provider. The zero values of all but Provider are a
// provider that is asked, with DefaultWeight.
type Entry struct {
	Provider    Provider
	Weight      *float64      // 0…1; nil: DefaultWeight
	Disabled    bool          // never asked and never counted
	Unavailable string        // why it can't be asked although it is enabled; empty: it can
	Timeout     time.Duration // its own bound inside the run's; 0: none
	Breaker     *Breaker      // leaves it out while it does not work; nil: nothing does
}

// Available reports whether the provider is enabled and can be asked. One that its
// Breaker leaves out is available: it is back by itself.
func (e Entry) Available() bool { return e.Reason() == "" }

// Reason says why the provider is not available; empty: it is.
func (e Entry) Reason() string {
	if e.Disabled {
		return "disabled"
	}
	return e.Unavailable
}

// VoteWeight is the configured weight.
func (e Entry) VoteWeight() float64 {
	if e.Weight == nil {
		return DefaultWeight
	}
	return *e.Weight
}

// Registry holds providers by name. The zero Registry is empty and ready; it is
// safe for concurrent use.
type Registry struct {
	mu      sync.RWMutex
	entries []Entry // guarded by mu; sorted by name; replaced, never changed in place
}

// Register adds a provider. A name that is taken, is empty, or holds anything
// but lower case letters, digits, - and _, and a weight outside 0…1 are refused.
func (r *Registry) Register(e Entry) error {
	if e.Provider == nil {
		return fmt.Errorf("register: no provider given")
	}
	name := e.Provider.Name()
	if !isName(name) {
		return fmt.Errorf("register provider %q: a name has 1 to 40 lower case letters, digits, - and _", name)
	}
	if w := e.VoteWeight(); !(w >= 0 && w <= 1) {
		return fmt.Errorf("register provider %q: weight %v is outside 0…1", name, w)
	}
	e.Weight = new(e.VoteWeight()) // a copy: what the caller does to its own later shows in no run
	r.mu.Lock()
	defer r.mu.Unlock()
	i, found := slices.BinarySearchFunc(r.entries, name, byName)
	if found {
		return fmt.Errorf("register provider %q: the name is taken", name)
	}
	r.entries = slices.Insert(slices.Clone(r.entries), i, e)
	return nil
}

// SetUnavailable says from now on why a provider can't be asked; empty: it can.
// A name that is not registered is ignored.
func (r *Registry) SetUnavailable(name, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, found := slices.BinarySearchFunc(r.entries, name, byName)
	if !found || r.entries[i].Unavailable == reason {
		return
	}
	r.entries = slices.Clone(r.entries)
	r.entries[i].Unavailable = reason
}

// Entries gives every registered provider in the order of their names. The
// slice is shared: it must not be changed.
func (r *Registry) Entries() []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.entries
}

// Available gives the providers that are available, in the order of their names.
func (r *Registry) Available() []Entry {
	var available []Entry
	for _, e := range r.Entries() {
		if e.Available() {
			available = append(available, e)
		}
	}
	return available
}

// Find gives the provider of that name, in any case.
func (r *Registry) Find(name string) (Entry, bool) {
	entries := r.Entries()
	i, found := slices.BinarySearchFunc(entries, strings.ToLower(strings.TrimSpace(name)), byName)
	if !found {
		return Entry{}, false
	}
	return entries[i], true
}

// Names lists every registered name, in order.
func (r *Registry) Names() []string {
	entries := r.Entries()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Provider.Name()
	}
	return names
}

func byName(e Entry, name string) int { return strings.Compare(e.Provider.Name(), name) }

func isName(name string) bool {
	if name == "" || len(name) > 40 {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}
