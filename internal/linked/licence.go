package main

// Which licence a text is. Only permissive ones are known.

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Files of these names have to go along with a copy. The first ones hold a licence.
var (
	licenceName = regexp.MustCompile(`(?i)^(?:licen[cs]e|copying)`)
	textName    = regexp.MustCompile(`(?i)^(?:licen[cs]e|copying|notice|patents)`)
)

// permissive are the licences that are accepted, by their SPDX identifiers. A text is of a
// licence if it has the words of says, and not those of but.
var permissive = []struct {
	id   string
	says *regexp.Regexp
	but  string
}{
	{"Apache-2.0", regexp.MustCompile("apache license,? version 2.0"), ""},
	{"MIT", regexp.MustCompile("permission is hereby granted, free of charge, .*the above copyright notice and this permission notice"), ""},
	{"MIT-0", regexp.MustCompile("permission is hereby granted, free of charge, "), "the above copyright notice and this permission notice"},
	{"BSD-3-Clause", regexp.MustCompile("redistribution and use in source and binary forms.*endorse or promote products"), ""},
	{"BSD-2-Clause", regexp.MustCompile("redistribution and use in source and binary forms"), "endorse or promote products"},
	{"ISC", regexp.MustCompile("permission to use, copy, modify, and(?:/or)? distribute this software for any purpose with or without fee is hereby granted, provided"), ""},
}

// demanding are words of licences that ask for more, or forbid a use. They are refused beside
// a permissive licence as well.
var demanding = regexp.MustCompile(`general public licen[cs]e|mozilla public|eclipse public|european union public|server side public|` +
	`common development and distribution|common public licen[cs]e|business source|elastic licen[cs]e|creative commons|commons clause|non-?commercial`)

// identify finds the licences of a module, which must be known. If it has named some itself,
// it must have their texts.
func (m *module) identify() error {
	var found []string
	for name, text := range m.Texts {
		if !licenceName.MatchString(path.Base(name)) {
			continue
		}
		ids, err := licencesOf(text)
		if err != nil {
			return fmt.Errorf("%s %s: %s %w: link another module, or add the licence in internal/linked/licence.go if its terms can be kept", m.Path, m.Version, name, err)
		}
		found = append(found, ids...)
	}
	for _, id := range m.Licences {
		if !slices.Contains(found, id) {
			return fmt.Errorf("%s %s has no text of its licence %s", m.Path, m.Version, id)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s %s has no licence file: nobody may copy it, so link another module", m.Path, m.Version)
	}
	if m.Licences == nil {
		slices.Sort(found)
		m.Licences = slices.Compact(found)
	}
	return nil
}

// licencesOf gives the licences that a text holds, at least one.
func licencesOf(text string) (ids []string, err error) {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if words := demanding.FindString(text); words != "" {
		return nil, fmt.Errorf("is no permissive licence, since it says %q", words)
	}
	for _, l := range permissive {
		if l.says.MatchString(text) && (l.but == "" || !strings.Contains(text, l.but)) {
			ids = append(ids, l.id)
		}
	}
	if ids == nil {
		return nil, errors.New("is a licence that is not known")
	}
	return ids, nil
}
