package config

// Warnings about variables that are nearly, but not quite, one of ours: a
// misspelt ANTROPIC_API_KEY would otherwise just be a provider that is missing.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"thalas/internal/strictjson"
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
		if len(name) < shortestName || strings.HasPrefix(name, foreign) {
			continue
		}
		if near := nearest(name, known); near != "" && near != name {
			warnings = append(warnings, fmt.Sprintf("%s is not known: did you mean %s?", name, near))
		}
	}
	return warnings
}

// nearest gives the known name that was meant by a name: the name itself, one that
// has a further word at its end, or the one that is the fewest edits away. It is
// empty where none is near.
func nearest(name string, known []string) string {
	if slices.Contains(known, name) {
		return name
	}
	upper := strings.ToUpper(name)
	for _, candidate := range known {
		if last, is := strings.CutPrefix(candidate, upper+"_"); is && !strings.Contains(last, "_") { // DAILY_BUDGET
			return candidate
		}
	}
	return strictjson.Nearest(name, known, nearestDistance)
}
