package config

// Whether votes come from the simulator. A bot must not trade on simulated
// votes by accident, so only the words "true" and "auto" ever switch it on.

import "fmt"

// Simulate says when the built-in simulator answers instead of real models. The
// zero Simulate never does.
type Simulate string

// The values of Simulate.
const (
	SimulateNever  Simulate = "false"
	SimulateAlways Simulate = "true"
	SimulateAuto   Simulate = "auto" // only when no key at all is configured
)

// ParseSimulate reads one of false, true and auto, as the --simulate flag has it.
func ParseSimulate(text string) (Simulate, error) {
	switch s := Simulate(text); s {
	case SimulateNever, SimulateAlways, SimulateAuto:
		return s, nil
	}
	return SimulateNever, fmt.Errorf("%q is not known: allowed is false, true or auto", text)
}

// Resolve decides. hasKey says whether any provider has a key, enabled or not:
// somebody who set one wants real answers, even if that key is not in use.
func (s Simulate) Resolve(hasKey bool) bool {
	return s == SimulateAlways || (s == SimulateAuto && !hasKey)
}
