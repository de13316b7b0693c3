package importtest

// docs/security.md is true as far as names go: the files and tests that it names are there.

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quotedName = regexp.MustCompile("`([^`\n]+)`")
	fileName   = regexp.MustCompile(`^[\w.]+(?:/[\w.]+)+\.\w+$`)
	testName   = regexp.MustCompile(`^(?:(?:Test|Fuzz)[A-Z]|test_)\w+$`)
)

func TestSecurityDocNamesRealTests(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	var file, text string // the file that was named last
	for _, match := range quotedName.FindAllStringSubmatch(string(doc), -1) {
		switch name := match[1]; {
		case fileName.MatchString(name):
			content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			if err != nil {
				t.Errorf("docs/security.md names a file that is not there: %v", err)
			}
			file, text = name, string(content)
		case testName.MatchString(name):
			tests++
			if !strings.Contains(text, "func "+name+"(") && !strings.Contains(text, "def "+name+"(") {
				t.Errorf("docs/security.md names %s of %s, which has no such test: name the one that shows the control now", name, file)
			}
		}
	}
	if tests < 50 {
		t.Errorf("only %d tests are found in docs/security.md", tests)
	}
}
