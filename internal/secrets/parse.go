package secrets

// Reading the secret. The texts about it have places and the names of entries, and never
// values. They have only names that are known, or nearly so: in a secret that was put
// together wrongly a key may stand in the place of a name.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/strictjson"
)

// parse gives the keys by provider, notes about entries that are not used, and all
// mistakes. If there is a mistake, there are no keys. White space and a pair of quotation
// marks around a key are dropped.
func parse(document []byte, providers []string) (keys map[string]provider.Key, notes, mistakes []string) {
	entries, mistake := entriesOf(document)
	if mistake != "" {
		return nil, nil, []string{mistake}
	}
	known := make(map[string]string, len(providers)) // provider by name of the entry
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
			if near != "" && !seen[near] { // a note would not be enough: its provider would be missing
				mistakes = append(mistakes, fmt.Sprintf("%q is not known: did you mean %s?", e.Name, near))
			} else { // such as an old key, or a provider of a newer version
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

// entriesOf gives the entries of the secret, including repeated ones. It does not use the
// text of an error, which may quote a part of a key.
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

// nearest gives the entry that a name was probably meant to be: in any letter case, with at
// most two edits, or as the bare name of the provider. It is empty if there is none.
func nearest(name string, providers []string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if strings.HasPrefix(name, "GROQ") && !slices.Contains(providers, "groq") { // a vendor, and not a misspelt Grok
		return ""
	}
	entries := make([]string, len(providers))
	for i, p := range providers {
		if entries[i] = entryOf(p); name == strings.ToUpper(p) {
			return entries[i]
		}
	}
	return strictjson.Nearest(name, entries, 2)
}
