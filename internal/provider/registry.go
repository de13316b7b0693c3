package provider

// The known providers, and which of them can be asked.

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultWeight is the weight of a vote if neither the request nor the configuration gives
// one.
const DefaultWeight = 1.0

// Entry is a registered provider. With only the Provider set, it is asked, with
// DefaultWeight.
type Entry struct {
	Provider    Provider
	Weight      *float64      // 0…1; nil: DefaultWeight
	Disabled    bool          // never asked and never counted
	Unavailable string        // why it can't be asked although it is enabled; empty: it can
	Timeout     time.Duration // a bound of its own within that of the run; 0: none
	Breaker     *Breaker      // leaves it out while it does not work; nil: it is always asked
}

// Available reports whether the provider is enabled and can be asked. That is also true of
// one that its Breaker leaves out for a while.
func (e Entry) Available() bool { return e.Reason() == "" }

// Reason says why the provider is not available; empty if it is.
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

// Registry holds providers by name. The zero Registry is empty and ready for use. It is safe
// for concurrent use.
type Registry struct {
	mu      sync.RWMutex
	entries []Entry // guarded by mu; sorted by name; replaced, never changed in place
}

var validName = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

// Register adds a provider. It refuses a name that is taken, is empty, or holds anything
// but lower case letters, digits, - and _, and a weight outside 0…1.
func (r *Registry) Register(e Entry) error {
	if e.Provider == nil {
		return errors.New("register: no provider given")
	}
	name := e.Provider.Name()
	if !validName.MatchString(name) {
		return fmt.Errorf("register provider %q: a name has 1 to 40 lower case letters, digits, - and _", name)
	}
	if w := e.VoteWeight(); !(w >= 0 && w <= 1) {
		return fmt.Errorf("register provider %q: weight %v is outside 0…1", name, w)
	}
	e.Weight = new(e.VoteWeight()) // a copy, which the caller can't change later
	r.mu.Lock()
	defer r.mu.Unlock()
	i, found := find(r.entries, name)
	if found {
		return fmt.Errorf("register provider %q: the name is taken", name)
	}
	r.entries = slices.Insert(slices.Clone(r.entries), i, e)
	return nil
}

// SetUnavailable sets the reason why a provider can't be asked; empty: it can. A name that
// is not registered is ignored.
func (r *Registry) SetUnavailable(name, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, found := find(r.entries, name); found {
		r.entries = slices.Clone(r.entries)
		r.entries[i].Unavailable = reason
	}
}

// Entries gives every registered provider, sorted by name. The slice is shared and must not
// be changed.
func (r *Registry) Entries() []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.entries
}

// Available gives the providers that are available, sorted by name.
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
	if i, found := find(entries, strings.ToLower(strings.TrimSpace(name))); found {
		return entries[i], true
	}
	return Entry{}, false
}

// Names gives every registered name, sorted.
func (r *Registry) Names() []string {
	entries := r.Entries()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Provider.Name()
	}
	return names
}

// find gives the place of a name in sorted entries, or where it would have to be inserted.
func find(entries []Entry, name string) (int, bool) {
	return slices.BinarySearchFunc(entries, name, func(e Entry, name string) int { return strings.Compare(e.Provider.Name(), name) })
}
