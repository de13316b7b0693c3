package config

// Warnings about misspelt variables. Without them, ANTROPIC_API_KEY would only mean that
// a provider is missing.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"thalas/internal/strictjson"
)

// misspelt gives a warning for each variable whose name is near to a known one, in the order
// of the names.
func misspelt(values map[string]string, known []string) []string {
	const shortest = 8 // characters; shorter names are near to each other by chance
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(name) < shortest || strings.HasPrefix(name, "GROQ_") && !slices.Contains(known, "GROQ_API_KEY") { // a vendor, and not a misspelt Grok
			continue
		}
		if near := nearest(name, known); near != "" && near != name {
			warnings = append(warnings, fmt.Sprintf("%s is not known: did you mean %s?", name, near))
		}
	}
	return warnings
}

// nearest gives the known name that was probably meant: the name itself, also in lower case,
// one with another word at its end, or the nearest one with at most two edits. It is empty if
// there is none.
func nearest(name string, known []string) string {
	upper := strings.ToUpper(name)
	for _, same := range [...]string{name, upper} {
		if slices.Contains(known, same) {
			return same
		}
	}
	for _, candidate := range known {
		if last, is := strings.CutPrefix(candidate, upper+"_"); is && !strings.Contains(last, "_") { // DAILY_BUDGET
			return candidate
		}
	}
	return strictjson.Nearest(name, known, 2)
}
