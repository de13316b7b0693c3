package secrets

// Reading the secret's document. Everything that is said about it names entries
// and places, never values, and only names that are known or nearly so: in a document
// that was put together wrongly a key may stand where a name belongs.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// parse gives the keys by provider, notes about entries that mean nothing here,
// and all mistakes; with a mistake there are no keys. White space and a pair
// of quotation marks around a key are dropped.
func parse(document []byte, providers []string) (keys map[string]provider.Key, notes, mistakes []string) {
	if document = signal.WithoutBOM(document); len(bytes.TrimSpace(document)) == 0 {
		return nil, nil, []string{"it is empty"}
	}
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
		seen[e.name] = true
	}
	keys = map[string]provider.Key{}
	count := map[string]int{}
	for i, e := range entries {
		name, isKnown := known[e.name]
		if !isKnown {
			near := nearest(e.name, providers)
			if near != "" && !seen[near] { // its provider would silently be missing
				mistakes = append(mistakes, fmt.Sprintf("%q is not known: did you mean %s?", e.name, near))
			} else { // an old key that is kept, a provider of a newer version
				notes = append(notes, fmt.Sprintf("entry %d is not known and not used", i+1))
			}
			continue
		}
		if count[e.name]++; count[e.name] == 2 {
			mistakes = append(mistakes, e.name+" is there more than once")
		}
		key, wrong := keyOf(e.value)
		if wrong != "" {
			mistakes = append(mistakes, e.name+" "+wrong)
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
func keyOf(value json.RawMessage) (key provider.Key, wrong string) {
	var text *string
	if err := json.Unmarshal(value, &text); err != nil || text == nil {
		return provider.Key{}, "is not a text: its value belongs between quotation marks"
	}
	key, err := provider.ParseKey(*text)
	switch {
	case err != nil:
		return key, err.Error()
	case !key.IsSet():
		return key, "is empty: put the key there, or leave the entry out"
	}
	return key, ""
}

// entry is one entry of the document, as it stands there.
type entry struct {
	name  string
	value json.RawMessage
}

// entriesOf splits the document into its entries, repeated ones too. The texts of
// the JSON library are not used: they quote what they stumble over.
func entriesOf(document []byte) (entries []entry, mistake string) {
	const notObject = `it is not a JSON object such as {"ANTHROPIC_API_KEY": "…"}`
	var whole json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(document, &whole); errors.As(err, &syntax) {
		before := document[:min(syntax.Offset, int64(len(document)))]
		line, column := 1+bytes.Count(before, []byte("\n")), len(before)-1-bytes.LastIndexByte(before, '\n')
		return nil, fmt.Sprintf("%s: it can't be read at line %d, column %d", notObject, line, column)
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, notObject
	}
	for decoder.More() {
		name, err := decoder.Token()
		var e entry
		if err == nil {
			e.name, _ = name.(string) // in an object it is one
			err = decoder.Decode(&e.value)
		}
		if err != nil {
			return nil, notObject // not reached: it has been read before
		}
		entries = append(entries, e)
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
