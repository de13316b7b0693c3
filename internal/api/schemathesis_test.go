package api_test

// An OpenAPI checker over the real server: e2e/schemathesis.sh installs it and
// runs this test, which is skipped without it.

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"thalas/internal/api"
)

func TestSchemathesis(t *testing.T) {
	program := os.Getenv("SCHEMATHESIS")
	if program == "" {
		t.Skip("SCHEMATHESIS is not set: run e2e/schemathesis.sh")
	}
	data, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		api      api.Options
		examples string
	}{
		{"open", options(), "100"},
		{"with keys", options(sha("secret")), "20"}, // what the keys change does not hang on the request
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newServer(t, setup{api: tt.api})
			cmd := exec.CommandContext(t.Context(), program, "--config-file", filepath.Join(data, "schemathesis.toml"), "run", f.URL+"/openapi.json", "--no-color", "--max-examples", tt.examples)
			cmd.Dir = t.TempDir() // it leaves its notes where it runs
			cmd.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+filepath.Join(data, "schemathesis_hooks.py"))
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: the findings are above", err)
			}
		})
	}
}
