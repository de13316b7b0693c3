package secrets

// Which entry a misspelt name was meant to be.

import (
	"strings"

	"thalas/internal/signal"
)

const nearestDistance = 2 // edits; more is another word

// foreign begins the names of another vendor that are near to ours: Groq is not Grok.
const foreign = "GROQ"

// nearest gives the entry that a name was probably meant to be, in any case or as
// the provider's bare name; empty where none is close.
func nearest(name string, providers []string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if strings.HasPrefix(name, foreign) || len(name) > 100 {
		return ""
	}
	best, near := nearestDistance+1, ""
	for _, p := range providers {
		entry := entryOf(p)
		if name == strings.ToUpper(p) {
			return entry
		}
		if d := signal.EditDistance(name, entry); d < best {
			best, near = d, entry
		}
	}
	return near
}
