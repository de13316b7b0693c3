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
	"path/filepath"
	"slices"
	"strings"
)

// programs are all that is built for users.
var programs = []string{"thalas/cmd/thalas", "thalas/functions/consensus", "thalas/functions/health"}

// A module is one that at least one linked package is of, or a JavaScript library of the
// page. The standard library is the module std.
type module struct {
	Path, Version string
	Sum           string            // as in go.sum, or as npm gives it; empty for std
	Licences      []string          // SPDX identifiers, sorted
	Texts         map[string]string // licences, notices and grants of patents by their file's path below Path
}

func main() {
	version := flag.String("version", "dev", "`version` of the programs")
	flag.Parse()
	if err := run(os.Stdout, flag.Arg(0), *version); err != nil {
		fmt.Fprintln(os.Stderr, "linked:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, what, version string) error {
	write := map[string]func(io.Writer, []module) error{
		"sbom":     func(w io.Writer, modules []module) error { return writeSBOM(w, modules, version) },
		"licences": writeTexts,
	}[what]
	if write == nil {
		return fmt.Errorf("%q is not known: give sbom or licences", what)
	}
	modules, err := list(programs)
	if err != nil {
		return err
	}
	return write(w, modules)
}

// list gives the modules that the programs link, sorted by path. The error names every module
// whose licence can't be accepted.
func list(programs []string) ([]module, error) {
	output, err := goCommand(append([]string{"list", "-deps", "-json=Dir,ImportPath,Module"}, programs...)...)
	if err != nil {
		return nil, err
	}
	goRoot, err := goCommand("env", "GOROOT", "GOVERSION")
	if err != nil {
		return nil, err
	}
	root, goVersion, _ := strings.Cut(strings.TrimSpace(goRoot), "\n")
	found := map[string]*module{"std": {Path: "std", Version: strings.TrimPrefix(goVersion, "go"), Texts: map[string]string{}}}
	if err := found["std"].readTexts(root, root); err != nil {
		return nil, err
	}
	for packages := json.NewDecoder(strings.NewReader(output)); ; {
		var p struct {
			Dir, ImportPath string
			Module          *struct {
				Path, Version, Sum, Dir string
				Main                    bool
			}
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.ImportPath == pagePackage {
			libraries, err := readLibraries(p.Dir)
			if err != nil {
				return nil, err
			}
			for _, m := range libraries {
				found[m.Path] = m
			}
		}
		if p.Module == nil || p.Module.Main { // of the standard library, or ours
			continue
		}
		m := found[p.Module.Path]
		if m == nil {
			m = &module{Path: p.Module.Path, Version: p.Module.Version, Sum: p.Module.Sum, Texts: map[string]string{}}
			found[m.Path] = m
		}
		if err := m.readTexts(p.Module.Dir, p.Dir); err != nil {
			return nil, err
		}
	}
	var modules []module
	var refused []error
	for _, path := range slices.Sorted(maps.Keys(found)) {
		m := found[path]
		if m.Licences == nil {
			refused = append(refused, m.identify())
		}
		modules = append(modules, *m)
	}
	return modules, errors.Join(refused...)
}

func goCommand(args ...string) (string, error) {
	var complaint strings.Builder
	cmd := exec.Command("go", args...)
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(output), nil
}

// readTexts reads the texts that apply to a package: those of its folder and of each one
// above it, up to the root of the module.
func (m *module) readTexts(root, folder string) error {
	for {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := filepath.Join(folder, entry.Name())
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			if _, known := m.Texts[name]; known || entry.IsDir() || !isText(entry.Name()) {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			m.Texts[name] = string(text)
		}
		if folder == root {
			return nil
		}
		folder = filepath.Dir(folder)
	}
}

// writeTexts writes each text once, after the modules that it is of.
func writeTexts(w io.Writer, modules []module) error {
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
