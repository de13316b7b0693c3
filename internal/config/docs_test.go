package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
)

var update = flag.Bool("update", false, "write the table of variables into docs/configuration.md")

// The table in the docs is the one that the tags give.
func TestDocsListEveryVariable(t *testing.T) {
	const file, begin, end = "../../docs/configuration.md", "<!-- variables: written by go test ./internal/config -update -->\n", "<!-- end of variables -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has lost the lines around its table:\n%s%s", file, begin, end)
	}
	want := variablesTable()
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("the table is out of date, run with -update:\n%s", diff)
	}
}

func variablesTable() string {
	var b strings.Builder
	b.WriteString("| variable | meaning | allowed | default |\n|---|---|---|---|\n")
	for _, v := range config.Variables() {
		b.WriteString("| `" + v.Name + "` | " + v.About + " | " + v.Allowed + " | " + v.Default + " |\n")
	}
	return b.String()
}
