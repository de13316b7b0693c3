package secrets

// Which entry a misspelt name was meant to be.

import "strings"

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
		if d := distance(name, entry); d < best {
			best, near = d, entry
		}
	}
	return near
}

// distance counts the bytes to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from what was read of a to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
