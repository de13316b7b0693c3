package importtest

// Checking the rules of rules_test.go for the packages that the go command lists.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module   = "thalas"
	root     = "../.."
	mainSize = 60 // lines of a main.go under functions/
)

// A listed package is what `go list -json` says of it.
type listed struct {
	ImportPath   string
	Dir          string
	Doc          string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

func TestImportRules(t *testing.T) {
	packages := list(t)
	if len(packages) < 3 {
		t.Fatalf("go list names %d packages: the test does not see the module", len(packages))
	}
	for _, breach := range breaches(packages) {
		t.Error(breach)
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment: say in its doc.go what it is for, what it must not know and its invariants", p.ImportPath)
		}
	}
}

func TestMainOfFunctionIsWiring(t *testing.T) {
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("found %d, %v", len(mains), err)
	}
	var first []byte
	for _, name := range mains {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, program, _ := bytes.Cut(text, []byte("package main"))
		if first == nil {
			first = program
		}
		if !bytes.Equal(first, program) { // the tests of the functions run one of them
			t.Errorf("%s is another program than %s: move what differs into internal/app", name, mains[0])
		}
		if n := bytes.Count(text, []byte("\n")); n > mainSize {
			t.Errorf("%s has %d lines, want at most %d: move what is not wiring into a package", name, n, mainSize)
		}
	}
}

// TestRulesCanFail has a package for each rule that breaks it.
func TestRulesCanFail(t *testing.T) {
	const dynamodb = aws + "/service/dynamodb"
	tests := []struct {
		name string
		pkg  listed
		want []string
	}{
		{"vocabulary on the standard library",
			listed{ImportPath: "thalas/internal/signal", Imports: []string{"encoding/json"}, Deps: []string{"encoding/json", "vendor/golang.org/x/net/idna", "C"}}, nil},
		{"vocabulary with a module",
			listed{ImportPath: "thalas/internal/signal", Deps: []string{"github.com/google/uuid"}},
			[]string{"internal/signal links github.com/google/uuid: it needs the standard library only"}},
		{"arithmetic that asks a server",
			listed{ImportPath: "thalas/internal/consensus", Deps: []string{"net/http"}},
			[]string{"internal/consensus links net/http"}},
		{"arithmetic that knows its callers",
			listed{ImportPath: "thalas/internal/consensus", Imports: []string{"thalas/internal/signal", "thalas/internal/provider"}},
			[]string{"internal/consensus imports internal/provider: dependencies point inwards, see mayImport"}},
		{"test of the arithmetic with the simulator",
			listed{ImportPath: "thalas/internal/consensus", XTestImports: []string{"thalas/internal/simulator", "github.com/google/go-cmp/cmp"}}, nil},
		{"test of the orchestrator with AWS",
			listed{ImportPath: "thalas/internal/orchestrator", XTestImports: []string{dynamodb}},
			[]string{"internal/orchestrator links " + dynamodb}},
		{"orchestrator with AWS far below",
			listed{ImportPath: "thalas/internal/orchestrator", Imports: []string{"thalas/internal/provider"}, Deps: []string{"thalas/internal/provider", lambda + "/events"}},
			[]string{"internal/orchestrator links " + lambda + "/events"}},
		{"AWS in its own package",
			listed{ImportPath: "thalas/internal/store/dynamo", Imports: []string{dynamodb}, Deps: []string{dynamodb}}, nil},
		{"AWS elsewhere",
			listed{ImportPath: "thalas/internal/api", Imports: []string{dynamodb}},
			[]string{"internal/api imports " + dynamodb + ": only internal/store/dynamo, internal/store/dynamo/dynamotest, internal/secrets, internal/tracing, internal/app may"}},
		{"Lambda in a function",
			listed{ImportPath: "thalas/functions/health", Imports: []string{lambda + "/lambda"}}, nil},
		{"Lambda in the service",
			listed{ImportPath: "thalas/internal/service", Imports: []string{lambda + "/events"}},
			[]string{"internal/service imports " + lambda + "/events: only functions/*, internal/api/gateway may"}},
		{"X-Ray in the wiring",
			listed{ImportPath: "thalas/internal/app", Imports: []string{xray + "/v2/xray"}},
			[]string{"internal/app imports " + xray + "/v2/xray: only internal/tracing may"}},
		{"embedded store in a Lambda binary",
			listed{ImportPath: "thalas/functions/consensus", Deps: []string{bbolt, "thalas/internal/store/bolt"}},
			[]string{"functions/consensus links " + bbolt, "functions/consensus links thalas/internal/store/bolt"}},
		{"simulator in the wiring",
			listed{ImportPath: "thalas/internal/app", Imports: []string{"thalas/internal/simulator"}, Deps: []string{"thalas/internal/simulator"}},
			[]string{"internal/app imports internal/simulator: dependencies point inwards, see mayImport", "internal/app links thalas/internal/simulator"}},
		{"vendor's SDK",
			listed{ImportPath: "thalas/internal/provider/openai", Imports: []string{"github.com/openai/openai-go/v3"}},
			[]string{"internal/provider/openai imports github.com/openai/openai-go/v3: no package may"}},
		{"test suite in the product",
			listed{ImportPath: "thalas/cmd/thalas", Imports: []string{"thalas/internal/provider/providertest"}},
			[]string{"cmd/thalas imports internal/provider/providertest: dependencies point inwards, see mayImport"}},
		{"module whose name begins the same",
			listed{ImportPath: "thalas/internal/api", Imports: []string{cobra + "x"}}, nil},
		{"package that nobody decided on",
			listed{ImportPath: "thalas/internal/utils"},
			[]string{"internal/utils is not in mayImport: decide which packages of the module it may import"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, breaches([]listed{tt.pkg})); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}

// breaches lists the rules that packages break, in the order of the packages.
func breaches(packages []listed) []string {
	var found []string
	for _, p := range packages {
		name := relative(p.ImportPath)
		found = append(found, inwardBreaches(name, p)...)
		for _, rule := range importedOnlyBy {
			if matchesPattern(name, rule.packages) {
				continue
			}
			who := "no package"
			if len(rule.packages) > 0 {
				who = "only " + strings.Join(rule.packages, ", ")
			}
			for _, path := range p.Imports {
				if matchesAny(path, rule.modules) {
					found = append(found, fmt.Sprintf("%s imports %s: %s may", name, path, who))
				}
			}
		}
		for _, rule := range neverLinks {
			if !matchesPattern(name, rule.packages) {
				continue
			}
			linked := p.Deps
			if rule.testsToo {
				linked = slices.Concat(p.Deps, p.TestImports, p.XTestImports)
			}
			for _, path := range linked {
				if matchesAny(path, rule.modules) {
					found = append(found, fmt.Sprintf("%s links %s", name, path))
				}
			}
		}
	}
	return found
}

// inwardBreaches checks the imports of a package by mayImport and standardOnly.
func inwardBreaches(name string, p listed) (found []string) {
	allowed, known := mayImport[name]
	if !known {
		return []string{name + " is not in mayImport: decide which packages of the module it may import"}
	}
	for _, path := range p.Imports {
		if isOurs(path) && !slices.Contains(allowed, relative(path)) {
			found = append(found, fmt.Sprintf("%s imports %s: dependencies point inwards, see mayImport", name, relative(path)))
		}
	}
	if slices.Contains(standardOnly, name) {
		for _, path := range p.Deps {
			if !isOurs(path) && !isStandard(path) {
				found = append(found, fmt.Sprintf("%s links %s: it needs the standard library only", name, path))
			}
		}
	}
	return found
}

func isOurs(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// isStandard reports whether path is in the standard library. All other paths begin with a
// host name.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func relative(importPath string) string { return strings.TrimPrefix(importPath, module+"/") }

func matchesPattern(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// list asks the go command for every package of the module.
func list(t *testing.T) []listed {
	t.Helper()
	rememberSources(t)
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,Deps,TestImports,XTestImports", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// rememberSources opens every Go file of the module. The go command uses a cached result if
// the files that the test itself has opened are the same. Files that only `go list` has read
// do not count, so that an old "ok" would hide a new import.
func rememberSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".go"):
			_, err := os.Stat(name)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
