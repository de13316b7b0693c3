package sam

// The variables of providers and venues, which the template passes on in SETTINGS.

import (
	"maps"
	"slices"
	"strings"

	"thalas/internal/config"
	"thalas/internal/simulator"
)

// Declared returns an environment of variables that the template declares. The variables
// of providers and venues become words of SETTINGS; the others stay as they are.
func Declared(environment map[string]string) map[string]string {
	declared := maps.Clone(environment)
	words := strings.Fields(environment["SETTINGS"])
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if value := environment[name]; value != "" && isSetting(name) {
			words = append(words, name+"="+value)
			delete(declared, name)
		}
	}
	if len(words) > 0 {
		declared["SETTINGS"] = strings.Join(words, " ")
	}
	return declared
}

// isSetting reports whether a variable belongs to a provider or a venue.
func isSetting(name string) bool {
	return slices.ContainsFunc(config.Variables(), func(v config.Variable) bool {
		if ending, is := strings.CutPrefix(v.Name, "{PROVIDER}"); is {
			return slices.ContainsFunc(simulator.Providers, func(p string) bool { return name == strings.ToUpper(p)+ending })
		}
		return name == v.Name && strings.HasSuffix(name, "_BASE_URL")
	})
}
