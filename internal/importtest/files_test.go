package importtest

// Rules for the files in git: no key, no path of one machine, no long source file.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sourceSize = 450 // lines of a Go file that is not a test

var (
	// Keys of the four providers and of AWS, at least as long as real ones.
	keyForm = regexp.MustCompile(`sk-(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{32,}|xai-[A-Za-z0-9]{40,}|AIza[A-Za-z0-9_-]{35}|AKIA[A-Z0-9]{16}`)
	// Words in keys that were made up for a test or a text.
	placeholder = regexp.MustCompile(`(?i)test|planted|simulated|example|placeholder`)
	// Absolute paths in folders that only some machines have.
	machinePath = regexp.MustCompile(`(?:^|[^\w.~})-])/(?:work|workspace|home|root|Users)/[\w.-]`)
)

func TestTrackedFiles(t *testing.T) {
	for _, name := range tracked(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, but still in the index of git
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults(name, text) {
			t.Errorf("%s%s", name, fault)
		}
	}
}

func TestFaultsAreFound(t *testing.T) {
	// The keys are put together here, so that this file passes its own test.
	chance := strings.Repeat("aB3dE5gH7", 12)
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"plain text", "a.md", "set ANTHROPIC_API_KEY=sk-ant-...\n", nil},
		{"Anthropic", "a.md", "# keys\nsk-ant-api03-" + chance, []string{":2: looks like an API key (sk-ant-a…)"}},
		{"OpenAI", "a.json", `{"key": "sk-proj-` + chance + `"}`, []string{":1: looks like an API key (sk-proj-…)"}},
		{"xAI", "a.go", "xai-" + chance, []string{":1: looks like an API key (xai-aB3d…)"}},
		{"Google", "a.go", "AIza" + chance[:35], []string{":1: looks like an API key (AIzaaB3d…)"}},
		{"AWS", ".env.example", "AKIA" + strings.ToUpper(chance[:16]), []string{":1: looks like an API key (AKIAAB3D…)"}},
		{"planted key", "a_test.go", "sk-ant-api03-PLANTED-" + chance, nil},
		{"planted beside a real one", "a_test.go", "sk-ant-planted-" + chance + " sk-proj-" + chance, []string{":1: looks like an API key (sk-proj-…)"}},
		{"too short for a key", "a_test.go", "xai-" + chance[:12], nil},
		{"path of a machine", "a.go", "// see /" + "work/notes\n", []string{":1: names a path of one machine"}},
		{"home of a person", "a.yaml", "a: 1\ndir: /" + "home/ann/x\n", []string{":2: names a path of one machine"}},
		{"paths of any machine", "a.go", strings.ReplaceAll("../W/x internal/W/x https://example.com/W/x $HOME/W/x GET /home/\n", "W", "work"), nil},
		{"long source", "a.go", strings.Repeat("\n", 451), []string{": has 451 lines, want at most 450: split it by concept"}},
		{"long test", "a_test.go", strings.Repeat("\n", 451), nil},
		{"long text", "a.csv", strings.Repeat("\n", 451), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, faults(tt.file, []byte(tt.text))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// faults gives what a file must not contain, with its place. It shows only the beginning of a
// key.
func faults(name string, text []byte) (found []string) {
	for i, line := range bytes.Split(text, []byte("\n")) {
		for _, key := range keyForm.FindAll(line, -1) {
			if !placeholder.Match(key) {
				found = append(found, fmt.Sprintf(":%d: looks like an API key (%s…)", i+1, key[:8]))
			}
		}
		if machinePath.Match(line) {
			found = append(found, fmt.Sprintf(":%d: names a path of one machine", i+1))
		}
	}
	isSource := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
	if lines := bytes.Count(text, []byte("\n")); isSource && lines > sourceSize {
		found = append(found, fmt.Sprintf(": has %d lines, want at most %d: split it by concept", lines, sourceSize))
	}
	return found
}

// tracked lists the regular files in git, relative to the root. Without git, or outside a
// repository, it skips the test.
func tracked(t *testing.T) []string {
	t.Helper()
	_, _ = os.Stat(filepath.Join(root, ".git", "index")) // so that a cached result is not used after `git add`
	// In a container the clone may belong to another user.
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--stage")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		t.Skipf("not checked: git does not list the files here (%v)", err)
	}
	var names []string
	for entry := range strings.SplitSeq(string(output), "\x00") {
		// 100644 <hash> <stage>\t<name>; links and submodules have other modes.
		if meta, name, ok := strings.Cut(entry, "\t"); ok && strings.HasPrefix(meta, "100") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Skip("not checked: this folder is no git repository of its own")
	}
	return names
}
