package main

// The JavaScript libraries of the page, which is embedded in the programs: those that
// libraries.txt lists beside it. Their licences are in one file, which the page serves too.

import (
	"os"
	"path/filepath"
	"strings"
)

const pagePackage = "thalas/internal/page"

// addLibraries adds the libraries in the folder of the page.
func addLibraries(found map[string]*module, folder string) error {
	table, err := os.ReadFile(filepath.Join(folder, "libraries.txt"))
	if err != nil {
		return err
	}
	const file = "static/licences.txt"
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(table)) {
		columns := strings.Fields(line) // file, package, version, licence, path, integrity, checksum
		if len(columns) == 7 && columns[0] != "#" {
			found[columns[1]] = &module{Path: columns[1], Version: columns[2], Sum: columns[5], Licences: columns[3:4], Texts: map[string]string{file: string(text)}}
		}
	}
	return nil
}
