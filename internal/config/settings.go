package config

// SETTINGS: one variable that holds others, so that the template of the stack on AWS does not
// have to name providers and venues.

import (
	"fmt"
	"regexp"
	"strings"

	"thalas/internal/provider"
)

// variableName matches the unknown names that a message may show. Any other text before an
// equals sign may be part of a key.
var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,60}$`)

// secretName matches names of secrets, ours and those of other programs.
var secretName = regexp.MustCompile(`KEY|SECRET|TOKEN|PASSWORD`)

// expandSettings adds the NAME=value words of SETTINGS to the variables. White space
// separates them, so a value can't contain any. The variable itself wins over the word. On
// Lambda such a variable comes from a parameter of the stack, and nobody would notice that
// the word has no effect. So there a different value is a mistake.
func (r *reader) expandSettings(onLambda bool) {
	wrong := func(format string, values ...any) {
		r.mistakes = append(r.mistakes, "SETTINGS: "+fmt.Sprintf(format, values...))
	}
	seen := map[string]bool{}
	for i, word := range strings.Fields(r.values["SETTINGS"]) {
		name, value, isPair := strings.Cut(word, "=")
		value = provider.Unquoted(value)
		near := nearest(name, r.known)
		current, isSet := r.values[name]
		switch {
		case !isPair, near == "" && !variableName.MatchString(name):
			wrong("word %d is not NAME=value: words are separated by white space, so a value can't hold any", i+1)
		case value == "":
			wrong("%s has no value: leave it out for its default", name)
		case isSecret(name, near):
			r.values[name+"_API_KEY"] = value // so that quote hides it
			wrong("%s is a secret, and SETTINGS is shown in the console: remove it, make a new key, and put that one into the secret of the stack (docs/deploy.md)", name)
		case near == "":
			wrong("%s is not known: docs/configuration.md lists the variables", name)
		case near != name:
			wrong("%s is not known: did you mean %s?", name, near)
		case name == "SETTINGS" || name == "PROVIDERS_FILE" || name == "PROVIDER_KEYS_SECRET_ID" || name == "FUNCTION_ROLE":
			wrong("%s can't be set here: the stack sets it for each function", name)
		case seen[name]:
			wrong("%s is there twice: remove one of them", name)
		case isSet && onLambda && current != value:
			wrong("%s has another value by a parameter of its own, which wins: change that parameter and remove this word", name)
		case !isSet:
			r.values[name], r.inSettings[name] = value, true
		}
		seen[name] = true
	}
	delete(r.values, "SETTINGS")
}

// isSecret reports whether a variable is a secret: one of our keys, or an unknown name that
// looks like the name of a secret. near is the nearest known name, or "".
func isSecret(name, near string) bool {
	if near == name || secretName.MatchString(near) && !strings.HasSuffix(near, "API_KEY") {
		return strings.HasSuffix(name, "API_KEY") || name == "API_KEYS"
	}
	return secretName.MatchString(strings.ToUpper(name))
}
