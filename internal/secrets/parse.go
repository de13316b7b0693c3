package secrets

// Reading the secret's document. Everything that is said about it names entries
// and places, never values, and only names that are known or nearly so: in a document
// that was put together wrongly a key may stand where a name belongs.

import (
	"errors"
	"fmt"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/strictjson"
)

// parse gives the keys by provider, notes about entries that mean nothing here,
// and all mistakes; with a mistake there are no keys. White space and a pair
// of quotation marks around a key are dropped.
func parse(document []byte, providers []string) (keys map[string]provider.Key, notes, mistakes []string) {
	entries, mistake := entriesOf(document)
	if mistake != "" {
		return nil, nil, []string{mistake}
	}
	known := make(map[string]string, len(providers)) // provider by entry
	for _, name := range providers {
		known[entryOf(name)] = name
	}
	seen := map[string]bool{}
	for _, e := range entries {
		seen[e.Name] = true
	}
	keys = map[string]provider.Key{}
	count := map[string]int{}
	for i, e := range entries {
		name, isKnown := known[e.Name]
		if !isKnown {
			near := nearest(e.Name, providers)
			if near != "" && !seen[near] { // its provider would silently be missing
				mistakes = append(mistakes, fmt.Sprintf("%q is not known: did you mean %s?", e.Name, near))
			} else { // an old key that is kept, a provider of a newer version
				notes = append(notes, fmt.Sprintf("entry %d is not known and not used", i+1))
			}
			continue
		}
		if count[e.Name]++; count[e.Name] == 2 {
			mistakes = append(mistakes, e.Name+" is there more than once")
		}
		key, wrong := keyOf(e.Value)
		if wrong != "" {
			mistakes = append(mistakes, e.Name+" "+wrong)
			continue
		}
		keys[name] = key
	}
	if len(keys) == 0 && len(mistakes) == 0 {
		mistakes = append(mistakes, "it has none of the entries "+entryNames(providers))
	}
	if len(mistakes) > 0 {
		return nil, nil, mistakes
	}
	return keys, notes, nil
}

// keyOf reads the value of an entry, or says what is wrong with it.
func keyOf(value strictjson.Value) (key provider.Key, wrong string) {
	text, isText := value.Text()
	if !isText {
		return provider.Key{}, "is not a text: its value belongs between quotation marks"
	}
	key, err := provider.ParseKey(text)
	switch {
	case err != nil:
		return key, err.Error()
	case !key.IsSet():
		return key, "is empty: put the key there, or leave the entry out"
	}
	return key, ""
}

// entriesOf splits the document into its entries, repeated ones too. The text of the
// error is not used: it quotes what it stumbled over.
func entriesOf(document []byte) (entries []strictjson.Member, mistake string) {
	const notObject = `it is not a JSON object such as {"ANTHROPIC_API_KEY": "…"}`
	whole, err := strictjson.ParseLenient(strictjson.WithoutBOM(document))
	var wrong *strictjson.Error
	if errors.As(err, &wrong) {
		if wrong.Kind == strictjson.Empty {
			return nil, "it is empty"
		}
		return nil, fmt.Sprintf("%s: it can't be read at line %d, column %d", notObject, wrong.Line, wrong.Column)
	}
	entries, isObject := whole.Members()
	if !isObject {
		return nil, notObject
	}
	return entries, ""
}

// entryNames lists the entries that there can be.
func entryNames(providers []string) string {
	names := make([]string, len(providers))
	for i, name := range providers {
		names[i] = entryOf(name)
	}
	return strings.Join(names, ", ")
}

const nearestDistance = 2 // edits; more is another word

// foreign begins the names of another vendor that are near to ours: Groq is not Grok.
const foreign = "GROQ"

// nearest gives the entry that a name was probably meant to be, in any case or as
// the provider's bare name; empty where none is close.
func nearest(name string, providers []string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if strings.HasPrefix(name, foreign) {
		return ""
	}
	entries := make([]string, len(providers))
	for i, p := range providers {
		if entries[i] = entryOf(p); name == strings.ToUpper(p) {
			return entries[i]
		}
	}
	return strictjson.Nearest(name, entries, nearestDistance)
}
