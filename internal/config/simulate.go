package config

// Whether votes come from the simulator. A bot must not trade on simulated votes by
// accident, so only the words "true" and "auto" turn it on.

import "fmt"

// Simulate says when the built-in simulator answers instead of real models. The zero
// Simulate means never.
type Simulate string

// The values of Simulate.
const (
	SimulateNever  Simulate = "false"
	SimulateAlways Simulate = "true"
	SimulateAuto   Simulate = "auto" // only if no key is configured
)

// ParseSimulate reads false, true or auto, the values of the flag --simulate.
func ParseSimulate(text string) (Simulate, error) {
	switch s := Simulate(text); s {
	case SimulateNever, SimulateAlways, SimulateAuto:
		return s, nil
	}
	return SimulateNever, fmt.Errorf("%q is not known: allowed is false, true or auto", text)
}

// Resolve reports whether votes are simulated. hasKey is [Config.HasKey]. It counts the keys
// of disabled providers too: somebody who sets a key wants real answers.
func (s Simulate) Resolve(hasKey bool) bool {
	return s == SimulateAlways || (s == SimulateAuto && !hasKey)
}
