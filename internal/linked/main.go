// Command linked tells what is linked into the programs of cmd and functions besides our
// own code: as a bill of materials in the CycloneDX format, or as the texts of the licences,
// which have to go along with a copy of a program.
//
// It reads what the go command lists for GOOS, GOARCH and GOFLAGS of its environment. It must
// not guess: a licence that it does not know, and one that is not permissive, is an error.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// programs are all that is built for users.
var programs = []string{"thalas/cmd/thalas", "thalas/functions/consensus", "thalas/functions/health"}

// A module is one that at least one linked package is of, or a JavaScript library of the
// page. The standard library is the module std.
type module struct {
	Path, Version string
	Sum           string // as in go.sum, or as npm gives it; empty for std
	Dir           string
	Main          bool              // ours
	Licences      []string          // SPDX identifiers, sorted
	Texts         map[string]string // licences, notices and grants of patents by their file's path below Dir
}

func main() {
	version := flag.String("version", "dev", "`version` of the programs")
	flag.Parse()
	modules, err := list(programs)
	switch what := flag.Arg(0); {
	case err != nil:
	case what == "sbom":
		err = writeSBOM(os.Stdout, modules, *version)
	case what == "licences":
		err = writeTexts(os.Stdout, modules)
	default:
		err = fmt.Errorf("%q is not known: give sbom or licences", what)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "linked:", err)
		os.Exit(1)
	}
}

// list gives the modules that the programs link, sorted by path. The error names every module
// whose licence can't be accepted.
func list(programs []string) ([]*module, error) {
	command := exec.Command("go", append([]string{"list", "-deps", "-json=Dir,ImportPath,Standard,Module"}, programs...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	found := map[string]*module{}
	for packages := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p struct {
			Dir, ImportPath string
			Standard        bool
			Module          *module
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Standard {
			p.Dir = strings.TrimSuffix(p.Dir, filepath.Join("/src", p.ImportPath)) // the root, whose licence is for all
			p.Module = &module{Path: "std", Version: strings.TrimPrefix(runtime.Version(), "go"), Dir: p.Dir}
		}
		if p.Module.Main {
			if p.ImportPath == pagePackage {
				if err := addLibraries(found, p.Dir); err != nil {
					return nil, err
				}
			}
			continue
		}
		if found[p.Module.Path] == nil {
			p.Module.Texts = map[string]string{}
			found[p.Module.Path] = p.Module
		}
		if err := found[p.Module.Path].readTexts(p.Dir); err != nil {
			return nil, err
		}
	}
	var modules []*module
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(found)) {
		modules = append(modules, found[name])
		refused = append(refused, found[name].identify())
	}
	return modules, errors.Join(refused...)
}

// readTexts reads the texts that apply to a package: those of its folder and of each one
// above it, up to the root of the module.
func (m *module) readTexts(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || path.Ext(entry.Name()) == ".go" || !textName.MatchString(entry.Name()) {
			continue
		}
		file := filepath.Join(folder, entry.Name())
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m.Texts[filepath.ToSlash(strings.TrimPrefix(file, m.Dir+string(filepath.Separator)))] = string(text)
	}
	if folder == m.Dir {
		return nil
	}
	return m.readTexts(filepath.Dir(folder))
}

// writeTexts writes each text once, after the modules that it is of.
func writeTexts(w io.Writer, modules []*module) error {
	owners := map[string][]string{}
	for _, m := range modules {
		for _, name := range slices.Sorted(maps.Keys(m.Texts)) {
			text := strings.TrimSpace(m.Texts[name])
			owners[text] = append(owners[text], fmt.Sprintf("%s %s (%s)", m.Path, m.Version, name))
		}
	}
	texts := slices.SortedFunc(maps.Keys(owners), func(a, b string) int { return cmp.Compare(owners[a][0], owners[b][0]) })
	for _, text := range texts {
		if _, err := fmt.Fprintf(w, "%s\n%s\n\n%s\n\n", strings.Repeat("=", 80), strings.Join(owners[text], "\n"), text); err != nil {
			return err
		}
	}
	return nil
}
