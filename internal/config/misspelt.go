package config

// Warnings about variables that are nearly, but not quite, one of ours: a
// misspelt ANTROPIC_API_KEY would otherwise just be a provider that is missing.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"thalas/internal/signal"
)

const (
	nearestDistance = 2 // edits; more is another word
	shortestName    = 8 // characters; shorter names are near to each other by chance
)

// foreign begins the names of another vendor's variables that are near to ours:
// Groq is not Grok.
const foreign = "GROQ_"

// misspelt names the set variables that are not known but near to a known one,
// in the order of their names.
func misspelt(values map[string]string, known []string) []string {
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(name) < shortestName || slices.Contains(known, name) || strings.HasPrefix(name, foreign) {
			continue
		}
		best, near := nearestDistance+1, ""
		for _, candidate := range known {
			if strings.HasPrefix(candidate, strings.ToUpper(name)+"_") { // without its unit: DAILY_BUDGET
				near = candidate
				break
			}
			if d := signal.EditDistance(strings.ToUpper(name), candidate); d < best {
				best, near = d, candidate
			}
		}
		if near != "" {
			warnings = append(warnings, fmt.Sprintf("%s is not known: did you mean %s?", name, near))
		}
	}
	return warnings
}
