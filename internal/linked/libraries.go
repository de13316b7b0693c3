package main

// The JavaScript libraries of the page, which is embedded in the programs: those that
// libraries.txt lists beside it. Their licences are in one file, which the page serves too.

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const pagePackage = "thalas/internal/page"

// readLibraries reads the libraries from the folder of the page.
func readLibraries(folder string) ([]*module, error) {
	table, err := os.ReadFile(filepath.Join(folder, "libraries.txt"))
	if err != nil {
		return nil, err
	}
	const file = "static/licences.txt"
	texts, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		return nil, err
	}
	found, err := licencesOf(string(texts))
	if err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	var libraries []*module
	for line := range strings.Lines(string(table)) {
		columns := strings.Fields(line) // file, package, version, licence, path, integrity, checksum
		if len(columns) != 7 || columns[0] == "#" {
			continue
		}
		m := &module{Path: columns[1], Version: columns[2], Sum: columns[5], Licences: columns[3:4], Texts: map[string]string{file: string(texts)}}
		if !slices.Contains(found, columns[3]) {
			return nil, fmt.Errorf("%s %s: %s has no text of its licence %s", m.Path, m.Version, file, columns[3])
		}
		libraries = append(libraries, m)
	}
	return libraries, nil
}
