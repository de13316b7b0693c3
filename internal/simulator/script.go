package simulator

// Scripts of faults: which request of which provider gets which fault.

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is the name of a fault as Faults lists it, or ok for none. A star behind
// it (hang*) repeats it for all later requests.
type Fault string

// OK is a request that is answered as usual.
const OK Fault = "ok"

// name gives the fault without its star.
func (f Fault) name() string { return strings.TrimSuffix(string(f), "*") }

// repeats reports whether the fault has a star.
func (f Fault) repeats() bool { return strings.HasSuffix(string(f), "*") }

// ParseFaults reads a script such as "anthropic=rate_limit,ok;grok=hang*": the
// first request of a provider gets the first fault of its list and so on; after
// the list requests are answered as usual, unless the last fault has a star.
// Every request of a provider counts, lists of models too. An empty script has
// no faults.
func ParseFaults(script string) (map[string][]Fault, error) {
	faults := make(map[string][]Fault)
	if strings.TrimSpace(script) == "" {
		return faults, nil
	}
	for part := range strings.SplitSeq(script, ";") {
		provider, list, found := strings.Cut(part, "=")
		provider = strings.ToLower(strings.TrimSpace(provider))
		if !found {
			return nil, fmt.Errorf("fault script %q: write provider=fault,fault, with ; between providers", strings.TrimSpace(part))
		}
		if _, twice := faults[provider]; twice {
			return nil, fmt.Errorf("fault script: %s is there twice: put all its faults into one list", provider)
		}
		for name := range strings.SplitSeq(list, ",") {
			faults[provider] = append(faults[provider], Fault(strings.ToLower(strings.TrimSpace(name))))
		}
	}
	return faults, checkScript(faults)
}

// checkScript says what no server can play.
func checkScript(script map[string][]Fault) error {
	for _, provider := range sortedKeys(script) {
		if !slices.Contains(Providers, provider) {
			return fmt.Errorf("fault script: %q is not a provider: known are %s", provider, strings.Join(Providers, ", "))
		}
		for i, fault := range script[provider] {
			if _, known := faultByName(fault.name()); !known && fault.name() != string(OK) {
				return fmt.Errorf("fault script: %q of %s is not a fault: known are %s", fault.name(), provider, knownFaults())
			}
			if fault.repeats() && i < len(script[provider])-1 {
				return fmt.Errorf("fault script: %s of %s repeats for ever, so nothing may follow it", fault, provider)
			}
		}
	}
	return nil
}

// scripted gives the fault of the nth request, counted from 1; OK after the end.
func scripted(list []Fault, n int) string {
	switch {
	case n <= len(list):
		return list[n-1].name()
	case len(list) > 0 && list[len(list)-1].repeats():
		return list[len(list)-1].name()
	}
	return string(OK)
}

func knownFaults() string {
	names := []string{string(OK)}
	for _, f := range Faults() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
