package strictjson

// Hints to whoever misspelt a name.

import "strings"

// maxQuoted is how many characters of a name an error quotes.
const maxQuoted = 100

// Nearest gives the known name that is the fewest edits away from a name, in any case,
// and at most so many; empty where none is near. An edit inserts, removes or replaces
// a byte. Too long a name is near to none.
func Nearest(name string, known []string, edits int) (near string) {
	if len(name) > 2*maxQuoted {
		return ""
	}
	name = strings.ToLower(name)
	for _, candidate := range known {
		if d := editDistance(name, strings.ToLower(candidate)); d <= edits {
			near, edits = candidate, d-1
		}
	}
	return near
}

// Unknown says that a name is none of the known ones, and which was likely meant.
func Unknown(what, name string, known []string) string {
	message := "is no " + what + ": "
	if near := Nearest(name, known, max(2, len(name)/3)); near != "" {
		message += `did you mean "` + near + `"? `
	}
	return message + "Known are " + strings.Join(known, ", ")
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
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

// Cut shortens a text for a message to so many characters.
func Cut(text string, characters int) string {
	for i := range text {
		if characters == 0 {
			return text[:i] + "…"
		}
		characters--
	}
	return text
}
