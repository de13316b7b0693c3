package strictjson

// Suggestions for misspelt names, and cutting texts for messages.

import "strings"

// maxQuoted is how many characters of a name an error shows.
const maxQuoted = 100

// Nearest gives the known name that is the fewest edits away from a name, in any case, or
// "" if all of them are more than edits away. An edit inserts, removes or replaces a byte.
// No name is near to a very long one.
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

// Unknown says that a name is not known, and which known name was probably meant.
func Unknown(what, name string, known []string) string {
	message := "is no " + what + ": "
	if near := Nearest(name, known, max(2, len(name)/3)); near != "" {
		message += `did you mean "` + near + `"? `
	}
	return message + "Known are " + strings.Join(known, ", ")
}

// editDistance gives the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // the distance of the part of a so far to each beginning of b
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

// Cut gives at most so many characters of a text, with … after them if there are more.
func Cut(text string, characters int) string {
	for i := range text {
		if characters == 0 {
			return text[:i] + "…"
		}
		characters--
	}
	return text
}
